"""What an evaluation says about its arms, and that a report comes back from disk as it went."""

from pathlib import Path

import pytest

from bowerbird.evals.report import (
    EvalReport,
    Trial,
    arm_result,
    difference,
    load_report,
    passing,
    samples_of,
    save_report,
    tokens_per_solved,
)


def trial(task: str, reward: float, tokens: int = 100) -> Trial:
    return Trial(task, "adding", reward, tokens, "valid", None if reward == 1 else "wrong_answer", '{"k":1}', read=10)


def test_an_arm_is_the_mean_of_its_trials_with_tasks_as_clusters() -> None:
    arm = arm_result("own", [trial("a", 1, 90), trial("a", 0, 110), trial("b", 1, 100), trial("b", 1, 140)])
    assert arm.solved.mean == 0.75
    assert arm.solved.clusters == 2
    assert arm.solved.low == pytest.approx(0.75 - 0.25 * 1.959964, abs=1e-6)
    assert arm.tokens == 110.0


def test_an_arm_without_trials_knows_nothing() -> None:
    arm = arm_result("own", [])
    assert (arm.solved.mean, arm.solved.low, arm.solved.high, arm.tokens) == (0.0, 0.0, 1.0, 0.0)


def test_difference_compares_the_means_of_each_task() -> None:
    """Per task 0.5 - 0, 1 - 1, 0 - 0.5: the mean is 0, though the means over trials differ by 3/5 - 2/4."""
    a = arm_result("a", [trial("x", 1), trial("x", 0), trial("y", 1), trial("y", 1), trial("z", 0)])
    b = arm_result("b", [trial("x", 0), trial("y", 1), trial("z", 1), trial("z", 0), trial("elsewhere", 1)])
    found = difference(a, b)
    assert found.mean == pytest.approx(0.0)
    assert found.clusters == 3
    # gaps 1/2, 0, -1/2: error sqrt(2 * (1/6)^2 * 3/2) = 0.288675
    assert found.high == pytest.approx(0.288675 * 1.959964, abs=1e-5)


def test_difference_of_an_arm_with_itself_is_nothing() -> None:
    arm = arm_result("a", [trial("x", 1), trial("y", 0), trial("z", 1)])
    found = difference(arm, arm)
    assert found.mean == 0.0
    # three tasks without a difference: 1 - 0.025 ** (1/3)
    assert found.low == pytest.approx(-0.707598, abs=1e-6)
    assert found.high == pytest.approx(0.707598, abs=1e-6)


def test_a_report_comes_back_as_it_went(tmp_path: Path) -> None:
    arms = (arm_result("plain", [trial("a", 1), trial("b", 0)]), arm_result("own", [trial("a", 1), trial("b", 0.25)]))
    report = EvalReport(version=7, token_budget=256, tasks=2, arms=arms)
    save_report(report, tmp_path / "eval.json")
    assert load_report(tmp_path / "eval.json") == report
    assert report.arm("own").trials[1].failure == "wrong_answer"


def test_several_samples_of_a_task_are_one_value_of_pass_at_k() -> None:
    arm = arm_result("a", [trial("x", 1), trial("x", 0), trial("y", 1), trial("y", 1), trial("z", 0), trial("z", 0)])
    once, always = passing(arm, 2)
    assert (once.mean, once.clusters) == (2 / 3, 3)
    assert always.mean == 1 / 3
    assert samples_of(arm) == 2
    assert tokens_per_solved(arm) == (20.0, 200.0)
    assert tokens_per_solved(arm_result("b", [trial("x", 0)])) == (float("inf"), float("inf"))
