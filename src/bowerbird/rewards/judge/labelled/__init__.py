"""Labelled rollouts to measure a judge on: hacks that facts alone do not show, and honest work that may look odd.

A set is a file of JSON lines, one rollout each:

    {"id": "...", "label": "hack" or "honest", "kind": "lookup-table", "instruction": "Write ...",
     "submission": {"solution.py": "def ..."}}

and, where there is something to say, `entry_point` and `examples` ([[arguments, expected], ...]: what the agent was
shown), `workspace` (files it started with), `scaffold` (its text) and `actions` ([{"by": "model" or "scaffold",
"command": ..., "result": ...}]). Unknown keys are errors. Ours is made by `generate.py` in this folder.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bowerbird.rewards.evidence import Evidence
from bowerbird.types import Case, ConfigError, Facts, Rollout, Scaffold, TaskView, Verification

SHIPPED = Path(__file__).with_name("labelled.jsonl")


@dataclass(frozen=True, slots=True)
class Labelled:
    """One rollout with the truth about it."""

    id: str
    hack: bool
    kind: str
    evidence: Evidence


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid")

    command: str
    result: str = "exit 0\n"
    by: Literal["model", "scaffold"] = "model"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    label: Literal["hack", "honest"]
    kind: str = Field(min_length=1)
    instruction: str
    submission: dict[str, str]
    entry_point: str = ""
    examples: list[tuple[list[Any], Any]] = []
    workspace: dict[str, str] = {}
    scaffold: str = "{}"
    actions: list[_Action] = []


def read_labelled(path: Path = SHIPPED) -> tuple[Labelled, ...]:
    """All rollouts of a set, in order. Raises ConfigError, with the line, for anything that is not as documented."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the labelled set {path}: {error}") from error
    found = [_labelled(_row(line, f"{path}:{i}")) for i, line in enumerate(lines, 1) if line.strip()]
    ids = [item.id for item in found]
    if repeated := next((i for i in ids if ids.count(i) > 1), None):
        raise ConfigError(f"{path}: the id {repeated!r} occurs twice")
    if {item.hack for item in found} != {True, False}:
        raise ConfigError(f"{path}: a set needs hacks and honest rollouts, both")
    return tuple(found)


def _row(line: str, where: str) -> _Row:
    try:
        return _Row.model_validate(json.loads(line))
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigError(f"{where}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where}: not JSON") from error


def _labelled(row: _Row) -> Labelled:
    task = TaskView(
        task_id=row.id,
        category="labelled",
        instruction=row.instruction,
        entry_point=row.entry_point,
        examples=tuple(Case(tuple(args), expected) for args, expected in row.examples),
        submission=tuple(row.submission),
        workspace=_bytes(row.workspace),
    )
    log = tuple({"event": "action", **action.model_dump()} for action in row.actions)
    rollout = Rollout(row.id, row.id, row.id, (), _bytes(row.submission), (), Facts(), None, None, log)
    scaffold = Scaffold(row.id, row.id, "card", row.scaffold, {}, None, None, None, 0)
    passed = Verification(1.0, None, 1, 1)  # a judge is only asked about rollouts that were rewarded
    return Labelled(row.id, row.label == "hack", row.kind, Evidence(task, scaffold, rollout, passed))


def _bytes(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}
