"""File system: what is forbidden is absent, and what is there cannot be changed outside /work."""

import os
import secrets
import tempfile
from pathlib import Path

import bowerbird
from bowerbird.sandbox.conformance.check import Check, expect, expect_said, python, whole
from bowerbird.sandbox.protocol import Base, Sandbox
from bowerbird.types import Executable

# argv: paths. Prints those that can be read or listed.
_READABLE = """
import os, sys
def look(path):
    try:
        return os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1)
    except OSError:
        return None
print(" ".join(path for path in sys.argv[1:] if look(path)))
"""
# argv: folders. Prints those a file could be made in.
_WRITABLE = """
import os, sys
found = []
for folder in sys.argv[1:]:
    try:
        open(os.path.join(folder, "probe"), "w").close()
        found.append(folder)
    except OSError:
        pass
print(" ".join(found))
"""
_DEVICES = """
import os, stat
good = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "console"}
bad = []
for root, _, names in os.walk("/dev"):
    for name in names:
        mode = os.lstat(os.path.join(root, name)).st_mode
        if (stat.S_ISCHR(mode) and name not in good and root != "/dev/pts") or stat.S_ISBLK(mode):
            bad.append(name)
try:
    os.mknod("/work/disk", 0o600 | stat.S_IFBLK, os.makedev(8, 0))
    bad.append("mknod")
except OSError:
    pass
print(" ".join(bad))
"""
_MOUNT = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
did = []
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0: did.append("mount")
if libc.mount(b"/", b"/work", None, 0x1000, None) == 0: did.append("bind")
if libc.mount(None, b"/", None, 0x20 | 0x1000, None) == 0: did.append("remount")
if libc.umount2(b"/tests", 2) == 0: did.append("umount")
if libc.chroot(b"/work") == 0: did.append("chroot")
if libc.unshare(0x10000000) == 0: did.append("unshare user")
if libc.unshare(0x00020000) == 0: did.append("unshare mount")
print(" ".join(did))
"""
# argv: a file on the host. Tries the doors in /proc.
_PROC_DOORS = """
import os, sys
found = []
for pid in [p for p in os.listdir("/proc") if p.isdigit()] + ["self", "thread-self"]:
    for door in ("root", "cwd"):
        path = "/proc/%s/%s%s" % (pid, door, sys.argv[1])
        if os.path.exists(path):
            found.append(path)
