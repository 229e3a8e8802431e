"""Watching: what programs try is in the facts, what they do ordinarily is not, and nobody hangs for it."""

import secrets
import time

from bowerbird.sandbox.conformance.check import Check, Skipped, Violation, expect, python, whole
from bowerbird.sandbox.protocol import Limits, Sandbox, Workspace
from bowerbird.types import Facts

MANY = 1000  # more notes than any back end should keep
_TRY = """
import os, sys
for path in sys.argv[1:]:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        pass
"""
_DETOURS = """
import os, sys
def attempt(path, flags=os.O_RDONLY, folder=None):
    try:
        return os.open(path, flags, dir_fd=folder)
    except OSError:
        return -1
name = sys.argv[1]
attempt("../solution/" + name + "-dots")
attempt("/usr/lib/../../solution/" + name + "-climb")
attempt("solution/" + name + "-folder", folder=os.open("/", os.O_PATH))
root = os.open("/", os.O_PATH)
os.fchdir(root)
attempt("tests/" + name + "-chdir")
os.chdir("/work")
attempt("/tests/" + name + "-write", os.O_WRONLY | os.O_CREAT)
"""
_MAGIC = """
import os
for path in ("/proc/self/root/tests/x", "/proc/1/root/etc/passwd", "/proc/thread-self/root", "/proc/1/cwd/../tests/x"):
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        pass
held = os.open("/logs", os.O_PATH)
os.close(os.open("/proc/self/fd/%d" % held, os.O_RDONLY))
"""
_EXECUTE = """
import os, subprocess, sys
subprocess.run(["true"])
for path in sys.argv[1:]:
    if os.fork() == 0:
        try:
            os.execv(path, [path])
        except OSError:
            os._exit(0)
    os.wait()
"""
_CONNECT = """
import socket
def attempt(call):
    try:
        call()
    except OSError:
        pass
for family, address in ((socket.AF_INET, ("192.0.2.7", 8080)), (socket.AF_INET6, ("2001:db8::7", 443))):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        attempt(lambda: s.connect(address))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    attempt(lambda: s.sendto(b"x", ("192.0.2.8", 53)))
    attempt(lambda: s.sendmsg([b"x"], [], 0, ("192.0.2.9", 53)))
with socket.socket(socket.AF_UNIX) as s:
    attempt(lambda: s.connect("\\0elsewhere"))
"""
_ORDINARY = """
import asyncio, ctypes, json, multiprocessing, os, random, socket, sqlite3, ssl, subprocess, tempfile, threading, uuid
with tempfile.TemporaryDirectory() as folder:
    open(os.path.join(folder, "a"), "w").close()
with open("notes.txt", "w") as file:
    file.write(str(uuid.uuid4()))
os.mkdir("made")
os.chdir("made")
open("../notes.txt").read()
os.listdir("/")
os.listdir("/proc/%d" % os.getpid())
open("/proc/self/status").read()
open("/proc/cpuinfo").read(1)
subprocess.run(["sh", "-c", "cat ../notes.txt | sort > /dev/null; ls / > /dev/null; id > /dev/null"], check=True)
async def nothing(): await asyncio.sleep(0)
asyncio.run(nothing())
"""
_FLOOD = """
import os, sys
for _ in range(4):
    try:
        if os.fork() == 0: break
    except OSError:
        pass
for number in range(int(sys.argv[1])):
    try:
        os.open("/tests/%d-%d" % (os.getpid(), number), os.O_RDONLY)
    except OSError:
        pass
"""
_BOMB = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
    try:
        os.open("/tests/%d" % os.getpid(), os.O_RDONLY)
    except OSError:
        pass
