"""Fields of a task directory, read with complaints that name the place and say how to mend it."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from bowerbird.types import WHOLE, JsonValue, TaskError, with_mode

MAX_FILE = 256 << 20


def words(value: JsonValue, name: str, where: str) -> tuple[str, ...]:
    """A list of non-empty strings. Raises TaskError."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise TaskError(f"{where}: {name} must be a list of strings, not {value!r}")
    return tuple(value)


def names(value: JsonValue, name: str, where: str) -> tuple[str, ...]:
    """A list of non-empty strings without repeats. Raises TaskError."""
    found = words(value, name, where)
    if len(set(found)) != len(found):
        raise TaskError(f"{where}: {name} names something twice")
    return found


def submission_paths(value: JsonValue, where: str) -> tuple[str, ...]:
    """Declared files: plain relative paths, or "*" alone for all that differ. Raises TaskError."""
    if value == ["*"]:
        return WHOLE
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise TaskError(f"{where}: submission must be a list of file names, not {value!r}")
    for name in value:
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or str(parts) != name or name == ".":
            raise TaskError(f"{where}: submission {name!r} must be a plain path relative to the workspace")
    return tuple(value)


def files_below(folder: Path, root: Path, prefix: str = "") -> dict[str, bytes]:
    """Regular files below `folder` by path, some `Executable`. Links are followed inside the task directory and refused
    beyond it."""
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if not path.is_file():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise TaskError(f"{path}: links to a place outside the task directory; copy the file in")
        if path.stat().st_size > MAX_FILE:
            raise TaskError(
                f"{path}: larger than {MAX_FILE >> 20} MiB; tasks are read into memory, fetch it in the image"
            )
        files[prefix + path.relative_to(folder).as_posix()] = with_mode(path.read_bytes(), path.stat().st_mode)
    return files


def read_text(path: Path) -> str:
    """The file as UTF-8. Raises TaskError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise TaskError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise TaskError(f"{path}: cannot be read ({error.strerror})") from None


def table(settings: Mapping[str, JsonValue], name: str, root: Path) -> Mapping[str, JsonValue]:
    """A table of task.toml, empty where there is none. Raises TaskError."""
    found = settings.get(name, {})
    if not isinstance(found, dict):
        raise TaskError(f"{root / 'task.toml'}: [{name}] must be a table")
    return found


def string(value: JsonValue, name: str, where: str) -> str:
    """A non-empty string. Raises TaskError."""
    if not isinstance(value, str) or not value:
        raise TaskError(f"{where}: {name} must be a non-empty string, not {value!r}")
    return value


def flag(value: JsonValue, name: str, where: str) -> bool:
    """True or false. Raises TaskError."""
    if not isinstance(value, bool):
        raise TaskError(f"{where}: {name} must be true or false, not {value!r}")
    return value


def number(value: JsonValue, name: str, where: str, low: float, high: float) -> float:
    """A number from `low` to `high`. Raises TaskError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise TaskError(f"{where}: {name} must be a number from {low} to {high}, not {value!r}")
    return float(value)
