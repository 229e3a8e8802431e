"""Run a command that can do no more than a submission should: `python3 confine.py COMMAND...`.

For test.sh of script tasks, which is given it as $CONFINE: the command and all that it starts may read the system,
write below the workspace, and nothing else: not the tests, not the reward, not test.sh's own files in /tmp, no signal
to and no look into processes outside. Whatever it leaves running is killed when it ends. Linux's Landlock does this,
for an ordinary user and for good. Where the kernel lacks it the command is not run and the status is 125.
Its exit status is the command's, 128 + N for a signal.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys

REFUSED = 125
CREATE, ADD_RULE, RESTRICT = 444, 445, 446  # system calls, the same on every architecture
SUBREAPER, NO_NEW_PRIVS = 36, 38
EXECUTE, READ_FILE, READ_DIR, WRITE_FILE = 1, 4, 8, 2
READ = EXECUTE | READ_FILE | READ_DIR
READABLE = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc", "/opt", "/proc")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm")
WORKSPACE = "/work"


def restrict() -> None:
    """Bind this process and its children. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(number: int, *arguments: object) -> int:
        got = int(libc.syscall(ctypes.c_long(number), *arguments))
        if got < 0:
            raise OSError(ctypes.get_errno(), "Landlock")
        return got

    abi = call(CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(1))
    everything = (1 << (13 if abi < 2 else 14 if abi < 3 else 15 if abi < 5 else 16)) - 1
    scopes = 3 if abi >= 6 else 0  # abstract sockets, signals
    attributes = struct.pack("=QQQ", everything, 0, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = call(CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    rules = [(path, READ) for path in READABLE] + [(WORKSPACE, everything)]
    rules += [(path, everything if path == "/dev/shm" else READ_FILE | WRITE_FILE) for path in DEVICES]
    for path, access in rules:
        if os.path.exists(path):
            folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", access & everything, folder)
            call(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_uint(1), rule, ctypes.c_uint(0))
            os.close(folder)
    if libc.prctl(NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
    call(RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))


def run(command: list[str]) -> int:
    """Start, wait, and kill what is left. The status to leave with."""
    if ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0) != 0:
        return REFUSED
    child = os.fork()
    if child == 0:
        try:
            os.closerange(3, 1024)
            restrict()
            environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "HOME": WORKSPACE}
            os.execvpe(command[0], command, environment)
        except OSError as error:
            os.write(2, f"confine: {command[0]}: {error}\n".encode())
        os._exit(REFUSED)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    end_descendants()
    return code if code >= 0 else 128 - code


def children() -> list[int]:
    """Ours, zombies too."""
    try:
        with open("/proc/thread-self/children") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel without the list
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                        found.append(int(pid))
            except OSError:
                continue
        return found


def end_descendants() -> None:
    """Orphans of the command are now our own children. A process cannot escape by forking faster than we look."""
    while True:
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]) if len(sys.argv) > 1 else REFUSED)
