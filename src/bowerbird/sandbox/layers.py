"""The files of one workspace as the host sees them: a folder of its own, over a base that it shares with others.

    own    what its commands and we have written        ◀── every write goes here
    base   what it started from; nobody writes to it

Commands see both as one, by an overlay that bubblewrap mounts. The host mounts nothing: it looks into both, by the
rules of that file system. A character device 0:0 in the own folder stands for "removed", and a folder with the
attribute `user.overlay.opaque` hides that of the base.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from bowerbird.sandbox.beneath import open_beneath, open_up, parts_of, write_beneath

_OPAQUE = "user.overlay.opaque"
_WALK = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stack:
    """What is to stand on /work: the folder `own`, over `base` where there is one; `scratch` is the overlay's."""

    own: Path
    base: Path | None = None
    scratch: Path | None = None


class Layers:
    """The files below `place`, which belong to `owner`, over the folder `base` where there is one."""

    def __init__(self, place: Path, owner: int | None, base: Path | None = None) -> None:
        """Raises OSError."""
        own, scratch, self._owner = place / "work", place / "overlay", owner
        self.stack = Stack(own) if base is None else Stack(own, base, scratch)
        for folder in (own,) if base is None else (own, scratch):
            folder.mkdir(mode=0o700)
            if owner is not None:
                os.chown(folder, owner, owner)
        self.folder = os.open(own, _FOLDER)
        self._below = os.open(base, _FOLDER) if base is not None else -1

    def open(self, path: str) -> int:
        """As `open_beneath`. Raises OSError."""
        return open_beneath(self._side(parts_of(path) or ("",)), path)

    def write(self, path: str, data: bytes) -> None:
        """As `write_beneath`. Raises OSError."""
        hiding = self._in_the_way(parts_of(path) or ("",)) if self._below >= 0 else None
        write_beneath(self.folder, path, data, self._owner)
        if hiding is not None:  # a folder where something else stood: the base's must not show through it
            fresh = open_beneath(self.folder, hiding, _FOLDER)
            try:
                os.setxattr(fresh, _OPAQUE, b"y")
            finally:
                os.close(fresh)

    def executable(self, path: str) -> bool:
        """Whether a regular file stands there that may be executed; not where we cannot look."""
        try:
            descriptor = self.open(path)
        except OSError:
            return False
        try:
            mode = os.fstat(descriptor).st_mode
            return stat.S_ISREG(mode) and bool(mode & stat.S_IXUSR)
        finally:
            os.close(descriptor)

    def untouched(self, paths: Collection[str]) -> set[str]:
        """Those of `paths` that are still the base's own."""
        if self._below < 0:
            return set()
        written = set(os.listdir(self.folder))
        found = set()
        for path in paths:
            parts = parts_of(path) or ("",)
            with contextlib.suppress(OSError):
                if parts[0] not in written or self._side(parts) == self._below:
                    found.add(path)
        return found

    def close(self) -> None:
        """Let go of the folders."""
        os.close(self.folder)
        if self._below >= 0:
            os.close(self._below)

    def _side(self, parts: Sequence[str]) -> int:
        """The folder in which a path is to be looked up. Raises OSError where it was removed."""
        if self._below < 0:
            return self.folder
        with self._walk() as enter:
            for name in parts:
                if enter.opaque():
                    return self.folder
                kind = enter.kind(name)
                if kind is None:
                    return self._below
                if kind == "removed":
                    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/".join(parts))
                if kind != "folder":
                    return self.folder
                enter.into(name)
        return self.folder

    def _in_the_way(self, parts: Sequence[str]) -> str | None:
        """The first parent of a path that is there and is no folder: what is written takes its place."""
        with self._walk() as enter:
            for number, name in enumerate(parts[:-1]):
                enter.unlock()
                kind = enter.kind(name)
                if kind is None:
                    return None
                if kind != "folder":
                    return "/".join(parts[: number + 1])
                enter.into(name)
        return None

    def _walk(self) -> "_Walk":
        return _Walk(os.open(".", _WALK, dir_fd=self.folder))


class _Walk:
    """Down the own folder, a step at a time, never through a link."""

    def __init__(self, here: int) -> None:
        self._here = here

    def __enter__(self) -> "_Walk":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._here)

    def kind(self, name: str) -> str | None:
        """What stands there: "folder", "removed" or "other"; None: nothing."""
        try:
            facts = os.stat(name, dir_fd=self._here, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if stat.S_ISCHR(facts.st_mode) and facts.st_rdev == 0:
            return "removed"
        return "folder" if stat.S_ISDIR(facts.st_mode) else "other"

    def unlock(self) -> None:
        """Give us the folder back where a command has locked it."""
        open_up(self._here)

    def opaque(self) -> bool:
        """Whether this folder hides the base's."""
        try:
            return os.getxattr(f"/proc/self/fd/{self._here}", _OPAQUE) == b"y"
        except OSError as error:
            if error.errno in (errno.ENODATA, errno.ENOTSUP):
                return False
            raise

    def into(self, name: str) -> None:
        below = os.open(name, _WALK, dir_fd=self._here)
        os.close(self._here)
        self._here = below
