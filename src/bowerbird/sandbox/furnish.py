"""A workspace for a verifier: read-only folders of its own at fixed places, and files that can only be written to.

A mailbox is a pipe in the shape of a file. Its mode lets nobody inside read it, its mount is read-only, so nobody
can remove, replace or change it; what is written there is in our hands at once and cannot be taken back or
overwritten. Whoever opens it or writes a second time is seen to have done so.
"""

import contextlib
import ctypes
import os
import selectors
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from bowerbird.sandbox.box import Mount
from bowerbird.sandbox.protocol import Workspace
from bowerbird.sandbox.workspace import LocalWorkspace
from bowerbird.types import SandboxError

_PIPE = 1 << 16  # what a pipe holds
_MOST_PIECES = 16  # one is right, and more than one is all we need to know
_IN_OPEN = 0x20
_EVENT = struct.Struct("iIII")


@contextlib.contextmanager
def furnished(
    workspace: Workspace, folders: Mapping[str, Mapping[str, bytes]], mailboxes: tuple[str, ...] = ()
) -> Iterator["Mailboxes"]:
    """Give every later command of `workspace` these folders (path inside -> relative name -> content) and mailboxes.

    They take the places of decoys there. A mailbox's own folder can be written to otherwise, like any scratch folder.
    Raises SandboxError, also where the workspace belongs to a back end that cannot do this.
    """
    if not isinstance(workspace, LocalWorkspace):
        raise SandboxError("this back end cannot furnish a workspace, which script tasks need")
    place = workspace.place / "furniture"
    try:
        mounts = []
        place.mkdir(mode=0o711)
        for number, (inside, files) in enumerate(folders.items()):
            _write_folder(place / str(number), files)
            mounts.append(Mount(inside, place / str(number)))
        for parent in dict.fromkeys(str(PurePosixPath(inside).parent) for inside in mailboxes):
            mounts.append(Mount(parent, None))
        boxes = {inside: place / f"box-{number}" for number, inside in enumerate(mailboxes)}
        for inside, box in boxes.items():
            os.mkfifo(box, 0o600)
            mounts.append(Mount(inside, box))
        workspace.box = workspace.box.plus(mounts)
        listening = Mailboxes(boxes)
    except OSError as error:
        raise SandboxError(f"cannot furnish a workspace: {error.strerror}") from error
    with listening:
        yield listening


@dataclass(frozen=True, slots=True)
class Letters:
    """What came into one mailbox: the pieces as they were written, and how often it was opened.

    One honest writer is one opening and one piece. Two that manage both within the microseconds that we take to look
    are seen as one.
    """

    pieces: tuple[bytes, ...] = ()
    openings: int = 0


class Mailboxes:
    """Listens to mailboxes in a thread, from `__enter__` to `__exit__`."""

    def __init__(self, boxes: Mapping[str, Path]) -> None:
        """Take hold of the pipes at `boxes` (path inside -> path here). Raises OSError."""
        self._wake, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._events = -1
        self._pipes: dict[int, str] = {}
        self._watches: dict[int, str] = {}
        self._pieces: dict[str, list[bytes]] = {inside: [] for inside in boxes}
        self._openings = dict.fromkeys(boxes, 0)
        self._thread = threading.Thread(target=self._listen, name="mailboxes", daemon=True)
        libc = ctypes.CDLL(None, use_errno=True)
        try:
            self._events = _checked(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
            for inside, box in boxes.items():
                # Both ends, so that the pipe has no end of its own accord.
                self._pipes[os.open(box, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)] = inside
                self._watches[_checked(libc.inotify_add_watch(self._events, os.fsencode(box), _IN_OPEN))] = inside
                box.chmod(0o222)  # from now on nobody can read it by its name
        except OSError:
            self._close()
            raise

    def letters(self, inside: str) -> Letters:
        """All that came so far. Complete once the block is left, when no process of the sandbox may be there."""
        return Letters(tuple(self._pieces[inside]), self._openings[inside])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        os.write(self._bell, b"x")
        self._thread.join()
        self._close()

    def _listen(self) -> None:
        with selectors.DefaultSelector() as selector:
            for descriptor in (*self._pipes, self._events, self._wake):
                selector.register(descriptor, selectors.EVENT_READ)
            ringing = False
            while not ringing:
                ringing = any(key.fd == self._wake for key, _ in selector.select())
                self._look()

    def _look(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._events, _PIPE)
            for at in range(0, len(data), _EVENT.size):  # names never follow: the watches are on files
                self._openings[self._watches[_EVENT.unpack_from(data, at)[0]]] += 1
        for pipe, inside in self._pipes.items():
            with contextlib.suppress(BlockingIOError):
                data = os.read(pipe, _PIPE)
                if len(self._pieces[inside]) < _MOST_PIECES:
                    self._pieces[inside].append(data)

    def _close(self) -> None:
        for descriptor in (*self._pipes, self._events, self._wake, self._bell):
            if descriptor >= 0:
                os.close(descriptor)


def _checked(got: int) -> int:
    if got < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(mode=0o755)
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
