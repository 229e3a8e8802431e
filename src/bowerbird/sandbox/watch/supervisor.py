"""The helper process that hears of watched system calls and lets every one of them go on.

    kernel: a watched call stops ─▶ we read its path, address or program ─▶ "continue" ─▶ the call goes on

It never refuses a call: this is evidence, the namespaces are the protection. A program with threads can change a
path between our look and the kernel's; it cannot keep us from hearing of the call. If this process dies, the kernel
fails the calls it waited for, so nothing hangs, and the other side hears of it from the closed socket.

Protocol, over one socket: a descriptor comes in with the byte "w"; "s" ends the watch and is answered with one JSON
object. One sandbox at a time. Started as a program of its own, so it imports the standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import gc
import json
import os
import posixpath
import re
import select
import socket
import struct
import sys

from bowerbird.sandbox.watch.places import normal, noted, plain

MOST = 200  # notes of each kind
LONGEST = 240  # characters of a note
_CACHE = 20_000
_PAGE = 4096
_PATH_MAX = 4096
_FIRST = 256  # bytes read of a path at first; few are longer
_HELD = 128  # memories held open
_AT_FDCWD = -100
_RECV, _SEND = 0xC0502100, 0xC0182101
_SET_FLAGS, _SYNC_WAKE_UP = 0x40082104, 1
_CONTINUE = 1
_NOTICE = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")
_EMPTY = bytes(_NOTICE.size)
_GATE = "prlimit"  # what the sandbox starts just before the command: nothing before it is the command's
_DESCRIPTOR = re.compile(r"(?:/proc/(self|thread-self|\d+)(?:/task/\d+)?|/dev)/fd/(\d+)\Z")
_SELF = (None, "self", "thread-self")
_STEADY = (b"/etc/", b"/tmp/", b"/bin/", b"/sbin/", b"/opt/python/", b"/sys/")  # who asks makes no difference
# System call number -> (kind, argument that holds the folder's descriptor or -1, argument that points to the name)
CALLS = {
    "x86_64": {
        2: ("open", -1, 0),
        85: ("open", -1, 0),
        257: ("open", 0, 1),
        437: ("open", 0, 1),
        59: ("exec", -1, 0),
        322: ("exec", 0, 1),
        42: ("connect", -1, 1),
        44: ("sendto", -1, 4),
        46: ("sendmsg", -1, 1),
        307: ("sendmsg", -1, 1),
    },
    "aarch64": {
        56: ("open", 0, 1),
        437: ("open", 0, 1),
        221: ("exec", -1, 0),
        281: ("exec", 0, 1),
        203: ("connect", -1, 1),
        206: ("sendto", -1, 4),
        211: ("sendmsg", -1, 1),
        269: ("sendmsg", -1, 1),
    },
}


class Memory:
    """Reads other processes. `blocked` counts reads that the kernel refused us."""

    def __init__(self) -> None:
        self.blocked = 0
        self._held: dict[int, int] = {}  # process -> descriptor of its memory; -1 where it cannot be opened
        self._buffer = ctypes.create_string_buffer(_PATH_MAX)
        self._local = (ctypes.c_uint64 * 2)(ctypes.addressof(self._buffer), 0)
        self._remote = (ctypes.c_uint64 * 4)()
        libc, word = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong
        self._call = libc.process_vm_readv
        self._call.argtypes = [ctypes.c_int, ctypes.c_void_p, word, ctypes.c_void_p, word, word]
        self._call.restype = ctypes.c_ssize_t

    def text(self, pid: int, pointer: int) -> bytes:
        """The string at `pointer`, without its end."""
        try:  # three times as fast as `read`, and this is what a watched call waits for
            found = os.pread(self._held[pid], _FIRST, pointer)
        except (KeyError, OSError, OverflowError):
            found = self._first(pid, pointer)
        end = found.find(0)
        if end >= 0:
            return found[:end]
        if not found and (held := self._held.pop(pid, -1)) >= 0:
            os.close(held)  # that memory is gone
        return self.read(pid, pointer, _PATH_MAX).partition(b"\0")[0]

    def _first(self, pid: int, pointer: int) -> bytes:
        """The same for a process that we do not hold yet."""
        if len(self._held) >= _HELD:
            self.forget()
        try:
            if pid not in self._held:
                self._held[pid] = -1
                self._held[pid] = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
            return os.pread(self._held[pid], _FIRST, pointer)
        except (OSError, OverflowError):
            return b""

    def forget(self) -> None:
        """Let all memories go: after an exec a process has another one."""
        for descriptor in self._held.values():
            if descriptor >= 0:
                os.close(descriptor)
        self._held.clear()

    def read(self, pid: int, pointer: int, size: int) -> bytes:
        """Up to `size` (at most a page) bytes at `pointer`; fewer, or none, where there is no memory.

        Works for every process, also for one that forbids to open its memory.
        """
        local, remote, head = self._local, self._remote, min(size, _PAGE - pointer % _PAGE)
        local[1] = size
        # In two pieces, because a read stops before a piece that is not all there.
        remote[0], remote[1], remote[2], remote[3] = pointer, head, pointer + head, size - head
        pieces = 2 if head < size else 1
        count = self._call(pid, ctypes.addressof(local), 1, ctypes.addressof(remote), pieces, 0)
        if count < 0:
            self.blocked += ctypes.get_errno() == errno.EPERM
            return b""
        return self._buffer.raw[:count]


class Notes:
    """What one command did, in bounded lists without repeats."""

    def __init__(self) -> None:
        self.lists: dict[str, dict[str, None]] = {"opened": {}, "executed": {}, "connected": {}}
        self.lost = 0

    def add(self, kind: str, text: str) -> None:
        """Note `text` once. What finds no room is counted."""
        kept = self.lists[kind]
        text = text.encode("utf-8", "backslashreplace").decode()
        text = text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
        if text in kept:
            return
        if len(kept) < MOST:
            kept[text] = None
        else:
            self.lost += 1


class Watch:
    """One listener from its first call to its last. `ordinary` remembers, for later watches too, what needs no note."""

    def __init__(self, listener: int, memory: Memory, ordinary: set[bytes]) -> None:
        self.notes = Notes()
        self._listener, self._memory, self._ordinary = listener, memory, ordinary
        self._calls = CALLS[os.uname().machine]
        self._notice, self._answer = bytearray(_NOTICE.size), bytearray(_ANSWER.size)
        self._gate = -1  # the process that started the command; nothing is noted before
        with contextlib.suppress(OSError):  # before Linux 6.6
            fcntl.ioctl(listener, _SET_FLAGS, _SYNC_WAKE_UP)  # wakes the caller on this core, once we sleep

    def step(self) -> bool:
        """Hear of one call, note it and let it go on. False when there was none after all."""
        notice = self._notice
        notice[:] = _EMPTY
        try:
            fcntl.ioctl(self._listener, _RECV, notice)
        except OSError:  # its process was killed meanwhile, or all are gone
            return False
        number, pid, _, call, _, _, *args = _NOTICE.unpack(notice)
        kind, folder, pointer = self._calls[call]
        if self._gate >= 0 or kind == "exec":  # before the gate only programs matter
            try:
                if kind == "open":
                    text = self._memory.text(pid, args[pointer])
                    if not plain(text) and text not in self._ordinary:
                        self._opened(pid, args[folder] if folder >= 0 else _AT_FDCWD, text)
                elif kind == "exec":
                    place = args[folder] if folder >= 0 else _AT_FDCWD
                    self._executed(pid, place, self._memory.text(pid, args[pointer]))
                    self._memory.forget()
                else:
                    self._connected(pid, kind, args)
            except Exception:  # noqa: BLE001 - whatever a hostile program made us trip over, it is counted and goes on
                self.notes.lost += 1
        _ANSWER.pack_into(self._answer, 0, number, 0, 0, _CONTINUE)
        try:  # noqa: SIM105 - suppress() costs as much as the call
            fcntl.ioctl(self._listener, _SEND, self._answer)
        except OSError:  # killed while it waited
            pass
        return True

    def _opened(self, pid: int, folder: int, text: bytes) -> None:
        path = self._whole(pid, folder, text)
        if plain(os.fsencode(path)):
            return
        again = _DESCRIPTOR.match(normal(path))
        if again is not None and (again[1] in _SELF or again[1] in _numbers_inside(pid)):
            # Opens once more what a descriptor holds, which may only have been named so far.
            path = self._base(pid, f"fd/{again[2]}") or path
        note = noted(path, lambda: _numbers_inside(pid))
        if note is not None:
            self.notes.add("opened", note)
        elif text.startswith(_STEADY) and len(text) < _FIRST and len(self._ordinary) < _CACHE:
            self._ordinary.add(text)

    def _executed(self, pid: int, folder: int, text: bytes) -> None:
        ours = posixpath.basename(text) == _GATE.encode()
        if ours and self._gate < 0:
            self._gate, self._memory.blocked = pid, 0  # before, root was still root
        if self._gate >= 0 and not (ours and pid == self._gate):
            self.notes.add("executed", normal(self._whole(pid, folder, text)))

    def _whole(self, pid: int, folder: int, text: bytes) -> str:
        """The absolute path that was asked for, as seen inside."""
        path = text.decode("utf-8", "backslashreplace")
        if path.startswith("/"):
            return path
        descriptor = ctypes.c_int32(folder & 0xFFFFFFFF).value
        base = self._base(pid, "cwd" if descriptor == _AT_FDCWD else f"fd/{descriptor}") or "/work"
        return f"{base}/{path}" if path else base

    def _base(self, pid: int, link: str) -> str | None:
        """What a link of the process in /proc names; None when there is none, and the call will fail."""
        try:
            found = os.readlink(f"/proc/{pid}/{link}")
        except OSError as error:
            self._memory.blocked += error.errno == errno.EACCES
            return None
        return found if found.startswith("/") else None

    def _connected(self, pid: int, kind: str, args: list[int]) -> None:
        if kind == "sendmsg":  # struct msghdr starts with the address and its length
            header = self._memory.read(pid, args[1], 16)
            pointer, size = struct.unpack_from("=QI", header) if len(header) == 16 else (0, 0)
        else:
            pointer, size = (args[1], args[2]) if kind == "connect" else (args[4], args[5])
        if pointer and size:
            note = address(self._memory.read(pid, pointer, min(size & 0xFFFFFFFF, 128)))
            if note is not None:
                self.notes.add("connected", note)


def address(data: bytes) -> str | None:
    """A socket address in words; None for those that lead nowhere (netlink, an ordinary unix socket)."""
    if len(data) < 4:
        return None
    family = struct.unpack_from("=H", data)[0]
    if family == socket.AF_UNIX:
        if data[2] == 0:
            return "unix @" + data[3:].rstrip(b"\0").decode("utf-8", "backslashreplace")
        path = data[2:].partition(b"\0")[0].decode("utf-8", "backslashreplace")
        return f"unix {path}" if path.startswith("/") and noted(path, tuple) is not None else None
    if family == socket.AF_INET and len(data) >= 8:
        return f"inet {socket.inet_ntop(family, data[4:8])}:{int.from_bytes(data[2:4], 'big')}"
    if family == socket.AF_INET6 and len(data) >= 24:
        return f"inet6 [{socket.inet_ntop(family, data[8:24])}]:{int.from_bytes(data[2:4], 'big')}"
    return None if family in (socket.AF_UNSPEC, socket.AF_NETLINK) else f"family {family}"


def _numbers_inside(pid: int) -> set[str]:
    """The numbers that a process and its thread have in their own namespace."""
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
        return {lines["NStgid"].split()[-1], lines["NSpid"].split()[-1]}
    except (OSError, KeyError, IndexError):
        return set()


def _release() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])


def _hung_up(poller: select.poll) -> bool:
    return any(event & select.POLLHUP for _, event in poller.poll(0))


# Since Linux 6.11 a receiver that waits is told when the last watched process is gone.
_RECEIVING_ENDS = _release() >= (6, 11)


def supervise(listener: int, control: socket.socket, memory: Memory, ordinary: set[bytes]) -> dict[str, object]:
    """Serve one listener until the other side says stop or goes away; what was noted."""
    watch = Watch(listener, memory, ordinary)
    poller = select.poll()
    poller.register(listener, select.POLLIN)
    while _RECEIVING_ENDS and (watch.step() or not _hung_up(poller)):
        pass  # one wait less for each call, and this is what sandboxes wait for
    poller.register(control, select.POLLIN)
    going = True
    while going:
        for descriptor, event in poller.poll():
            if descriptor != listener:
                going = False
            elif event & select.POLLIN:
                watch.step()
            else:  # the last process is gone
                poller.unregister(listener)
    lists = {kind: list(kept) for kind, kept in watch.notes.lists.items()}
    return {**lists, "lost": watch.notes.lost + memory.blocked}


def main() -> None:
    """Arguments: the control socket's descriptor, and the user to become (-1: stay)."""
    control, user = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    if user >= 0:  # the processes we read run as this user; nothing here needs root
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    gc.disable()
    memory, ordinary = Memory(), set[bytes]()
    control.sendall(b"r")
    while True:
        word, listeners, _, _ = socket.recv_fds(control, 1, 1)
        if word != b"w" or not listeners:
            return
        found = supervise(listeners[0], control, memory, ordinary)
        os.close(listeners[0])
        memory.forget()
        if control.recv(1) != b"s":
            return
        control.sendall(json.dumps(found).encode() + b"\n")


if __name__ == "__main__":
    main()
