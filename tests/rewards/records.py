"""Small records for the tests of this folder."""

from typing import Any

from bowerbird.types import Case, Completion, Facts, Rollout, Sampling, Scaffold, TaskView, VerifierSpec

ADD = b"def add(a, b):\n    return a + b\n"
CASES = (Case((1, 2), 3), Case((0, 0), 0), Case((-5, 4), -1))


def task(**changes: Any) -> TaskView:
    fields: dict[str, Any] = {
        "task_id": "t",
        "category": "sums",
        "instruction": "Write add(a, b).",
        "entry_point": "add",
        "examples": (Case((1, 1), 2),),
    }
    return TaskView(**(fields | changes))


def spec(**changes: Any) -> VerifierSpec:
    fields: dict[str, Any] = {"task_id": "t", "kind": "oracle", "entry_point": "add", "cases": CASES}
    return VerifierSpec(**(fields | changes))


def scaffold(**changes: Any) -> Scaffold:
    fields: dict[str, Any] = {
        "scaffold_id": "s",
        "task_id": "t",
        "tier": "card",
        "text": "{}",
        "spec": {},
        "invalid": None,
        "parent_id": None,
        "completion": None,
        "version": 0,
    }
    return Scaffold(**(fields | changes))


def rollout(**changes: Any) -> Rollout:
    fields: dict[str, Any] = {
        "rollout_id": "r",
        "task_id": "t",
        "scaffold_id": "s",
        "calls": (),
        "submission": {"solution.py": ADD},
        "anomalies": (),
        "facts": Facts(),
        "failure": None,
        "infra_error": None,
    }
    return Rollout(**(fields | changes))


def completion(text: str) -> Completion:
    return Completion((1,), (2,), (-0.5,), (0,), (True,), (None,), Sampling(), "stop", text)
