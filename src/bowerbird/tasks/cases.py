"""Cases as JSON: the form of `tests/cases.json` (hidden) and `environment/examples.json` (visible)."""

import json
from collections.abc import Iterable

from bowerbird.types import Case, JsonValue, TaskError


def cases_to_json(cases: Iterable[Case]) -> str:
    """One case a line: `{"args": [...], "expected": ...}`, with `kwargs` where there are any."""
    lines = []
    for case in cases:
        row: dict[str, JsonValue] = {"args": list(case.args)}
        if case.kwargs:
            row["kwargs"] = dict(case.kwargs)
        lines.append(json.dumps({**row, "expected": case.expected}))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def cases_from_json(text: str, source: str) -> tuple[Case, ...]:
    """Read the form above; `source` names the file in errors. Raises TaskError."""
    try:
        rows = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{source}: not JSON ({error}); it must be a list of {{args, expected}} objects") from None
    return cases_from_rows(rows, source)


def cases_from_rows(rows: JsonValue, source: str) -> tuple[Case, ...]:
    """Cases from parsed JSON or TOML. Raises TaskError that names the row."""
    if not isinstance(rows, list):
        raise TaskError(f"{source}: must be a list of {{args, expected}} objects, not {type(rows).__name__}")
    return tuple(_case(row, f"{source}, case {number}") for number, row in enumerate(rows, start=1))


def _case(row: JsonValue, source: str) -> Case:
    if not isinstance(row, dict) or "expected" not in row or not isinstance(row.get("args"), list):
        raise TaskError(f'{source}: must be an object with "args" (a list) and "expected"')
    unknown = sorted(set(row) - {"args", "kwargs", "expected"})
    if unknown:
        raise TaskError(f'{source}: unknown key {unknown[0]!r}; a case has "args", "kwargs" and "expected"')
    kwargs = row.get("kwargs", {})
    if not isinstance(kwargs, dict):
        raise TaskError(f'{source}: "kwargs" must be an object')
    return Case(args=tuple(row["args"]), expected=row["expected"], kwargs=kwargs)


def _no_constant(name: str) -> JsonValue:
    tag = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[name]
    raise ValueError(f'{name} is not JSON; write {{"$float": "{tag}"}}')
