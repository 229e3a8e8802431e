"""Load Harbor task directories: `task.toml`, `instruction.md`, `environment/`, `tests/`, `solution/`.

A directory with a `[metadata.bowerbird]` table is an oracle task: its hidden cases are `tests/cases.json`, its
examples `environment/examples.json`. Any other Harbor directory loads as kind "script": its tests and build context
become private files. Nothing under `tests/` or `solution/` ever reaches a TaskView.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from pathlib import Path, PurePosixPath

from bowerbird.tasks.cases import cases_from_json, cases_from_rows
from bowerbird.tasks.loaded import Loaded, TaskSet
from bowerbird.types import Case, JsonValue, TaskError, TaskView, VerifierSpec

KEYS = ("kind", "task_id", "entry_point", "category", "difficulty", "submission", "timeout_s", "examples")
LEVELS = {"easy": 0.25, "medium": 0.5, "hard": 0.75}
CANARY = re.compile(r"<!--.*canary.*-->|#.*canary.*", re.IGNORECASE)
MAX_FILE = 256 << 20


@dataclass(frozen=True, slots=True)
class Reference:
    """What a task's author wrote to check it. For the project's own checks, never for a rollout."""

    solution: str | None  # solution/solution.py
    cheats: Mapping[str, str] = field(default_factory=dict)  # file name -> text of solution/cheats/*.py


def load_tasks(directory: str | Path) -> TaskSet:
    """Every task directory at or below `directory`, hidden folders aside. Raises TaskError."""
    root = Path(directory)
    if not root.is_dir():
        raise TaskError(f"{root}: no such directory of tasks")
    found = _task_directories(root)
    if not found:
        raise TaskError(f"{root}: no task.toml at or below it; a task is a directory that holds one")
    return TaskSet(load_task(path) for path in found)


def load_task(path: str | Path) -> Loaded:
    """One task directory. Raises TaskError that names the file and says how to mend it."""
    root = Path(path)
    settings = _settings(root)
    metadata = _table(settings, "metadata", root)
    ours = metadata.get("bowerbird")
    if ours is None:
        return _script_task(root, settings, metadata)
    if not isinstance(ours, dict):
        raise TaskError(f"{root / 'task.toml'}: [metadata.bowerbird] must be a table")
    return _oracle_task(root, settings, ours)


def load_reference(path: str | Path) -> Reference:
    """The author's solution and cheats, as far as the directory has them. Raises TaskError for undecodable text."""
    folder = Path(path) / "solution"
    solution = folder / "solution.py"
    cheats = sorted((folder / "cheats").glob("*.py"))
    return Reference(
        solution=_text(solution) if solution.is_file() else None,
        cheats={cheat.name: _text(cheat) for cheat in cheats},
    )


def submission_note(submission: tuple[str, ...]) -> str:
    """The last paragraph of instruction.md that tells agents outside Bowerbird where the answer goes."""
    return f"Write it to {', '.join(f'`{name}`' for name in submission)} in the working directory."