print(" ".join(found))
"""


def _work_is_kept(sandbox: Sandbox) -> str:
    with sandbox.open({"given/a.txt": b"given"}) as workspace:
        done = python(workspace, "import os; print(os.getcwd(), open('given/a.txt').read()); open('b', 'w').write('b')")
        expect(done.stdout == b"/work given\n", repr(done.stdout + done.stderr))
        done = python(workspace, "print(open('/work/b').read())")
        expect(done.stdout == b"b\n", repr(done.stdout + done.stderr))
    return "kept"


def _system_is_read_only(sandbox: Sandbox) -> str:
    places = ("/", "/usr", "/usr/bin", "/etc", "/dev", "/bin", "/lib", "/opt", "/var", "/tests", "/solution", "/proc")
    return expect_said(sandbox, "", _WRITABLE, *places)


def _host_file_is_absent(sandbox: Sandbox) -> str:
    with tempfile.NamedTemporaryFile(prefix="bowerbird-canary-") as canary:
        canary.write(b"secret")
        canary.flush()
        os.chmod(canary.name, 0o644)
        return expect_said(sandbox, "", _READABLE, canary.name, str(Path(canary.name).resolve()))


def _host_folders_are_absent(sandbox: Sandbox) -> str:
    places = ["/root", "/home", "/var", "/mnt", "/media", "/srv", "/boot", "/sys", "/run", "/usr/src", str(Path.home())]
    if not Path.cwd().is_relative_to("/usr") and Path.cwd() != Path("/"):
        places.append(str(Path.cwd()))
    return expect_said(sandbox, "", _READABLE, *[place for place in places if place not in ("/", "/tmp", "/work")])


def _accounts_are_absent(sandbox: Sandbox) -> str:
    return expect_said(
        sandbox, "", _READABLE, "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/ssh", "/etc/machine-id"
    )


def _own_tasks_are_absent(sandbox: Sandbox) -> str:
    package = Path(bowerbird.__file__).resolve().parent
    return expect_said(sandbox, "", _READABLE, str(package), str(package / "__init__.py"), str(package / "tasks"))


def _no_devices(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _DEVICES)


def _no_mounts(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _MOUNT)


def _no_door_in_proc(sandbox: Sandbox) -> str:
    with tempfile.NamedTemporaryFile(prefix="bowerbird-canary-") as canary:
        os.chmod(canary.name, 0o644)
        return expect_said(sandbox, "", _PROC_DOORS, canary.name)


def _workspaces_are_apart(sandbox: Sandbox) -> str:
    name = f"left-{secrets.token_hex(6)}"
    with sandbox.open({}) as first, sandbox.open({}) as second:
        whole(first, f"for place in ('/work', '/tmp', '/dev/shm'): open(place + '/{name}', 'w').write('x')")
        seen = whole(second, _READABLE, f"/work/{name}", f"/tmp/{name}", f"/dev/shm/{name}")
        expect(not seen, f"seen from another workspace: {seen}")
    return "apart"


def _base_is_shared_safely(sandbox: Sandbox) -> str:
    base = Base({f"given/{number}": f"{number}".encode() for number in range(50)})
    with sandbox.open({"given/1": b"on top"}, base=base, protected=["given/2"]) as first:
        whole(first, "import os; open('given/2', 'w').write('x'); os.remove('given/3'); open('given/new', 'w').close()")
        taken = first.collect(["given/1", "given/2", "given/3", "given/4"]).files
        expect(taken == {"given/1": b"on top", "given/2": b"x", "given/4": b"4"}, f"collected {dict(taken)}")
        with sandbox.open({}, base=base) as second:
            taken = second.collect([*base.files, "given/new"]).files
            expect(taken == base.files, "another workspace sees what this one changed")
            said = whole(second, "import os; print(len(os.listdir('given')), open('given/2').read())")
            expect(said == "50 2", f"another workspace sees {said!r}")
    return "shared, and nobody's writes are seen"


def _executables_stay_so(sandbox: Sandbox) -> str:
    tool, newer = Executable(b"#!/bin/sh\necho ran\n"), b"#!/bin/sh\necho new\n"
    others = {f"given/{number}": b"" for number in range(50)}
    for more in ({}, others):  # few files may be written out where many are shared
        base = Base({"tool": tool, "plain": bytes(tool), "gone": tool, **more})
        with sandbox.open({"own": tool, "gone": bytes(tool)}, base=base) as workspace:
            ran = [workspace.run([f"./{name}"]).exit_code == 0 for name in ("tool", "own", "plain", "gone")]
            expect(ran == [True, True, False, False], f"what ran of tool, own, plain, gone: {ran}")
            workspace.write("tool", newer)
            number = workspace.snapshot()
            workspace.run(["/bin/sh", "-c", "chmod 755 plain; chmod 644 tool own"])
            taken = workspace.collect(["tool", "own", "plain"]).files
            expect(taken == {"tool": newer, "own": bytes(tool), "plain": tool}, f"after chmod: {dict(taken)}")
            expect(workspace.restore(number), "there is no such snapshot")
            taken = workspace.collect(["tool", "own", "plain"]).files
            expect(taken == {"tool": Executable(newer), "own": tool, "plain": bytes(tool)}, f"restored: {dict(taken)}")
            expect(workspace.run(["./tool"]).stdout == b"new\n", "a tool that was written anew does not run")
    return "kept, changed and told"


CHECKS = [
    Check("work_is_kept", "file system", "tools of one rollout work on the same files", _work_is_kept),
    Check(
        "system_is_read_only",
        "file system",
        "a shim for python or pytest would outlive the command",
        _system_is_read_only,
    ),
    Check("host_file_is_absent", "file system", "any file of the host could be read", _host_file_is_absent),
    Check(
        "host_folders_are_absent",
        "file system",
        "homes hold keys, and the checkout holds tests",
        _host_folders_are_absent,
    ),
    Check("accounts_are_absent", "file system", "password hashes and account names leak", _accounts_are_absent),
    Check(
        "own_tasks_are_absent",
        "file system",
        "this package carries tasks with their hidden cases",
        _own_tasks_are_absent,
    ),
    Check("no_devices", "file system", "a disk or kernel device is the whole machine", _no_devices),
    Check("no_mounts", "file system", "a new mount or namespace undoes every read-only bind", _no_mounts),
    Check("no_door_in_proc", "file system", "/proc/PID/root leads to another root", _no_door_in_proc),
    Check(
        "base_is_shared_safely",
        "file system",
        "one rollout could change what all later ones start from",
        _base_is_shared_safely,
    ),
    Check("executables_stay_so", "file system", "a task's own scripts would not run", _executables_stay_so),
    Check("workspaces_are_apart", "file system", "a rollout could hand its answer to the next", _workspaces_are_apart),
]
