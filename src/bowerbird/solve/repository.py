"""A user's repository: what is in it, how it differs from what came back, and making it so."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bowerbird.tasks.patch import Change, is_control
from bowerbird.types import ConfigError, Executable, RunError, mode_of, with_mode

FILE_BYTES = 1 << 20  # larger files are no source: they stay out
TOTAL_BYTES = 200 << 20
_SKIPPED = {
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
}


@dataclass(frozen=True, slots=True)
class Repository:
    """The files of a folder by relative path, some `Executable`; `left_out` says which were not taken, and why."""

    root: Path
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


def read_repository(root: Path) -> Repository:
    """What git would look at: tracked and untracked files, ignored ones left out. Without git, all but hidden folders,
    environments and caches. Raises ConfigError where there is no such folder, or too much in it."""
    root = root.resolve()
    if not root.is_dir():
        raise ConfigError(f"{root} is no folder")
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    total = 0
    for name in sorted(_names(root)):
        path = root / name
        if path.is_symlink() or not path.is_file() or not _straight(root, name):
            left_out.append(f"{name}: not a regular file")
        elif (facts := path.stat()).st_size > FILE_BYTES:
            left_out.append(f"{name}: larger than {FILE_BYTES >> 20} MiB")
        else:
            total += facts.st_size
            try:
                files[name] = with_mode(path.read_bytes(), facts.st_mode)
            except OSError as error:
                left_out.append(f"{name}: {error.strerror}")
        if total > TOTAL_BYTES:
            raise ConfigError(f"{root} holds more than {TOTAL_BYTES >> 20} MiB of files: name a folder within it")
    return Repository(root, files, tuple(left_out))


def _names(root: Path) -> list[str]:
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(root),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    try:
        listed = subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return _walked(root)
    return [name for name in listed.stdout.decode("utf-8", "surrogateescape").split("\0") if name]


def _walked(root: Path) -> list[str]:
    found = []
    for folder, below, names in os.walk(root):
        below[:] = [name for name in below if name not in _SKIPPED]
        found += [str((Path(folder) / name).relative_to(root)) for name in names]
    return found


def apply(repository: Repository, change: Change) -> None:
    """Make the change in the user's folder. Raises RunError, before anything is written, where a file there is no
    longer what it was when the work began, or a link leads elsewhere."""
    root = repository.root
    for name in change.files:
        path = root / name
        if is_control(name) or path.is_symlink() or path.is_dir() or not _straight(root, name):
            raise RunError(f"{name}: no place for a file, or a link is in the way; nothing was changed")
        if _digest(path) != _hash(repository.files.get(name)):
            raise RunError(f"{name} has changed since the work began; nothing was written. Save the patch with --patch")
    try:
        for name in [name for name, data in change.files.items() if data is None]:
            (root / name).unlink()
        for name, data in change.files.items():
            if data is not None:
                _write(root / name, data, mode_of(repository.files.get(name)))
    except OSError as error:
        raise RunError(f"the change was applied in part only: {error}") from error


def _write(path: Path, data: bytes, before: int) -> None:
    """A file that is there keeps its mode, whatever it is, but for an executable bit that was not so `before`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        if mode_of(data) != before:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            readers = (mode & 0o444) >> 2  # as chmod would have it: who may read it may execute it
            os.fchmod(file.fileno(), mode | readers if isinstance(data, Executable) else mode & ~0o111)


def _straight(root: Path, name: str) -> bool:
    """Whether no link and no `..` lies on the way to it."""
    inside = PurePosixPath(name)
    return (
        not inside.is_absolute() and ".." not in inside.parts and (root / name).parent.resolve() == root / inside.parent
    )


def _digest(path: Path) -> bytes | None:
    return _hash(path.read_bytes()) if path.is_file() else None


def _hash(data: bytes | None) -> bytes | None:
    return None if data is None else hashlib.sha256(data).digest()
