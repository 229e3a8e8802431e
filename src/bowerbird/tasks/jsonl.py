"""Load HumanEval- and MBPP-shaped JSONL files that a user has on disk, with their asserts turned into oracle cases."""

import ast
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bowerbird.tasks.asserts import called_functions, convert_asserts, convert_doctests
from bowerbird.tasks.loaded import Loaded, TaskSet
from bowerbird.types import Case, JsonValue, TaskError, TaskView, VerifierSpec

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class JsonlReport:
    """What became of a file. `references` holds canonical solutions: they are checked in a sandbox, never run here."""

    tasks: TaskSet
    skipped: Mapping[str, str]  # task id -> why it has no task
    dropped: Mapping[str, int]  # task id -> asserts that could not be converted and are not graded
    references: Mapping[str, str]  # task id -> canonical solution text


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of either shape, brought to one form. `tests` call `called`, which is `entry_point` or "candidate"."""

    task_id: str
    category: str
    instruction: str
    entry_point: str
    called: str
    tests: str
    doctests: str
    reference: str


class _Skip(Exception):
    """The row is well-formed, but no task can be made of it."""


def load_jsonl(path: str | Path) -> JsonlReport:
    """Read one file (`.jsonl`, or `.jsonl.gz`), one object a line.

    HumanEval: task_id, prompt, canonical_solution, test, entry_point. MBPP: task_id, text or prompt, code, test_list.
    Raises TaskError for a line that is of neither shape.
    """
    loaded: list[Loaded] = []
    skipped: dict[str, str] = {}
    dropped: dict[str, int] = {}
    references: dict[str, str] = {}
    for number, line in enumerate(_lines(Path(path)), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        fields = _object(line, where)
        task_id = _task_id(fields, where)
        try:
            row = _humaneval(task_id, fields, where) if "test" in fields else _mbpp(task_id, fields, where)
            task, missed = _task(row)
        except _Skip as reason:
            skipped[task_id] = str(reason)
            continue
        loaded.append(task)
        references[task_id] = row.reference
        if missed:
            dropped[task_id] = missed
    return JsonlReport(TaskSet(loaded, _note(len(loaded), skipped, dropped)), skipped, dropped, references)


def _note(loaded: int, skipped: Mapping[str, str], dropped: Mapping[str, int]) -> str:
    """What of a file is not in its set; empty where all of it is."""
    parts = []
    if skipped:
        first, why = next(iter(skipped.items()))
        parts.append(f"{len(skipped)} of {loaded + len(skipped)} tasks skipped (the first, {first}: {why})")
    if dropped:
        parts.append(f"{sum(dropped.values())} asserts not converted in {len(dropped)} tasks")
    return "; ".join(parts)


def _lines(path: Path) -> list[str]:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return raw.decode("utf-8").split("\n")
    except (OSError, EOFError) as error:
        raise TaskError(f"{path}: cannot be read ({error})") from None
    except UnicodeDecodeError:
        raise TaskError(f"{path}: not UTF-8 text") from None


def _object(line: str, where: str) -> dict[str, JsonValue]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where}: not JSON ({error})") from None
    if not isinstance(fields, dict):
        raise TaskError(f"{where}: must be an object, not {type(fields).__name__}")
    return fields


def _task_id(fields: Mapping[str, JsonValue], where: str) -> str:
    task_id = fields.get("task_id")
    if isinstance(task_id, bool) or not isinstance(task_id, (str, int)) or task_id == "":
        raise TaskError(f"{where}: needs a task_id, a string or an integer")
    return f"mbpp/{task_id}" if isinstance(task_id, int) else task_id


def _string(fields: Mapping[str, JsonValue], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise TaskError(
            f"{where}: needs {name!r}, a string; a HumanEval line has prompt, canonical_solution, test and "
            "entry_point, an MBPP line has text or prompt, code and test_list"
        )
    return value


def _humaneval(task_id: str, fields: Mapping[str, JsonValue], where: str) -> _Row:
    prompt, entry_point = _string(fields, "prompt", where), _string(fields, "entry_point", where)
    return _Row(
        task_id=task_id,
        category="humaneval",
        instruction=f"Write the Python function `{entry_point}`, complete with its imports:\n\n{prompt.strip()}",
        entry_point=entry_point,
        called="candidate",
        tests=_string(fields, "test", where),
        doctests=_docstring(prompt, entry_point),
        reference=prompt + _string(fields, "canonical_solution", where),
    )


def _mbpp(task_id: str, fields: Mapping[str, JsonValue], where: str) -> _Row:
    text = _string(fields, "text" if "text" in fields else "prompt", where).strip()
    code, tests = _string(fields, "code", where), fields.get("test_list")
    if not isinstance(tests, list) or not all(isinstance(test, str) for test in tests):
        raise TaskError(f"{where}: test_list must be a list of strings")
    source = "\n".join(tests)
    try:
        signatures = _signatures(code)
        entry_point = next((name for name in called_functions(source) if name in signatures), None)
    except (SyntaxError, ValueError) as error:
        raise _Skip(f"its code or tests are not Python ({error})") from None
    if entry_point is None:
        raise _Skip("its tests call no function that its code defines")
    return _Row(
        task_id=task_id,
        category="mbpp",
        instruction=f"{text}\nName the function `{entry_point}({signatures[entry_point]})`.",
        entry_point=entry_point,
        called=entry_point,
        tests=source,
        doctests="",
        reference=code,
    )


def _docstring(prompt: str, function: str) -> str:
    """The docstring of `function` in a prompt that breaks off where its body should begin; "" if there is none."""
    for text in (prompt, f"{prompt.rstrip()}\n    pass\n"):
        try:
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        for node in body:
            if isinstance(node, ast.FunctionDef) and node.name == function:
                return ast.get_docstring(node) or ""
    return ""


def _signatures(code: str) -> dict[str, str]:
    """Name -> arguments of the functions that `code` defines at its top level."""
    return {node.name: ast.unparse(node.args) for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}


def _task(row: _Row) -> tuple[Loaded, int]:
    """The task, and how many of its asserts were dropped. Raises _Skip."""
    try:
        converted = convert_asserts(row.tests, row.called)
    except (SyntaxError, ValueError) as error:
        raise _Skip(f"its tests are not Python ({error})") from None
    if not converted.cases:
        raise _Skip(f"none of its {converted.dropped} asserts compares a call with a literal")
    examples = convert_doctests(row.doctests, row.entry_point)
    if not examples and len(converted.cases) > 1:
        examples = converted.cases[:1]
    hidden = tuple(case for case in converted.cases if not any(_same_input(case, shown) for shown in examples))
    if not hidden:
        raise _Skip("all its convertible asserts are already shown as examples in its prompt")
    view = TaskView(row.task_id, row.category, row.instruction, row.entry_point, examples)
    return Loaded(view, VerifierSpec(row.task_id, "oracle", row.entry_point, hidden, TIMEOUT_S)), converted.dropped


def _same_input(a: Case, b: Case) -> bool:
    return json.dumps([a.args, a.kwargs], sort_keys=True) == json.dumps([b.args, b.kwargs], sort_keys=True)
