"""Collection and decoys: what comes out is what was declared, and looking for hidden tests is seen."""

import os
import tempfile
import time

from bowerbird.sandbox.conformance.check import Check, expect, python, whole
from bowerbird.sandbox.protocol import Collected, Sandbox

_READ_DECOYS = """
import os, sys
read = []
for root, _, names in os.walk(sys.argv[1]):
    for name in names:
        read.append(os.path.join(root, name))
        open(read[-1]).read()
print("\\n".join(read))
"""
_LIST = """
import os
for top in ("/tests", "/solution", "/"):
    for root, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in ("proc", "usr", "dev")]
        for name in names: os.lstat(os.path.join(root, name))
"""
_SPOIL_DECOYS = """
import os
did, tried = [], False
for root, _, names in os.walk("/tests"):
    for name in names:
        path = os.path.join(root, name)
        tried = True
        for act in (lambda: open(path, "w"), lambda: os.remove(path), lambda: os.rename(path, path + "x")):
            try:
                act()
                did.append(path)
            except OSError:
                pass
print(" ".join(did) if tried else "nothing: there are no decoys")
"""


def _collect(sandbox: Sandbox, code: str, *paths: str, max_bytes: int = 1 << 20) -> Collected:
    """Run `code` in a workspace and collect, within a time that says it did not hang."""
    with sandbox.open({}) as workspace:
        whole(workspace, code)
        start = time.monotonic()
        got = workspace.collect(paths, max_bytes=max_bytes)
        expect(time.monotonic() - start < 10, "collecting hung")
    return got


def _refused(sandbox: Sandbox, code: str, path: str, max_bytes: int = 1 << 20) -> str:
    got = _collect(sandbox, code, path, max_bytes=max_bytes)
    expect(not got.files, f"{path} was collected: {dict(got.files)!r:.200}")
    expect(len(got.anomalies) == 1 and got.anomalies[0].startswith(path), f"anomalies: {got.anomalies}")
    return got.anomalies[0]


def _links_are_refused(sandbox: Sandbox) -> str:
    with tempfile.NamedTemporaryFile(prefix="bowerbird-canary-") as canary:
        os.chmod(canary.name, 0o644)
        for target in ("/etc/passwd", canary.name, "other.py", "/proc/self/environ"):
            code = f"import os; open('other.py', 'w').close(); os.symlink({target!r}, 'solution.py')"
            said = _refused(sandbox, code, "solution.py")
    return said


def _linked_folders_are_refused(sandbox: Sandbox) -> str:
    _refused(sandbox, "import os; os.symlink('/etc', 'sub')", "sub/passwd")
    return _refused(sandbox, "import os; os.symlink('/etc', 'sub')", "sub/hostname-that-is-not-there")


def _hard_links_are_refused(sandbox: Sandbox) -> str:
    return _refused(sandbox, "import os; open('a', 'w').write('x'); os.link('a', 'solution.py')", "solution.py")


def _fifos_are_refused(sandbox: Sandbox) -> str:
    return _refused(sandbox, "import os; os.mkfifo('solution.py')", "solution.py")


def _sockets_and_folders_are_refused(sandbox: Sandbox) -> str:
    _refused(sandbox, "import socket; socket.socket(socket.AF_UNIX).bind('solution.py')", "solution.py")
    return _refused(sandbox, "import os; os.mkdir('solution.py')", "solution.py")


def _large_files_are_refused(sandbox: Sandbox) -> str:
    sparse = "import os; os.close(os.open('solution.py', os.O_CREAT | os.O_RDWR)); os.truncate('solution.py', 10 << 20)"
    _refused(sandbox, sparse, "solution.py")
    return _refused(sandbox, "open('solution.py', 'w').write('x' * 1001)", "solution.py", max_bytes=1000)


def _paths_stay_inside(sandbox: Sandbox) -> str:
    for path in ("../etc/passwd", "/etc/passwd", "sub/../../etc/passwd", ".."):
        said = _refused(sandbox, "import os; os.mkdir('sub')", path)
    return said


def _files_come_out_exactly(sandbox: Sandbox) -> str:
    code = "import os; os.mkdir('a'); open('a/b.bin', 'wb').write(bytes(range(256))); open('c', 'w').write('x' * 1000)"
    got = _collect(sandbox, code, "a/b.bin", "c", "missing.py", max_bytes=1000)
    expect(dict(got.files) == {"a/b.bin": bytes(range(256)), "c": b"x" * 1000}, f"{dict(got.files)!r:.200}")
    return f"{len(got.files)} files"


