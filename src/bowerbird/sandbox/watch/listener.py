"""The seccomp filter that reports calls, and its installation on the calling thread.

Filters and "no new privileges" belong to a thread and go to the processes that it starts. So a thread of ours
takes the filter, keeps the listener, and starts the sandbox: no code runs inside it, and nothing in it has ever
held the listener.
"""

import ctypes
import errno
import os
import platform
import struct
from functools import cache

from bowerbird.sandbox.watch.supervisor import CALLS
from bowerbird.types import SandboxError

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SYSCALL = {"x86_64": 317, "aarch64": 277}  # seccomp(2)
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: load a word, jump (then, else), return
_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5
_NO_NEW_PRIVS = 38
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument has 8 bytes
# Call number -> which argument holds the flags of an open.
FLAGS = {"x86_64": {2: 1, 257: 2}, "aarch64": {56: 2}}


def watch_filter(architecture: str) -> bytes:
    """The BPF program: report the calls of `supervisor.CALLS` and allow the rest.

    Two kinds are looked into, because they are frequent and tell nothing: sendto without an address, and opens
    that only name a file (O_PATH: half of what builds a sandbox). To read through such a descriptor takes another
    open, which is reported.
    """
    calls = CALLS[architecture]
    allow, report = [(_RETURN, 0, 0, _ALLOW)], [(_RETURN, 0, 0, _NOTIFY)]
    code = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, AUDIT[architecture]), *allow, (_LOAD, 0, 0, _NUMBER)]
    for number, (kind, _, pointer) in calls.items():
        if kind == "sendto":
            low, high = _ARGUMENTS + 8 * pointer, _ARGUMENTS + 8 * pointer + 4
            body = [(_LOAD, 0, 0, low), (_EQUAL, 0, 2, 0), (_LOAD, 0, 0, high), (_EQUAL, 1, 0, 0), *report, *allow]
        elif number in FLAGS[architecture]:
            flags = _ARGUMENTS + 8 * FLAGS[architecture][number]
            body = [(_LOAD, 0, 0, flags), (_ANY_BIT, 1, 0, os.O_PATH), *report, *allow]
        else:
            body = report
        code += [(_EQUAL, 0, len(body), number), *body]
    return b"".join(struct.pack("=HBBI", *line) for line in (*code, *allow))


@cache
def _program() -> tuple[int, bytes]:
    machine = platform.machine()
    if machine not in AUDIT:
        raise SandboxError(f"cannot watch system calls on {machine}")
    return _SYSCALL[machine], watch_filter(machine)


def install_listener() -> int:
    """Put the filter on this thread, for ever, and return the listener. Raises SandboxError.

    From here on every reported call of this thread waits for whoever serves the listener.
    """
    number, program = _program()
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_NO_NEW_PRIVS, *[ctypes.c_ulong(value) for value in (1, 0, 0, 0)]):
        raise SandboxError(f"cannot give up new privileges: {os.strerror(ctypes.get_errno())}")
    for flags in (_NEW_LISTENER | _WAIT_KILLABLE, _NEW_LISTENER):  # the second before Linux 5.19
        arguments = (ctypes.c_long(number), ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(flags))
        listener: int = libc.syscall(*arguments, ctypes.c_char_p(header))
        if listener >= 0:
            return listener
        if ctypes.get_errno() != errno.EINVAL:
            break
    reason = ctypes.get_errno()
    hint = {
        errno.EBUSY: "this process is itself watched by seccomp; start it outside that container",
        errno.EINVAL: "it needs Linux 5.0 or newer with CONFIG_SECCOMP_FILTER",
        errno.ENOSYS: "it needs Linux 5.0 or newer with CONFIG_SECCOMP_FILTER",
    }.get(reason, "a container's own seccomp profile may forbid it")
    raise SandboxError(f"cannot watch system calls: {os.strerror(reason)} ({hint})")
