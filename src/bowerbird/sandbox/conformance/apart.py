"""Two workspaces that run at the same time share nothing, and nothing of a command is there for the next."""

import secrets
import threading
import time

from bowerbird.sandbox.conformance.check import Check, expect, python, whole
from bowerbird.sandbox.protocol import Execution, Limits, Sandbox

# Leaves traces in every place that processes can share, says so, and stays.
_HOLD = """
import ctypes, os, socket, sys, time
mark = sys.argv[1]
for place in ("/tmp", "/dev/shm"):
    open(os.path.join(place, mark), "w").close()
server = socket.socket(socket.AF_UNIX)
server.bind("\\0" + mark)
server.listen(8)
loop = socket.create_server(("127.0.0.1", int(sys.argv[2])))
libc = ctypes.CDLL(None, use_errno=True)
libc.shmget(int(mark[:7], 16), 4096, 0o1600)
open("held", "w").close()
time.sleep(600)
"""
_SEEK = """
import ctypes, os, socket, sys
mark, found = sys.argv[1][::-1], []
for place in ("/tmp", "/dev/shm"):
    if os.path.exists(os.path.join(place, mark)): found.append(place)
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    try:
        if mark in open("/proc/%s/cmdline" % pid).read(): found.append("process " + pid)
    except OSError:
        pass
for family, address in ((socket.AF_UNIX, "\\0" + mark), (socket.AF_INET, ("127.0.0.1", int(sys.argv[2])))):
    try:
        with socket.socket(family) as s:
            s.settimeout(2)
            s.connect(address)
        found.append("socket %d" % family)
    except OSError:
        pass
if ctypes.CDLL(None, use_errno=True).shmget(int(mark[:7], 16), 0, 0) >= 0: found.append("shared memory")
print(" ".join(found))
"""
_SURVIVE = """
import os, signal, socket, sys, time
mark = sys.argv[1]
for depth in range(4):
    if os.fork(): os.waitpid(-1, os.WNOHANG); break
    os.setsid()
    for number in (1, 2, 3, 13, 15, 17):
        signal.signal(number, signal.SIG_IGN)
else:
    for descriptor in range(3): os.close(descriptor)
    os.open("/dev/null", os.O_RDWR); os.dup(0); os.dup(0)
    server = socket.socket(socket.AF_UNIX)
    server.bind("\\0" + mark)
    server.listen(8)
    open("left", "w").close()
    while True: time.sleep(1)
while not os.path.exists("left"): time.sleep(0.01)
"""


def _running_workspaces_are_apart(sandbox: Sandbox) -> str:
    mark, port = secrets.token_hex(8), "47123"
    done: list[Execution] = []
    with sandbox.open({}) as first, sandbox.open({}) as second:
        limits = Limits(wall_s=6.0, cpu_s=5)
        holder = threading.Thread(target=lambda: done.append(python(first, _HOLD, mark, port, limits=limits)))
        holder.start()
        time.sleep(2.0)  # `first` is busy; what it holds is checked below
        said = whole(second, _SEEK, mark[::-1], port)
        still = holder.is_alive()
        holder.join()
        held = whole(first, "import os; print(os.path.exists('held'))")
    expect(still and held == "True", f"nothing was held, so nothing was tested: {done}")
    expect(not said, said)
    return "apart"


def _nothing_is_left_for_the_next(sandbox: Sandbox) -> str:
    mark = secrets.token_hex(8)
    with sandbox.open({}) as workspace:
        done = python(workspace, _SURVIVE, mark)
        left = workspace.collect(["left"]).files
        expect("left" in left, f"no daemon ran, so nothing was tested: {done.exit_code} {done.stderr[-200:]!r}")
        said = whole(workspace, _SEEK, mark[::-1], "47124")
    expect(not said, said)
    return "gone"


CHECKS = [
    Check(
        "running_workspaces_are_apart",
        "processes",
        "a rollout could help, steer or stop another",
        _running_workspaces_are_apart,
    ),
    Check(
        "nothing_is_left_for_the_next",
        "daemons",
        "a daemon four forks deep is a daemon too",
        _nothing_is_left_for_the_next,
    ),
]
