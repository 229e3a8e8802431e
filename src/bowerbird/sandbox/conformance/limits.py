"""Limits and output floods: one command cannot take the machine, or our memory, with it."""

import time

from bowerbird.sandbox.conformance.check import Check, expect, expect_said, python, say
from bowerbird.sandbox.protocol import Limits, Sandbox

MIB = 1 << 20
_HOLD = """
import os, sys, time
count, size = int(sys.argv[1]), int(sys.argv[2])
print("on", flush=True)
for _ in range(count):
    if os.fork() == 0:
        block = bytearray(os.urandom(4096)) * (size // 4096)
        open("held", "a").write("x")
        time.sleep(20)
        os._exit(0)
while not os.path.exists("held") or len(open("held").read()) < count: time.sleep(0.02)
time.sleep(2)
print("all held")
"""
_FORK = """
import os, time
made = 0
try:
    while made < 400:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""
_OPEN = """
import os, resource
held = []
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
try:
    while len(held) < 4096: held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
print("limited" if len(held) < 4096 else "unlimited")
"""
_FILE = """
import signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with open("big", "wb", buffering=0) as file:
        for _ in range(64): file.write(b"x" * (1 << 20))
except OSError:
    pass
import os
print(os.path.getsize("big"))
"""
_SCRATCH = """
import os
big = []
for place in ("/tmp", "/dev/shm"):
    facts = os.statvfs(place)
    if facts.f_blocks * facts.f_frsize > 1 << 30: big.append(place)