def _task_directories(root: Path) -> list[Path]:
    if (root / "task.toml").is_file():
        return [root]
    found = []
    for child in sorted(root.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            found.extend(_task_directories(child))
    return found


def _settings(root: Path) -> dict[str, JsonValue]:
    path = root / "task.toml"
    if not path.is_file():
        raise TaskError(f"{path}: missing; every task directory needs one")
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{path}: not TOML ({error})") from None


def _oracle_task(root: Path, settings: Mapping[str, JsonValue], ours: Mapping[str, JsonValue]) -> Loaded:
    where = f"{root / 'task.toml'}, [metadata.bowerbird]"
    unknown = sorted(set(ours) - set(KEYS))
    if unknown:
        raise TaskError(f"{where}: unknown key {unknown[0]!r}; known ones: {', '.join(KEYS)}")
    if ours.get("kind", "oracle") != "oracle":
        raise TaskError(f"{where}: kind {ours['kind']!r} is not known; use 'oracle', or remove the table")
    entry_point = ours.get("entry_point")
    if not isinstance(entry_point, str) or not entry_point.isidentifier() or iskeyword(entry_point):
        raise TaskError(f"{where}: entry_point must be the name of the function to write, not {entry_point!r}")
    hidden = root / "tests" / "cases.json"
    if not hidden.is_file():
        raise TaskError(f"{hidden}: missing; it holds the hidden cases of an oracle task")
    cases = cases_from_json(_text(hidden), str(hidden))
    if not cases:
        raise TaskError(f"{hidden}: no hidden cases, so anything would pass; add some")
    task_id = _task_id(root, settings, ours)
    submission = _submission(ours.get("submission", ["solution.py"]), where)
    view = TaskView(
        task_id=task_id,
        category=_string(ours.get("category", "uncategorised"), "category", where),
        instruction=_instruction(root).removesuffix(submission_note(submission)).rstrip(),
        entry_point=entry_point,
        examples=_examples(root, ours, where),
        submission=submission,
        difficulty=_number(ours.get("difficulty", 0.5), "difficulty", where, 0.0, 1.0),
        workspace=_files(root / "environment" / "workspace", root),
    )
    timeout_s = _number(ours.get("timeout_s", 5.0), "timeout_s", where, 0.01, 3600.0)
    return Loaded(view, VerifierSpec(task_id, "oracle", entry_point, cases, timeout_s))


def _script_task(root: Path, settings: Mapping[str, JsonValue], metadata: Mapping[str, JsonValue]) -> Loaded:
    """A plain Harbor task. The build context is private too: an image need not copy all of it."""
    where = str(root / "task.toml")
    verifier = _table(settings, "verifier", root)
    steps = _steps(root, settings)
    files = _files(root / "tests", root, "tests/")
    for step in steps:
        files |= _files(step / "tests", root, f"steps/{step.name}/tests/")
    if not files and "environment" not in verifier and not steps:
        raise TaskError(f"{root / 'tests'}: no files; a Harbor task needs tests/test.sh")
    files |= _files(root / "environment", root, "environment/")
    task_id = _task_id(root, settings, {})
    instruction = "\n\n".join(map(_instruction, steps)) if steps else _instruction(root)
    level = metadata.get("difficulty")
    view = TaskView(
        task_id=task_id,
        category=str(metadata.get("category", "uncategorised")),
        instruction=instruction,
        entry_point="",
        examples=(),
        submission=(),
        difficulty=LEVELS.get(level.lower(), 0.5) if isinstance(level, str) else 0.5,
    )
    timeout_s = _number(verifier.get("timeout_sec", 600.0), "[verifier] timeout_sec", where, 0.01, float("inf"))
    return Loaded(view, VerifierSpec(task_id, "script", "", (), timeout_s, files))


def _steps(root: Path, settings: Mapping[str, JsonValue]) -> list[Path]:
    """Folders of a multi-step task in the order of its `[[steps]]`; empty for other tasks."""
    steps = settings.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(s, dict) and isinstance(s.get("name"), str) for s in steps):
        raise TaskError(f"{root / 'task.toml'}: every [[steps]] entry needs a name")
    return [root / "steps" / step["name"] for step in steps]


def _task_id(root: Path, settings: Mapping[str, JsonValue], ours: Mapping[str, JsonValue]) -> str:
    """Our own id, else Harbor's `[task] name`, else the folder's name."""
    name = ours.get("task_id", _table(settings, "task", root).get("name", root.resolve().name))
    if not isinstance(name, str) or not name.strip():
        raise TaskError(f"{root / 'task.toml'}: the task's id must be a non-empty string, not {name!r}")
    return name


def _instruction(root: Path) -> str:
    path = root / "instruction.md"
    if not path.is_file():
        raise TaskError(f"{path}: missing; it tells the model what to do")
    lines = _text(path).split("\n")
    while lines and (not lines[0].strip() or CANARY.fullmatch(lines[0].strip())):
        lines.pop(0)  # Harbor hides leading canary lines from agents, and so do we
    text = "\n".join(lines).strip()
    if not text:
        raise TaskError(f"{path}: empty; it must tell the model what to do")
    return text


def _examples(root: Path, ours: Mapping[str, JsonValue], where: str) -> tuple[Case, ...]:
    if "examples" in ours:
        return cases_from_rows(ours["examples"], f"{where} examples")
    path = root / "environment" / "examples.json"
    return cases_from_json(_text(path), str(path)) if path.is_file() else ()


def _submission(value: JsonValue, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise TaskError(f"{where}: submission must be a list of file names, not {value!r}")
    for name in value:
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts or str(parts) != name or name == ".":
            raise TaskError(f"{where}: submission {name!r} must be a plain path relative to the workspace")
    return tuple(value)


def _files(folder: Path, root: Path, prefix: str = "") -> dict[str, bytes]:
    """Regular files below `folder` by path. Links are followed inside the task directory and refused beyond it."""
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
        files[prefix + path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise TaskError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise TaskError(f"{path}: cannot be read ({error.strerror})") from None


def _table(settings: Mapping[str, JsonValue], name: str, root: Path) -> Mapping[str, JsonValue]:
    table = settings.get(name, {})
    if not isinstance(table, dict):
        raise TaskError(f"{root / 'task.toml'}: [{name}] must be a table")
    return table


def _string(value: JsonValue, name: str, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise TaskError(f"{where}: {name} must be a non-empty string, not {value!r}")
    return value


def _number(value: JsonValue, name: str, where: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise TaskError(f"{where}: {name} must be a number from {low} to {high}, not {value!r}")
    return float(value)
