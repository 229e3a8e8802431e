"""Take declared files out of a workspace that a hostile program has filled."""

import errno
import os
import stat
from collections.abc import Callable, Collection

from bowerbird.sandbox.beneath import parts_of
from bowerbird.sandbox.protocol import Collected
from bowerbird.types import SandboxError, with_mode

_KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.EBADF)  # this machine's trouble, no one's fault


class _Odd(Exception):
    """What is wrong with a file."""


def collect_files(open_file: Callable[[str], int], paths: Collection[str], max_bytes: int) -> Collected:
    """Read `paths`. `open_file` opens one as `open_beneath` does: no link followed, nothing waited for.

    Only regular files with one link and at most `max_bytes` bytes come out, and of their modes only whether they may be
    executed; anything else is an anomaly ("solution.py: symbolic link"). A file that does not exist is in neither: not
    to write is no attack. Raises SandboxError when this machine is out of descriptors or memory.
    """
    files: dict[str, bytes] = {}
    anomalies: list[str] = []
    for path in paths:
        try:
            files[path] = _take(open_file, path, max_bytes)
        except FileNotFoundError:
            continue
        except _Odd as odd:
            anomalies.append(f"{path}: {odd}")
    return Collected(files, tuple(anomalies))


def _take(open_file: Callable[[str], int], path: str, max_bytes: int) -> bytes:
    if parts_of(path) is None:
        raise _Odd("outside the workspace")
    try:
        descriptor = open_file(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _OURS:
            raise SandboxError(f"cannot collect {path}: {os.strerror(error.errno or 0)}") from error
        raise _Odd(_reason(error)) from error
    try:
        return _read(descriptor, max_bytes)
    finally:
        os.close(descriptor)


def _read(descriptor: int, max_bytes: int) -> bytes:
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode):
        raise _Odd(_KINDS.get(stat.S_IFMT(facts.st_mode), "not a regular file"))
    if facts.st_nlink != 1:
        raise _Odd("hard link")
    if facts.st_size > max_bytes:
        raise _Odd(f"larger than {max_bytes} bytes")
    data = bytearray()
    while len(data) <= max_bytes and (piece := os.read(descriptor, max_bytes + 1 - len(data))):
        data += piece
    if len(data) > max_bytes:  # it grew while we read
        raise _Odd(f"larger than {max_bytes} bytes")
    return with_mode(bytes(data), facts.st_mode)


def _reason(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.EXDEV):  # EXDEV: would have left the workspace
        return "symbolic link"
    if error.errno == errno.ENXIO:
        return "socket"
    if error.errno == errno.ENOTDIR:
        return "below a file"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "unreadable"
    return os.strerror(error.errno or 0).lower()
