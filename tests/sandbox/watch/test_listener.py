"""The reporting filter, run by a small BPF machine for both architectures, and its installation on a thread."""

import os
import struct
import threading

import pytest

from bowerbird.sandbox.watch import listener
from bowerbird.sandbox.watch.listener import AUDIT, install_listener, watch_filter
from bowerbird.sandbox.watch.supervisor import CALLS
from bowerbird.types import SandboxError

ALLOW, NOTIFY = 0x7FFF0000, 0x7FC00000
NUMBERS = {
    "x86_64": {"read": 0, "open": 2, "openat": 257, "openat2": 437, "creat": 85, "execve": 59, "execveat": 322,
               "connect": 42, "sendto": 44, "sendmsg": 46, "stat": 4, "clone": 56},
    "aarch64": {"read": 63, "openat": 56, "openat2": 437, "execve": 221, "execveat": 281, "connect": 203,
                "sendto": 206, "sendmsg": 211, "fstat": 80, "clone": 220},
}  # fmt: skip


def verdict(architecture, name, *args, audit=None):
    """What the filter returns for one call."""
    number = NUMBERS[architecture][name]
    data = struct.pack("<IIQ6Q", number, audit or AUDIT[architecture], 0, *args, *[0] * (6 - len(args)))
    code = list(struct.iter_unpack("<HBBI", watch_filter(architecture)))
    at, accumulator = 0, 0
    while True:
        operation, then, other, k = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif operation == 0x06:
            return k
        else:
            at += then if {0x15: accumulator == k, 0x45: bool(accumulator & k)}[operation] else other


@pytest.fixture(params=sorted(CALLS))
def architecture(request):
    return request.param


def test_what_matters_is_reported(architecture):
    for name in set(NUMBERS[architecture]) - {"read", "stat", "fstat", "clone", "sendto"}:
        assert verdict(architecture, name) == NOTIFY, name
    assert {NUMBERS[architecture][n] for n in NUMBERS[architecture]} & set(CALLS[architecture])


def test_the_rest_goes_through(architecture):
    for name in set(NUMBERS[architecture]) & {"read", "stat", "fstat", "clone"}:
        assert verdict(architecture, name) == ALLOW
    assert verdict(architecture, "openat", audit=0x40000003) == ALLOW  # another table: the other filter kills it


def test_sendto_only_with_an_address(architecture):
    assert verdict(architecture, "sendto", 3, 1, 1, 0, 0, 0) == ALLOW
    for address in (1, 1 << 32, 0x7FFF00000000):
        assert verdict(architecture, "sendto", 3, 1, 1, 0, address, 16) == NOTIFY


def test_naming_a_file_is_no_open(architecture):
    assert verdict(architecture, "openat", 0, 1, os.O_PATH | os.O_CLOEXEC) == ALLOW
    assert verdict(architecture, "openat", 0, 1, os.O_RDWR | os.O_CREAT | os.O_DIRECTORY) == NOTIFY


def on_a_thread(action):
    """What `action` returned or raised, on a thread that may be spoilt by it."""
    found = []

    def live():
        try:
            found.append(action())
        except SandboxError as error:
            found.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_gets_one_and_only_that_thread():
    descriptor = on_a_thread(install_listener)
    assert isinstance(descriptor, int), descriptor
    try:
        assert not os.get_inheritable(descriptor)
        os.close(os.open("/", os.O_RDONLY))  # would hang, were this thread under the filter
    finally:
        os.close(descriptor)


def test_a_second_one_is_refused_with_a_hint():
    def both():
        first = install_listener()
        try:
            return install_listener()
        finally:
            os.close(first)

    error = on_a_thread(both)
    assert isinstance(error, SandboxError)
    assert "itself watched by seccomp" in str(error)


def test_an_unknown_machine_is_refused(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "m68k")
    listener._program.cache_clear()
    try:
        with pytest.raises(SandboxError, match="m68k"):
            install_listener()
    finally:
        listener._program.cache_clear()
