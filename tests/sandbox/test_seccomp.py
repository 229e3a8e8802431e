"""The checked-in filters, run by a small BPF machine: both architectures are tested on either."""

import errno
import struct
from importlib.resources import files

import pytest

from bowerbird.sandbox.seccomp import seccomp_filter
from bowerbird.sandbox.seccomp.generate import ARCHITECTURES

ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x00000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {
        "read": 0, "openat": 257, "execve": 59, "clone": 56, "clone3": 435, "socket": 41, "ioctl": 16, "ptrace": 101,
        "mount": 165, "unshare": 272, "setns": 308, "keyctl": 250, "bpf": 321, "userfaultfd": 323,
        "io_uring_setup": 425, "perf_event_open": 298, "open_by_handle_at": 304, "process_vm_writev": 311,
        "init_module": 175, "kexec_load": 246, "clock_settime": 227, "pivot_root": 155, "move_mount": 429,
        "mount_setattr": 442, "pidfd_getfd": 438, "futex": 202, "mmap": 9,
    },
    "aarch64": {
        "read": 63, "openat": 56, "execve": 221, "clone": 220, "clone3": 435, "socket": 198, "ioctl": 29, "ptrace": 117,
        "mount": 40, "unshare": 97, "setns": 268, "keyctl": 219, "bpf": 280, "userfaultfd": 282,
        "io_uring_setup": 425, "perf_event_open": 241, "open_by_handle_at": 265, "process_vm_writev": 271,
        "init_module": 105, "kexec_load": 104, "clock_settime": 112, "pivot_root": 41, "move_mount": 429,
        "mount_setattr": 442, "pidfd_getfd": 438, "futex": 98, "mmap": 222,
    },
}  # fmt: skip


def verdict(architecture: str, name: str | int, *args: int, audit: int | None = None) -> int:
    """What the filter returns for one syscall."""
    program = files("bowerbird.sandbox.seccomp").joinpath(f"{architecture}.bpf").read_bytes()
    number = name if isinstance(name, int) else NUMBERS[architecture][name]
    padded = [*args, *[0] * (6 - len(args))]
    data = struct.pack("<IIQ6Q", number, AUDIT[architecture] if audit is None else audit, 0, *padded)
    code = list(struct.iter_unpack("<HBBI", program))
    at, accumulator = 0, 0
    while True:
        operation, jump_true, jump_false, k = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif operation == 0x54:
            accumulator &= k
        elif operation == 0x05:
            at += k
        elif operation == 0x06:
            return int(k)
        else:
            holds = {
                0x15: accumulator == k,
                0x25: accumulator > k,
                0x35: accumulator >= k,
                0x45: bool(accumulator & k),
            }[operation]
            at += jump_true if holds else jump_false


@pytest.fixture(params=sorted(ARCHITECTURES))
def architecture(request):
    return request.param


@pytest.mark.parametrize("name", ["read", "openat", "execve", "futex", "mmap"])
def test_ordinary_calls_pass(architecture, name):
    assert verdict(architecture, name) == ALLOW


@pytest.mark.parametrize("name", sorted(set(NUMBERS["x86_64"]) - {
    "read", "openat", "execve", "futex", "mmap", "clone", "clone3", "socket", "ioctl"}))  # fmt: skip
def test_dangerous_calls_are_refused(architecture, name):
    assert verdict(architecture, name) == ERRNO | errno.EPERM


@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
def test_clone_makes_no_namespace(architecture, flag):
    assert verdict(architecture, "clone", flag | 17) == ERRNO | errno.EPERM
    assert verdict(architecture, "clone", 17) == ALLOW
    assert verdict(architecture, "clone", 0x003D0F00) == ALLOW  # a thread
    assert verdict(architecture, "clone3") == ERRNO | errno.ENOSYS


def test_socket_families(architecture):
    allowed = {family for family in range(64) if verdict(architecture, "socket", family) == ALLOW}
    assert allowed == {1, 2, 10, 16}
    assert verdict(architecture, "socket", 40) == ERRNO | errno.EAFNOSUPPORT
    assert (
        verdict(architecture, "socket", (1 << 32) | 40) == ERRNO | errno.EAFNOSUPPORT
    )  # the kernel drops the top half


def test_terminal_injection(architecture):
    for request in (0x5412, 0x541C, (1 << 32) | 0x5412):
        assert verdict(architecture, "ioctl", 0, request) == ERRNO | errno.EPERM
    assert verdict(architecture, "ioctl", 0, 0x5401) == ALLOW


def test_other_call_tables_are_killed(architecture):
    assert verdict(architecture, "read", audit=0x40000003) == KILL  # 32 bit
    if architecture == "x86_64":
        assert verdict(architecture, 0x40000000 | 165) == KILL  # x32


def test_this_machine_has_one():
    assert seccomp_filter()