"""


def _traced(workspace: Workspace) -> None:
    watchers = workspace.watched().watchers
    if "seccomp" not in watchers:
        raise Skipped(f"system calls are not traced (watched by {', '.join(watchers) or 'nothing'})")


def _facts(sandbox: Sandbox, code: str, *args: str, limits: Limits | None = None) -> Facts:
    """What was seen of a Python program in a fresh workspace; it must run to its end unless `limits` are given."""
    with sandbox.open({}) as workspace:
        _traced(workspace)
        if limits is None:
            whole(workspace, code, *args)
        else:
            python(workspace, code, *args, limits=limits)
        return workspace.watched()


def _all_in(wanted: list[str], seen: tuple[str, ...]) -> str:
    missed = [item for item in wanted if item not in seen]
    expect(not missed, f"missed {missed}, saw {list(seen)[:20]}")
    return f"{len(wanted)} seen"


def _missing_paths_are_seen(sandbox: Sandbox) -> str:
    name = secrets.token_hex(4)
    wanted = [f"/tests/{name}", f"/solution/{name}.py", f"/{name}/reward.txt", "/proc/1/maps", "/tmp/reward.txt"]
    return _all_in(wanted, _facts(sandbox, _TRY, *wanted).opened)


def _other_spellings_are_seen(sandbox: Sandbox) -> str:
    name = secrets.token_hex(4)
    wanted = [f"/solution/{name}-{how}" for how in ("dots", "climb", "folder")]
    wanted += [f"/tests/{name}-{how}" for how in ("chdir", "write")]
    return _all_in(wanted, _facts(sandbox, _DETOURS, name).opened)


def _magic_links_are_seen(sandbox: Sandbox) -> str:
    wanted = ["/proc/self/root/tests/x", "/proc/1/root/etc/passwd", "/proc/thread-self/root", "/logs"]
    return _all_in(wanted, _facts(sandbox, _MAGIC).opened)


def _programs_are_seen(sandbox: Sandbox) -> str:
    tried = f"/solution/{secrets.token_hex(4)}"
    seen = _facts(sandbox, _EXECUTE, tried).executed
    expect(any(path.endswith("/true") for path in seen), f"missed true, saw {list(seen)[:20]}")
    expect(not any(path.endswith("prlimit") for path in seen), "what starts the command is taken for the command's")
    return _all_in([tried], seen)


def _connections_are_seen(sandbox: Sandbox) -> str:
    wanted = ["inet 192.0.2.7:8080", "inet6 [2001:db8::7]:443", "inet 192.0.2.8:53", "inet 192.0.2.9:53"]
    return _all_in([*wanted, "unix @elsewhere"], _facts(sandbox, _CONNECT).connected)


def _ordinary_work_is_quiet(sandbox: Sandbox) -> str:
    with sandbox.open({"ordinary.py": _ORDINARY.encode()}) as workspace:
        _traced(workspace)
        done = workspace.run(["python3", "ordinary.py"], limits=Limits(wall_s=60, cpu_s=30, memory_bytes=4 << 30))
        expect(done.exit_code == 0, done.stderr.decode(errors="replace")[-300:])
        facts = workspace.watched()
    odd = [*facts.opened, *facts.connected, *facts.withheld_reads]
    expect(not odd and not facts.lost, f"{odd[:20]}, {facts.lost} lost")
    return f"quiet, {len(facts.executed)} programs"


def _a_flood_is_counted(sandbox: Sandbox) -> str:
    facts = _facts(sandbox, _FLOOD, str(MANY), limits=Limits(wall_s=60, cpu_s=30))
    kept = len(facts.opened)
    expect(0 < kept < MANY, f"{kept} notes were kept")
    expect(facts.lost >= MANY - kept, f"{kept} kept and {facts.lost} counted as lost of more than {MANY}")
    return f"{kept} kept, {facts.lost} lost"


def _a_bomb_ends_in_time(sandbox: Sandbox) -> str:
    start = time.monotonic()
    facts = _facts(sandbox, _BOMB, limits=Limits(wall_s=2.0, cpu_s=2, processes=30))
    took = time.monotonic() - start
    expect(took < 30, f"took {took:.1f} s")
    if not facts.opened:
        raise Violation("nothing of it was seen")
    return f"{took:.1f} s, {len(facts.opened)} seen, {facts.lost} lost"


CHECKS = [
    Check(
        "missing_paths_are_seen", "watching", "a cheat looks for files that may not be there", _missing_paths_are_seen
    ),
    Check(
        "other_spellings_are_seen", "watching", "dots, folders and links spell the same path", _other_spellings_are_seen
    ),
    Check(
        "magic_links_are_seen",
        "watching",
        "/proc/*/root leads around any path that is looked for",
        _magic_links_are_seen,
    ),
    Check("programs_are_seen", "watching", "what was started says what was meant", _programs_are_seen),
    Check("connections_are_seen", "watching", "who looks a solution up connects somewhere", _connections_are_seen),
    Check("ordinary_work_is_quiet", "watching", "a rule over noise punishes honest work", _ordinary_work_is_quiet),
    Check("a_flood_is_counted", "watching", "noise could push the evidence out unnoticed", _a_flood_is_counted),
    Check("a_bomb_ends_in_time", "watching", "a watcher that is overrun must not hold the run", _a_bomb_ends_in_time),
]