print(" ".join(big))
"""
_CORE = """
import resource
print(max(resource.getrlimit(resource.RLIMIT_CORE)))
"""


def _wall(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        start = time.monotonic()
        done = python(workspace, "import time; print('on', flush=True); time.sleep(600)", limits=Limits(wall_s=1.0))
        took = time.monotonic() - start
    expect(done.timed_out and done.exit_code is None, f"exit code {done.exit_code}, timed_out {done.timed_out}")
    expect(took < 20, f"took {took:.1f} s")
    return f"{took:.2f} s"


def _cpu(sandbox: Sandbox) -> str:
    code = "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    with sandbox.open({}) as workspace:
        done = python(workspace, code, limits=Limits(wall_s=20.0, cpu_s=1))
    expect(not done.timed_out, "only the wall limit ended it")
    expect(done.exit_code is not None and done.exit_code < 0, f"exit code {done.exit_code}")
    return f"killed after {done.wall_s:.1f} s"


def _memory(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        limits = Limits(wall_s=30.0, memory_bytes=128 * MIB)
        code = "print('on', flush=True); x = bytearray(b'x') * (512 << 20); print('held')"
        done = python(workspace, code, limits=limits)
    expect(b"on" in done.stdout, "the program did not start")
    expect(b"held" not in done.stdout, "512 MiB were had under a limit of 128 MiB")
    return f"exit code {done.exit_code}"


def _memory_in_all(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        limits = Limits(wall_s=15.0, memory_bytes=192 * MIB)
        done = python(workspace, _HOLD, "5", str(80 * MIB), limits=limits)
    expect(b"on" in done.stdout, "the program did not start")
    expect(b"all held" not in done.stdout, "five processes had 400 MiB together under a limit of 192 MiB")
    expect(not done.timed_out, "the processes were not stopped before the wall limit")
    return f"exit code {done.exit_code}"


def _processes(sandbox: Sandbox) -> str:
    made = int(say(sandbox, _FORK, limits=Limits(wall_s=30.0, processes=20)))
    expect(0 < made <= 20, f"{made} processes under a limit of 20")
    made = int(say(sandbox, _FORK, limits=Limits(wall_s=30.0, processes=40)))
    expect(20 < made <= 40, f"{made} processes under a limit of 40: it does not count this sandbox alone")
    return f"{made} of 40"


def _open_files(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "limited", _OPEN)


def _file_size(sandbox: Sandbox) -> str:
    size = int(say(sandbox, _FILE, limits=Limits(wall_s=30.0, file_bytes=MIB)))
    expect(size <= MIB, f"a file of {size} bytes under a limit of {MIB}")
    return f"{size} bytes"


def _scratch_is_sized(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _SCRATCH)


def _no_core_dump(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "0", _CORE)


def _flood(descriptor: int, sandbox: Sandbox) -> str:
    limits = Limits(wall_s=40.0, cpu_s=20, output_bytes=100_000)
    with sandbox.open({}) as workspace:
        start = time.monotonic()
        done = python(workspace, f"import os\nwhile True: os.write({descriptor}, b'x' * 65536)", limits=limits)
        took = time.monotonic() - start
    kept = len(done.stdout if descriptor == 1 else done.stderr)
    expect(done.truncated and not done.timed_out, f"truncated {done.truncated}, timed_out {done.timed_out}")
    expect(kept == 100_000, f"{kept} bytes were kept of a limit of 100000")
    expect(took < 30, f"took {took:.1f} s")
    return f"{took:.2f} s"


def _stdout_flood(sandbox: Sandbox) -> str:
    return _flood(1, sandbox)


def _stderr_flood(sandbox: Sandbox) -> str:
    return _flood(2, sandbox)


def _orphan_flood(sandbox: Sandbox) -> str:
    code = "import os\nprint('on', flush=True)\nif os.fork() == 0:\n    while True: os.write(1, b'x' * 4096)\n"
    with sandbox.open({}) as workspace:
        done = python(workspace, code, limits=Limits(wall_s=30.0, cpu_s=20, output_bytes=1 << 26))
    expect(done.stdout.startswith(b"on"), "the program did not start")
    expect(not done.timed_out, "run() went on for an orphan's output")
    expect(len(done.stdout) <= 1 << 26, f"{len(done.stdout)} bytes were kept")
    return f"{len(done.stdout)} bytes, {done.wall_s:.2f} s"


def _output_is_exact(sandbox: Sandbox) -> str:
    code = "import os\nos.write(1, bytes(range(256)) * 64)\nos.write(2, b'e' * 5000)"
    with sandbox.open({}) as workspace:
        done = python(workspace, code)
        expect(done.stdout == bytes(range(256)) * 64, f"{len(done.stdout)} bytes of 16384")
        expect(done.stderr == b"e" * 5000, f"{len(done.stderr)} bytes of 5000")
        expect(not done.truncated, "marked as cut")
        limits = Limits(wall_s=30.0, output_bytes=1000)
        edge = python(workspace, "import os; os.write(1, b'x' * 1000)", limits=limits)
        expect(not edge.truncated and len(edge.stdout) == 1000, "output of just the limit was cut")
    return "exact"


CHECKS = [
    Check("wall", "limits", "a sleeping candidate holds a worker for ever", _wall),
    Check("cpu", "limits", "a busy candidate starves the others", _cpu),
    Check("memory", "limits", "one allocation takes the machine down", _memory),
    Check("memory_in_all", "limits", "many small processes do the same", _memory_in_all),
    Check("processes", "limits", "a fork bomb", _processes),
    Check("open_files", "limits", "the kernel's file table is shared", _open_files),
    Check("file_size", "limits", "one file fills the disk", _file_size),
    Check("scratch_is_sized", "limits", "scratch folders are the host's memory", _scratch_is_sized),
    Check("no_core_dump", "limits", "core dumps fill the disk and hold memory", _no_core_dump),
    Check("stdout_flood", "output floods", "printed gigabytes end up in our memory", _stdout_flood),
    Check("stderr_flood", "output floods", "so do those on standard error", _stderr_flood),
    Check("orphan_flood", "output floods", "an orphan that prints must not hold run()", _orphan_flood),
    Check("output_is_exact", "output floods", "a cap that loses honest output makes wrong verdicts", _output_is_exact),
]