def _writes_stay_inside(sandbox: Sandbox) -> str:
    with tempfile.TemporaryDirectory(prefix="bowerbird-canary-") as outside:
        os.chmod(outside, 0o777)
        victim = os.path.join(outside, "victim")
        with open(victim, "w") as file:
            file.write("untouched")
        os.chmod(victim, 0o666)
        with sandbox.open({}) as workspace:
            whole(workspace, f"import os; os.symlink({victim!r}, 'solution.py'); os.symlink({outside!r}, 'sub')")
            workspace.write("solution.py", b"new")
            workspace.write("sub/new.py", b"new")
            got = workspace.collect(["solution.py", "sub/new.py"])
        with open(victim) as file:
            expect(file.read() == "untouched", "a write went through a link to the host")
        expect(os.listdir(outside) == ["victim"], "a write went through a linked folder to the host")
        expect(dict(got.files) == {"solution.py": b"new", "sub/new.py": b"new"}, f"{dict(got.files)!r:.200}")
    return "inside"


def _reading_a_decoy_is_seen(sandbox: Sandbox) -> str:
    for place in ("/tests", "/solution"):
        with sandbox.open({}) as workspace:
            done = python(workspace, _READ_DECOYS, place)
            read = set(done.stdout.decode().split())
            expect(bool(read), f"there is no decoy in {place}")
            seen = set(workspace.watched().withheld_reads)
            expect(seen == read, f"read {sorted(read)}, seen {sorted(seen)}")
    return ", ".join(sorted(seen))


def _a_detour_to_a_decoy_is_seen(sandbox: Sandbox) -> str:
    code = """
import mmap, os
path = os.path.join("/tests", sorted(os.listdir("/tests"))[0])
os.symlink(path, "innocent")
descriptor = os.open("innocent", os.O_RDONLY)
mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)[:4]
"""
    with sandbox.open({}) as workspace:
        whole(workspace, code)
        expect(len(workspace.watched().withheld_reads) == 1, f"{workspace.watched().withheld_reads}")
    return "seen"


def _listing_is_no_offence(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace, sandbox.open({}) as other:
        whole(workspace, _LIST)
        python(other, _READ_DECOYS, "/tests")
        reads = workspace.watched().withheld_reads
        expect(not reads, f"blamed for {reads}")
    return "none seen"


def _decoys_cannot_be_spoiled(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        spoiled = whole(workspace, _SPOIL_DECOYS)
        expect(not spoiled, f"changed {spoiled}")
    return "read-only"


def _protected_changes_are_seen(sandbox: Sandbox) -> str:
    files = {
        "edited.py": b"1",
        "gone.py": b"2",
        "linked.py": b"3",
        "kept.py": b"4",
        "touched.py": b"5",
        "free.py": b"6",
    }
    code = """
import os
open("edited.py", "w").write("x"); os.remove("gone.py"); os.utime("touched.py"); open("free.py", "w").write("x")
os.rename("linked.py", "copy.py"); os.symlink("copy.py", "linked.py")
"""
    with sandbox.open(files, protected=[name for name in files if name != "free.py"]) as workspace:
        expect(not workspace.watched().protected_changes, "a change before there was any")
        python(workspace, code)
        changed = set(workspace.watched().protected_changes)
    expect(changed == {"edited.py", "gone.py", "linked.py"}, f"changed: {sorted(changed)}")
    return ", ".join(sorted(changed))


CHECKS = [
    Check("links_are_refused", "collection", "a link collects a file of the host", _links_are_refused),
    Check(
        "linked_folders_are_refused", "collection", "so does a linked folder on the way", _linked_folders_are_refused
    ),
    Check("hard_links_are_refused", "collection", "a hard link changes after it was checked", _hard_links_are_refused),
    Check("fifos_are_refused", "collection", "a FIFO hangs whoever opens it", _fifos_are_refused),
    Check(
        "sockets_and_folders_are_refused",
        "collection",
        "only regular files are submissions",
        _sockets_and_folders_are_refused,
    ),
    Check("large_files_are_refused", "collection", "a sparse file fills our memory", _large_files_are_refused),
    Check("paths_stay_inside", "collection", "a declared path could name the host", _paths_stay_inside),
    Check("files_come_out_exactly", "collection", "the submitted bytes are what is graded", _files_come_out_exactly),
    Check("writes_stay_inside", "collection", "a planted link turns our write against the host", _writes_stay_inside),
    Check("reading_a_decoy_is_seen", "decoys", "who reads hidden tests is cheating", _reading_a_decoy_is_seen),
    Check("a_detour_to_a_decoy_is_seen", "decoys", "links and memory maps are reads too", _a_detour_to_a_decoy_is_seen),
    Check("listing_is_no_offence", "decoys", "an honest look around must not be punished", _listing_is_no_offence),
    Check("decoys_cannot_be_spoiled", "decoys", "a decoy that can be replaced sees nothing", _decoys_cannot_be_spoiled),
    Check("protected_changes_are_seen", "decoys", "edited tests pass", _protected_changes_are_seen),
]
