"""What is said of a step's numbers where they cannot be trusted."""

from typing import Any

import pytest

from bowerbird.orchestrator.reporting import doubts
from tests.viewer.runs import step_report


def test_ordinary_numbers_raise_no_doubt() -> None:
    assert doubts(step_report()) == []
    assert doubts(step_report(mismatch=0.01, effective=0.8)) == []


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"mismatch": 0.2}, "model.precision"),
        ({"clip_fraction": 0.5}, "learner.learning_rate"),
        ({"effective": 0.3}, "pipeline.max_age"),
    ],
)
def test_each_doubt_says_what_to_do(changes: dict[str, Any], advice: str) -> None:
    (doubt,) = doubts(step_report(**changes))
    assert advice in doubt
