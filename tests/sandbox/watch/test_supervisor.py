"""The helper's reading of other processes, addresses and bounds, on hostile input."""

import ctypes
import mmap
import os
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.sandbox.watch.supervisor import LONGEST, MOST, Memory, Notes, address


def test_it_reads_a_string_of_another_process():
    text = b"/tests/" + b"x" * 300
    code = "import ctypes, os, sys; b = ctypes.create_string_buffer(os.fsencode(sys.argv[1])); "
    code += "print(ctypes.addressof(b), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, text.decode()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        pointer = int(other.stdout.readline())
        memory = Memory()
        assert memory.text(other.pid, pointer) == text
        assert memory.text(other.pid, pointer + 5) == text[5:]
        other.kill()


def test_it_stops_where_the_memory_stops():
    memory, page = Memory(), mmap.PAGESIZE
    place = mmap.mmap(-1, 3 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(place))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(start + 2 * page), ctypes.c_size_t(page), 0) == 0
    try:
        place[2 * page - 5 : 2 * page] = b"abcd\0"
        assert memory.text(os.getpid(), start + 2 * page - 5) == b"abcd"
        place[2 * page - 5 : 2 * page] = b"abcde"  # no end before the wall
        assert memory.read(os.getpid(), start + 2 * page - 5, 100) == b"abcde"
        assert memory.text(os.getpid(), start + 2 * page) == b""
        place[page - 3 : page + 4] = b"abcdef\0"  # across two pages
        assert memory.text(os.getpid(), start + page - 3) == b"abcdef"
    finally:
        libc.mprotect(ctypes.c_void_p(start + 2 * page), ctypes.c_size_t(page), 3)
    assert memory.text(os.getpid(), 0) == b""
    assert memory.text(os.getpid(), (1 << 64) - 1) == b""
    assert memory.blocked == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (struct.pack("=H", socket.AF_INET) + b"\x1f\x90" + bytes([192, 0, 2, 7]), "inet 192.0.2.7:8080"),
        (struct.pack("=H", socket.AF_INET6) + b"\x00\x35" + bytes(4) + bytes(15) + b"\x01", "inet6 [::1]:53"),
        (struct.pack("=H", socket.AF_UNIX) + b"\0name", "unix @name"),
        (struct.pack("=H", socket.AF_UNIX) + b"/run/docker.sock\0rest", "unix /run/docker.sock"),
        (struct.pack("=H", socket.AF_UNIX) + b"/var/run/nscd/socket\0", None),
        (struct.pack("=H", socket.AF_UNIX) + b"/tmp/own.sock\0", None),
        (struct.pack("=HHI", socket.AF_NETLINK, 0, 0), None),
        (struct.pack("=HHI", socket.AF_UNSPEC, 0, 0), None),
        (struct.pack("=HHI", 40, 0, 2), "family 40"),
        (b"\x02", None),
    ],
)
def test_addresses_in_words(data, words):
    assert address(data) == words


@given(st.binary(max_size=128))
def test_any_address_has_an_answer(data):
    found = address(data)
    assert found is None or found.split()[0] in {"inet", "inet6", "unix", "family"}


def test_notes_are_bounded_and_counted():
    notes = Notes()
    for number in range(MOST + 7):
        notes.add("opened", f"/tests/{number}")
        notes.add("opened", "/tests/0")
    notes.add("executed", "/x/" + "y" * 1000 + "\udcff")
    assert len(notes.lists["opened"]) == MOST
    assert notes.lost == 7
    (long,) = notes.lists["executed"]
    assert len(long) == LONGEST


@given(st.text())
def test_notes_can_always_be_written_down(text):
    notes = Notes()
    notes.add("opened", os.fsdecode(text.encode("utf-8", "surrogatepass")))
    next(iter(notes.lists["opened"])).encode()
