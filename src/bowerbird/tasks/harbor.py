"""Load Harbor task directories: `task.toml`, `instruction.md`, `environment/`, `tests/`, `solution/`.

Which verifier a task gets stands in its `[metadata.bowerbird]` table as `kind`:

    oracle (the default)  hidden cases in `tests/cases.json`, examples in `environment/examples.json`
    pytest                files below `tests/`; `expected_tests` lists every id that must be seen passing, `canaries`
                          ids that must fail; `isolation = "none"` where a test must import the answer into its process
    script                `tests/test.sh`, run by the sandbox's own python3 and tools, writes the reward

Any other Harbor directory loads as kind "script" too, but for an image of its own: it can be listed and not graded
until `images` has written it anew. Nothing under `tests/` or `solution/` ever reaches a TaskView.
"""

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from pathlib import Path, PurePosixPath

from bowerbird.tasks.cases import cases_from_json, cases_from_rows
from bowerbird.tasks.fields import files_below, flag, names, number, read_text, string, submission_paths, table, words
from bowerbird.tasks.loaded import Loaded, TaskSet
from bowerbird.types import Case, JsonValue, TaskError, TaskView, VerifierSpec

KEYS = (
    "kind",
    "task_id",
    "entry_point",
    "category",
    "difficulty",
    "submission",
    "timeout_s",
    "examples",
    "visible_tests",
    "requirements",
    "git",
    "image",
    "folder",
)
PYTEST_KEYS = ("expected_tests", "canaries", "isolation")
TIMEOUT_S = {"oracle": 5.0, "pytest": 30.0, "script": 60.0}
LEVELS = {"easy": 0.25, "medium": 0.5, "hard": 0.75}
CANARY = re.compile(r"<!--.*canary.*-->|#.*canary.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a task's author wrote to check it. For the project's own checks, never for a rollout."""

    solution: str | None  # solution/solution.py
    cheats: Mapping[str, str] = field(default_factory=dict)  # file name -> text of solution/cheats/*.py
    files: Mapping[str, bytes] = field(default_factory=dict)  # solution/files/, for tasks of more than one file


def load_tasks(directory: str | Path) -> TaskSet:
    """Every task directory at or below `directory`, hidden folders aside. Raises TaskError."""
    root = Path(directory)
    if not root.is_dir():
        raise TaskError(f"{root}: no such directory of tasks")
    found = task_folders(root)
    if not found:
        raise TaskError(f"{root}: no task.toml at or below it; a task is a directory that holds one")
    return TaskSet(load_task(path) for path in found)


def load_task(path: str | Path) -> Loaded:
    """One task directory. Raises TaskError that names the file and says how to mend it."""
    root = Path(path)
    settings = settings_of(root)
    metadata = table(settings, "metadata", root)
    ours = metadata.get("bowerbird")
    if ours is None:
        return _plain_task(root, settings, metadata)
    if not isinstance(ours, dict):
        raise TaskError(f"{root / 'task.toml'}: [metadata.bowerbird] must be a table")
    return _own_task(root, settings, ours)


def load_reference(path: str | Path) -> Reference:
    """The author's solution and cheats, as far as the directory has them. Raises TaskError for undecodable text."""
    folder = Path(path) / "solution"
    solution = folder / "solution.py"
    cheats = sorted((folder / "cheats").glob("*.py"))
    return Reference(
        solution=read_text(solution) if solution.is_file() else None,
        cheats={cheat.name: read_text(cheat) for cheat in cheats},
        files=files_below(folder / "files", Path(path)),
    )


def submission_note(submission: tuple[str, ...]) -> str:
    """The last paragraph of instruction.md that tells agents outside Bowerbird where the answer goes."""
    return f"Write it to {', '.join(f'`{name}`' for name in submission)} in the working directory."


def task_folders(root: Path) -> list[Path]:
    """Task directories at or below `root`: hidden folders and links aside."""
    if (root / "task.toml").is_file():
        return [root]
    found = []
    for child in sorted(root.iterdir()):
        if child.is_dir() and not child.is_symlink() and not child.name.startswith("."):
            found.extend(task_folders(child))
    return found


def settings_of(root: Path) -> dict[str, JsonValue]:
    """What stands in a task's task.toml. Raises TaskError."""
    path = root / "task.toml"
    if not path.is_file():
        raise TaskError(f"{path}: missing; every task directory needs one")
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{path}: not TOML ({error})") from None


def _own_task(root: Path, settings: Mapping[str, JsonValue], ours: Mapping[str, JsonValue]) -> Loaded:
    where = f"{root / 'task.toml'}, [metadata.bowerbird]"
    kind = ours.get("kind", "oracle")
    if kind not in TIMEOUT_S:
        raise TaskError(f"{where}: kind {kind!r} is not known; use one of {', '.join(TIMEOUT_S)}, or remove the table")
    known = KEYS + (PYTEST_KEYS if kind == "pytest" else ())
    unknown = sorted(set(ours) - set(known))
    if unknown:
        raise TaskError(f"{where}: unknown key {unknown[0]!r}; known ones for kind {kind!r}: {', '.join(known)}")
    entry_point = ours.get("entry_point", None if kind == "oracle" else "")
    named = isinstance(entry_point, str) and entry_point.isidentifier() and not iskeyword(entry_point)
    if not named and (entry_point != "" or kind == "oracle"):
        raise TaskError(f"{where}: entry_point must be the name of the function to write, not {entry_point!r}")
    submission = submission_paths(ours.get("submission", ["solution.py"]), where)
    view = TaskView(
        task_id=_task_id(root, settings, ours),
        category=string(ours.get("category", "uncategorised"), "category", where),
        instruction=_instruction(root).removesuffix(submission_note(submission)).rstrip(),
        entry_point=entry_point,
        examples=_examples(root, ours, where),
        submission=submission,
        difficulty=number(ours.get("difficulty", 0.5), "difficulty", where, 0.0, 1.0),
        workspace=files_below(root / "environment" / "workspace", root),
        visible=words(ours.get("visible_tests", []), "visible_tests", where),
        git=flag(ours.get("git", False), "git", where),
        requirements=_requirements(root, ours, where),
        image=string(ours["image"], "image", where) if "image" in ours else "",
        folder=_folder(ours, where),
    )
    spec = VerifierSpec(
        task_id=view.task_id,
        kind=kind,
        entry_point=entry_point,
        cases=_hidden_cases(root) if kind == "oracle" else (),
        timeout_s=number(ours.get("timeout_s", TIMEOUT_S[kind]), "timeout_s", where, 0.01, 3600.0),
        files={} if kind == "oracle" else _private_files(root, view),
        requirements=view.requirements,
        image=view.image,
        folder=view.folder,
    )
    if kind == "pytest":
        spec = _with_tests(spec, submission, ours, where)
    elif kind == "script" and "tests/test.sh" not in spec.files:
        raise TaskError(f"{root / 'tests' / 'test.sh'}: missing; it grades a task of kind 'script'")
    return Loaded(view, spec)


def _requirements(root: Path, ours: Mapping[str, JsonValue], where: str) -> str:
    """The text of the file that the task names, relative to environment/."""
    if "requirements" not in ours:
        return ""
    name = string(ours["requirements"], "requirements", where)
    path = root / "environment" / name
    if not path.resolve().is_relative_to(root.resolve()) or not path.is_file():
        raise TaskError(f"{where}: requirements {name!r} is no file below environment/")
    return read_text(path)


def _folder(ours: Mapping[str, JsonValue], where: str) -> str:
    folder = string(ours["folder"], "folder", where) if "folder" in ours else ""
    if "image" in ours and ours.get("kind") != "script":
        raise TaskError(f"{where}: only a task of kind 'script' can have an image")
    if folder and ("image" not in ours or not folder.startswith("/") or folder.strip("/") in ("", "work")):
        raise TaskError(f"{where}: folder {folder!r} must be an absolute path in the image, other than / and /work")
    return folder.rstrip("/")


def _hidden_cases(root: Path) -> tuple[Case, ...]:
    hidden = root / "tests" / "cases.json"
    if not hidden.is_file():
        raise TaskError(f"{hidden}: missing; it holds the hidden cases of an oracle task")
    cases = cases_from_json(read_text(hidden), str(hidden))
    if not cases:
        raise TaskError(f"{hidden}: no hidden cases, so anything would pass; add some")
    return cases


def _private_files(root: Path, view: TaskView) -> dict[str, bytes]:
    """The tests, and the workspace as the author left it: what a candidate did to it does not reach a verifier."""
    files = files_below(root / "tests", root, "tests/")
    return files | {f"workspace/{name}": data for name, data in view.workspace.items()}


def _with_tests(
    spec: VerifierSpec, submission: tuple[str, ...], ours: Mapping[str, JsonValue], where: str
) -> VerifierSpec:
    expected = names(ours.get("expected_tests", []), "expected_tests", where)
    canaries = names(ours.get("canaries", []), "canaries", where)
    isolation = ours.get("isolation", "process")
    if not expected:
        raise TaskError(f"{where}: expected_tests is missing; list the id of every test, as 'test_x.py::test_name'")
    if isolation not in ("process", "none"):
        raise TaskError(f"{where}: isolation must be 'process' or 'none', not {isolation!r}")
    if both := set(expected) & set(canaries):
        raise TaskError(f"{where}: {min(both)!r} cannot be expected to pass and be a canary, which must fail")
    for test in (*expected, *canaries):
        file, separator, _ = test.partition("::")
        if not separator or f"tests/{file}" not in spec.files:
            raise TaskError(f"{where}: {test!r} is no id of a test below tests/; write 'test_x.py::test_name'")
    for path in submission:
        if PurePosixPath(path).parts[0].removesuffix(".py") in sys.stdlib_module_names:
            raise TaskError(f"{where}: submission {path!r} has the name of a module of Python's own; choose another")
    return replace(spec, expected_tests=expected, canaries=canaries, isolation=isolation)


def _plain_task(root: Path, settings: Mapping[str, JsonValue], metadata: Mapping[str, JsonValue]) -> Loaded:
    """A plain Harbor task. The build context is private too: an image need not copy all of it."""
    where = str(root / "task.toml")
    verifier = table(settings, "verifier", root)
    steps = _steps(root, settings)
    files = files_below(root / "tests", root, "tests/")
    for step in steps:
        files |= files_below(step / "tests", root, f"steps/{step.name}/tests/")
    if not files and "environment" not in verifier and not steps:
        raise TaskError(f"{root / 'tests'}: no files; a Harbor task needs tests/test.sh")
    files |= files_below(root / "environment", root, "environment/")
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
    timeout_s = number(verifier.get("timeout_sec", 600.0), "[verifier] timeout_sec", where, 0.01, float("inf"))
    return Loaded(view, VerifierSpec(task_id, "script", "", (), timeout_s, files, isolation="image"))


def _steps(root: Path, settings: Mapping[str, JsonValue]) -> list[Path]:
    """Folders of a multi-step task in the order of its `[[steps]]`; empty for other tasks."""
    steps = settings.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(s, dict) and isinstance(s.get("name"), str) for s in steps):
        raise TaskError(f"{root / 'task.toml'}: every [[steps]] entry needs a name")
    return [root / "steps" / step["name"] for step in steps]


def _task_id(root: Path, settings: Mapping[str, JsonValue], ours: Mapping[str, JsonValue]) -> str:
    """Our own id, else Harbor's `[task] name`, else the folder's name."""
    name = ours.get("task_id", table(settings, "task", root).get("name", root.resolve().name))
    if not isinstance(name, str) or not name.strip():
        raise TaskError(f"{root / 'task.toml'}: the task's id must be a non-empty string, not {name!r}")
    return name


def _instruction(root: Path) -> str:
    path = root / "instruction.md"
    if not path.is_file():
        raise TaskError(f"{path}: missing; it tells the model what to do")
    lines = read_text(path).split("\n")
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
    return cases_from_json(read_text(path), str(path)) if path.is_file() else ()
