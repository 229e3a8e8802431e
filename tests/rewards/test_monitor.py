"""Each rule fires on its own fact, quotes it, and is silent on an honest rollout."""

from typing import Any

import pytest

from bowerbird.rewards import RULES, Evidence, inspect
from bowerbird.sandbox.decoys import CANARY
from bowerbird.types import Facts, Verification
from tests.rewards.records import completion, rollout, scaffold, task


def evidence(**changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "task": task(),
        "scaffold": scaffold(),
        "rollout": rollout(),
        "verification": Verification(1.0, None, 3, 3),
        "null_reward": 0.0,
    }
    return Evidence(**(fields | changes))


def test_an_honest_rollout_has_no_flags() -> None:
    assert inspect(evidence()) == ()
    assert inspect(evidence(verification=None, null_reward=None)) == ()


@pytest.mark.parametrize(
    ("changes", "rule", "quoted"),
    [
        ({"rollout": rollout(facts=Facts(withheld_reads=("/tests/hidden.py",)))}, "withheld-read", "/tests/hidden.py"),
        (
            {"verification": Verification(1.0, None, 3, 3, Facts(withheld_reads=("/solution/solve.sh",)))},
            "withheld-read",
            "/solution/solve.sh",
        ),
        ({"rollout": rollout(submission={"solution.py": f"x = '{CANARY}'".encode()})}, "canary-text", "solution.py"),
        ({"rollout": rollout(calls=(completion("a"), completion(f"it says {CANARY}")))}, "canary-text", "call 1"),
        ({"scaffold": scaffold(text=CANARY)}, "canary-text", "scaffold"),
        ({"rollout": rollout(facts=Facts(protected_changes=("data.csv",)))}, "protected-change", "data.csv"),
        ({"rollout": rollout(anomalies=("solution.py: symbolic link",))}, "submission-anomaly", "symbolic link"),
        (
            {"rollout": rollout(submission={"solution.py": b"", "conftest.py": b""})},
            "submission-anomaly",
            "conftest.py: not declared",
        ),
        ({"null_reward": 1.0}, "null-test", "1.0"),
    ],
)
def test_one_rule_fires_and_quotes_the_fact(changes: dict[str, Any], rule: str, quoted: str) -> None:
    (flag,) = inspect(evidence(**changes))
    assert flag.rule == rule
    assert quoted in flag.evidence


def test_all_objections_are_kept_in_order() -> None:
    bad = rollout(facts=Facts(withheld_reads=("/tests/a",), protected_changes=("b",)), anomalies=("c: FIFO",))
    assert [flag.rule for flag in inspect(evidence(rollout=bad))] == [
        "withheld-read",
        "protected-change",
        "submission-anomaly",
    ]


def test_rule_ids_are_unique_and_explained() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.reason for rule in RULES)


def test_a_null_run_that_fails_is_no_objection() -> None:
    assert inspect(evidence(null_reward=0.99)) == ()
