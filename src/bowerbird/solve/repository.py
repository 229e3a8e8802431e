"""A user's repository: what is in it, how it differs from what came back, and making it so."""

import difflib
import hashlib
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from bowerbird.types import ConfigError, RunError

FILE_BYTES = 1 << 20  # larger files are no source: they stay out
TOTAL_BYTES = 200 << 20
_CONTROL = {".git", ".hg", ".svn"}
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
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
    """The files of a folder by relative path; `left_out` says which were not taken, and why."""

    root: Path
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """New content by path; None where a file is gone."""

    files: Mapping[str, bytes | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.files)


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
        elif (size := path.stat().st_size) > FILE_BYTES:
            left_out.append(f"{name}: larger than {FILE_BYTES >> 20} MiB")
        else:
            total += size
            try:
                files[name] = path.read_bytes()
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


def changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Change:
    """What is different in `after`."""
    files: dict[str, bytes | None] = {name: data for name, data in after.items() if before.get(name) != data}
    return Change(files | {name: None for name in before if name not in after})


def unified(before: Mapping[str, bytes], change: Change) -> str:
    """As a patch that `git apply` takes, binary files named only."""
    parts = []
    for name in sorted(change.files):
        new, old = change.files[name], before.get(name)
        try:
            lines = [_LINES.findall((data or b"").decode()) for data in (old, new)]
        except UnicodeDecodeError:
            parts.append(f"Binary file {name} differs\n")
            continue
        if lines[0] == lines[1]:  # a file that is empty
            parts.append(f"Empty file {name} {'is gone' if new is None else 'is new'}\n")
            continue
        source, target = ("/dev/null" if data is None else f"{side}/{name}" for side, data in (("a", old), ("b", new)))
        parts += [_ended(line) for line in difflib.unified_diff(lines[0], lines[1], source, target)]
    return "".join(parts)


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


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
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(data)  # its mode stays
    except OSError as error:
        raise RunError(f"the change was applied in part only: {error}") from error


def is_control(name: str) -> bool:
    """Whether a path lies in a folder of version control: no work of an agent's belongs there."""
    return bool(_CONTROL & set(PurePosixPath(name).parts))


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
