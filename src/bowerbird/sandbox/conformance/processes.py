"""Processes and daemons: no way to others, no privilege, and nothing that outlives its command."""

import os
import time

from bowerbird.sandbox.conformance.check import Check, expect, expect_said, python
from bowerbird.sandbox.protocol import Limits, Sandbox, Workspace

_PROCESSES = """
import os
print(sum(name.isdigit() for name in os.listdir("/proc")))
"""
_SIGNAL = """
import os, sys
try:
    os.kill(int(sys.argv[1]), 0)
    print("reached")
except OSError:
    print("")
"""
_PRIVILEGE = """
import os
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
sets = ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")
wrong = [key + "=" + status[key].strip() for key in sets if int(status[key], 16)]
if status["NoNewPrivs"].strip() != "1": wrong.append("NoNewPrivs")
if 0 in (os.getuid(), os.geteuid(), os.getgid()): wrong.append("root")
for change in (os.setuid, os.setgid):
    try:
        change(0)
        wrong.append(change.__name__)
    except OSError:
        pass
print(" ".join(wrong))
"""
_SYSCALLS = """
import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"
numbers = {"ptrace": (101, 117), "keyctl": (250, 219), "bpf": (321, 280), "perf_event_open": (298, 241),
           "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "open_by_handle_at": (304, 265),
           "process_vm_readv": (310, 270), "unshare": (272, 97), "setns": (308, 268), "kexec_load": (246, 104),
           "init_module": (175, 105), "clone3": (435, 435), "fsopen": (430, 430), "pidfd_getfd": (438, 438)}
wrong = []
for name, pair in numbers.items():
    ctypes.set_errno(0)
    got = libc.syscall(ctypes.c_long(pair[0 if x86 else 1]), *[ctypes.c_long(-1)] * 5)
    if got != -1 or ctypes.get_errno() not in (1, 38):
        wrong.append("%s=%d:%d" % (name, got, ctypes.get_errno()))
status = open("/proc/self/status").read()
if "Seccomp:\\t2" not in status: wrong.append("no filter")
print(" ".join(wrong))
"""
_NAMESPACE_BY_CLONE = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
number = 56 if platform.machine() == "x86_64" else 220
made = []
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000):
    pid = libc.syscall(ctypes.c_long(number), ctypes.c_long(flag | 17), None, None, None, None)
    if pid == 0: os._exit(0)
    if pid > 0: made.append(hex(flag))
print(" ".join(made))
"""
_TERMINAL = """
import fcntl, os
wrong = []
try:
    os.close(os.open("/dev/tty", os.O_RDWR))
    wrong.append("/dev/tty")
except OSError:
    pass
leader, follower = os.openpty()
for request in (0x5412, 0x541C):
    try:
        fcntl.ioctl(follower, request, b"x")
        wrong.append(hex(request))
    except OSError as error:
        if error.errno != 1: wrong.append("%#x:%d" % (request, error.errno))
print(" ".join(wrong))
"""
# Leaves a daemon that ignores signals, holds the output open and writes to /work for ever.
_DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    for number in (1, 2, 3, 13, 15):
        signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        open("alive", "a").write("x")
        open("started", "w").close()
        while True:
            with open("alive", "a") as file: file.write("x")
            time.sleep(0.01)
    os._exit(0)
while not os.path.exists("started"): time.sleep(0.01)
if sys.argv[1] == "stay": time.sleep(600)
"""


def _host_processes_are_invisible(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        done = python(workspace, _PROCESSES)
        count = int(done.stdout or b"-1")
        expect(0 < count <= 8, f"{count} processes are visible")
    return f"{count} processes"


def _host_process_cannot_be_signalled(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _SIGNAL, str(os.getpid()))


def _no_privilege(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _PRIVILEGE)


def _syscalls_are_filtered(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _SYSCALLS)


def _no_namespace_by_clone(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _NAMESPACE_BY_CLONE)


def _no_terminal(sandbox: Sandbox) -> str:
    return expect_said(sandbox, "", _TERMINAL)


def _size(workspace: Workspace) -> int:
    return len(workspace.collect(["alive"]).files.get("alive", b""))


def _is_still(workspace: Workspace) -> None:
    before = _size(workspace)
    expect(before > 0, "the daemon never ran, so nothing was tested")
    time.sleep(0.4)
    expect(_size(workspace) == before, "a process goes on writing after run() returned")


def _daemon_dies(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        start = time.monotonic()
        done = python(workspace, _DAEMON, "leave")
        took = time.monotonic() - start
        expect(done.exit_code == 0 and not done.timed_out, f"ended with {done.exit_code}: {done.stderr[-200:]!r}")
        expect(took < 20, f"run() waited {took:.1f} s for a daemon")
        _is_still(workspace)
    return "dead"


def _tree_dies_at_the_wall(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        done = python(workspace, _DAEMON, "stay", limits=Limits(wall_s=3.0))
        expect(done.timed_out, f"ended with {done.exit_code}")
        _is_still(workspace)
    return "dead"


def _tree_dies_in_a_flood(sandbox: Sandbox) -> str:
    code = _DAEMON + "\nwhile True: os.write(1, b'x' * 65536)"
    with sandbox.open({}) as workspace:
        done = python(workspace, code, "flood", limits=Limits(wall_s=30.0, cpu_s=20, output_bytes=1 << 16))
        expect(done.truncated, f"ended with {done.exit_code}")
        _is_still(workspace)
    return "dead"


def _next_command_starts_alone(sandbox: Sandbox) -> str:
    with sandbox.open({}) as workspace:
        first = int(python(workspace, _PROCESSES).stdout or b"-1")
        python(workspace, _DAEMON, "leave")
        second = int(python(workspace, _PROCESSES).stdout or b"-1")
        expect(0 < first == second, f"{first} processes before, {second} after a daemon")
    return "alone"


CHECKS = [
    Check(
        "host_processes_are_invisible",
        "processes",
        "/proc of a grader holds its memory and files",
        _host_processes_are_invisible,
    ),
    Check(
        "host_process_cannot_be_signalled",
        "processes",
        "a killed verifier is an error, not a failure",
        _host_process_cannot_be_signalled,
    ),
    Check("no_privilege", "processes", "capabilities and setuid undo the sandbox", _no_privilege),
    Check(
        "syscalls_are_filtered",
        "processes",
        "these calls have been the road out of many containers",
        _syscalls_are_filtered,
    ),
    Check(
        "no_namespace_by_clone",
        "processes",
        "a namespace of its own gives a process all capabilities",
        _no_namespace_by_clone,
    ),
    Check("no_terminal", "processes", "characters can be typed into the terminal that started us", _no_terminal),
    Check("daemon_dies", "daemons", "a daemon can rewrite the submission after it was judged", _daemon_dies),
    Check(
        "tree_dies_at_the_wall",
        "daemons",
        "a timeout that kills one process leaves its children",
        _tree_dies_at_the_wall,
    ),
    Check("tree_dies_in_a_flood", "daemons", "so does a flood", _tree_dies_in_a_flood),
    Check("next_command_starts_alone", "daemons", "a daemon can attack the next command", _next_command_starts_alone),
]
