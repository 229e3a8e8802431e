"""File access below a folder that a hostile program has filled: never through a link, never out of it.

Everything here works on descriptors. Linux's openat2 does the whole walk in one call where it exists.
"""

import contextlib
import ctypes
import errno
import os
import stat
from functools import cache
from pathlib import PurePosixPath

from bowerbird.types import mode_of

_SYS_OPENAT2 = 437  # the same number on every architecture
_RESOLVE = 0x02 | 0x04 | 0x08  # NO_MAGICLINKS, NO_SYMLINKS, BENEATH
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def parts_of(path: str) -> tuple[str, ...] | None:
    """The components of a relative path, or None if it is absolute, empty, no file's name, or has `..` in it."""
    pure = PurePosixPath(path)
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return None
    if pure.is_absolute() or not pure.parts or ".." in pure.parts or "\0" in path:
        return None
    return pure.parts


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _openat2(folder: int, path: str, flags: int) -> int:
    how = _OpenHow(flags, 0, _RESOLVE)
    size = ctypes.c_size_t(ctypes.sizeof(how))
    name = ctypes.c_char_p(os.fsencode(path))
    while True:
        got: int = _libc().syscall(ctypes.c_long(_SYS_OPENAT2), ctypes.c_int(folder), name, ctypes.byref(how), size)
        if got >= 0:
            return got
        number = ctypes.get_errno()
        if number not in (errno.EAGAIN, errno.EINTR):  # EAGAIN: a rename raced with the walk
            raise OSError(number, os.strerror(number), path)


@cache
def has_openat2() -> bool:
    """True on Linux 5.6 and newer, unless a container forbids it."""
    here = os.open("/", _FOLDER)
    try:
        os.close(_openat2(here, "proc", os.O_PATH | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in (errno.ENOSYS, errno.EPERM)
    finally:
        os.close(here)
    return True


def open_beneath(folder: int, path: str, flags: int = os.O_RDONLY) -> int:
    """A descriptor of `path` below `folder`; raises OSError, with ELOOP where a link is in the way.

    Never blocks on a FIFO. `path` must be one that `parts_of` accepts.
    """
    flags |= os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    if has_openat2():
        return _openat2(folder, path, flags)
    return open_by_steps(folder, path, flags)


def open_by_steps(folder: int, path: str, flags: int) -> int:
    """The same without openat2: one component at a time, refusing links."""
    *parents, last = parts_of(path) or ("",)
    here = os.dup(folder)
    try:
        for name in parents:
            below = os.open(name, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
        return os.open(last, flags, dir_fd=here)
    except OSError as error:
        if error.errno == errno.ENOTDIR and parents and _is_link_on_the_way(folder, parents):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path) from error
        raise
    finally:
        os.close(here)


def _is_link_on_the_way(folder: int, parents: list[str]) -> bool:
    here = os.dup(folder)
    try:
        for name in parents:
            if stat.S_ISLNK(os.stat(name, dir_fd=here, follow_symlinks=False).st_mode):
                return True
            below = os.open(name, _FOLDER, dir_fd=here)
            os.close(here)
            here = below
    except OSError:
        return False
    finally:
        os.close(here)
    return False


def write_beneath(folder: int, path: str, data: bytes, owner: int | None = None) -> None:
    """Put `data` at `path` as a file of its mode, replacing whatever a hostile program left in the way. Raises OSError.

    `owner`: uid and gid that new files and folders get, or None to leave them.
    """
    *parents, last = parts_of(path) or ("",)
    here = os.dup(folder)
    try:
        open_up(here)
        for name in parents:
            below = _enter_or_make(here, name, owner)
            os.close(here)
            here = below
            open_up(here)
        _replace(here, last, data, owner)
    finally:
        os.close(here)


def open_up(folder: int) -> None:
    """Give us the folder back where its owner, the same user as ours, has locked it."""
    mode = os.fstat(folder).st_mode
    if mode & 0o700 != 0o700:
        os.chmod(f"/proc/self/fd/{folder}", 0o700)  # fchmod does not take a descriptor opened with O_PATH


def _enter_or_make(here: int, name: str, owner: int | None) -> int:
    for _ in range(2):
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=here)
            if owner is not None:
                os.chown(name, owner, owner, dir_fd=here, follow_symlinks=False)
        with contextlib.suppress(NotADirectoryError):
            return _open_folder(here, name)
        os.unlink(name, dir_fd=here)  # a link or a file is in the way
    raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)


def _open_folder(here: int, name: str) -> int:
    """A readable descriptor even of a folder that was made unreadable."""
    try:
        return os.open(name, _FOLDER, dir_fd=here)
    except PermissionError:
        locked = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
        try:
            open_up(locked)
        finally:
            os.close(locked)
        return os.open(name, _FOLDER, dir_fd=here)


def _replace(here: int, name: str, data: bytes, owner: int | None) -> None:
    fresh = f".{os.getpid():x}-{os.urandom(6).hex()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=here)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode_of(data))
            if owner is not None:
                os.fchown(file.fileno(), owner, owner)
        try:
            os.rename(fresh, name, src_dir_fd=here, dst_dir_fd=here)
        except IsADirectoryError:
            remove_tree(here, name)
            os.rename(fresh, name, src_dir_fd=here, dst_dir_fd=here)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh, dir_fd=here)
        raise


def remove_tree(parent: int, name: str) -> None:
    """Remove folder `name` of `parent`, however deep, locked or large. Nothing may be running in it.

    Each folder found is moved up beside `name` and emptied in its turn, so that depth costs neither
    descriptors nor stack (a program can nest folders deeper than any path may be long).
    """
    waiting = [name]
    count, mark = 0, os.urandom(6).hex()
    while waiting:
        current = waiting.pop()
        folder = _open_folder(parent, current)
        try:
            open_up(folder)
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.name, dir_fd=folder)
                        continue
                    count += 1
                    moved = f".gone-{mark}-{count}"
                    os.close(_open_folder(folder, entry.name))  # unlocks it: moving a folder writes to it
                    os.rename(entry.name, moved, src_dir_fd=folder, dst_dir_fd=parent)
                    waiting.append(moved)
        finally:
            os.close(folder)
        try:
            os.rmdir(current, dir_fd=parent)
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            waiting.append(current)  # the listing missed what moved while it was read
