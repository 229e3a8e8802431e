"""Intervals against numbers worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.evals.stats import Estimate, clustered_mean, paired_difference, pass_all, pass_at

Z = 1.959964


def test_values_of_one_task_are_one_observation() -> None:
    """Two tasks with sums of deviations -0.5 and +0.5, over 4 values: error sqrt(2 * (1/8)^2 * 2/1) = 0.25."""
    found = clustered_mean([1.0, 0.0, 1.0, 1.0], ["a", "a", "b", "b"])
    assert found.mean == 0.75
    assert found.clusters == 2
    assert found.low == pytest.approx(0.75 - 0.25 * Z, abs=1e-6)
    assert found.high == 1.0  # 1.24 is no share


def test_one_value_a_task_is_the_textbook_error() -> None:
    """Half of 8 tasks solved: sample deviation sqrt(2/7), error sqrt(2/7) / sqrt(8) = 0.188982."""
    found = clustered_mean([1.0, 0.0] * 4, list("abcdefgh"))
    assert found.low == pytest.approx(0.5 - 0.188982 * Z, abs=1e-5)
    assert found.high == pytest.approx(0.5 + 0.188982 * Z, abs=1e-5)


def test_unequal_tasks_weigh_by_their_values() -> None:
    """Values 1 1 1 | 0: mean 3/4, sums of deviations +3/4 and -3/4 over 4: error sqrt(2 * (3/16)^2 * 2) = 3/8."""
    found = clustered_mean([1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"])
    assert found.mean == 0.75
    assert found.low == pytest.approx(0.75 - 0.375 * Z, abs=1e-6)


def test_repeating_every_value_teaches_nothing() -> None:
    """Had they been taken for independent, the interval would have shrunk by half."""
    values, tasks = [1.0, 0.0, 0.0, 1.0, 1.0], list("abcde")
    once, four = clustered_mean(values, tasks), clustered_mean(values * 4, tasks * 4)
    assert (four.mean, four.clusters) == (once.mean, once.clusters)
    assert (four.low, four.high) == pytest.approx((once.low, once.high))


def test_order_does_not_matter() -> None:
    assert clustered_mean([1.0, 0.0, 0.0], ["a", "b", "a"]) == clustered_mean([0.0, 0.0, 1.0], ["a", "b", "a"])


@pytest.mark.parametrize(("values", "mean"), [([], 0.0), ([1.0], 1.0), ([1.0, 0.0], 0.5)])
def test_fewer_than_two_tasks_say_nothing(values: list[float], mean: float) -> None:
    found = clustered_mean(values, ["a"] * len(values))
    assert found == Estimate(mean, 0.0, 1.0, min(len(values), 1))


def test_every_value_needs_a_task() -> None:
    with pytest.raises(ValueError, match="zip"):
        clustered_mean([1.0, 0.0], ["a"])


def test_difference_of_shared_tasks() -> None:
    """Gaps 1 0 0 1 of the four shared tasks: mean 1/2, error sqrt(4 * (1/8)^2 * 4/3) = 0.288675."""
    found = paired_difference(
        {"w": 1.0, "x": 0.5, "y": 0.0, "z": 1.0, "only a": 0.0}, {"w": 0.0, "x": 0.5, "y": 0.0, "z": 0.0, "only b": 1.0}
    )
    assert (found.mean, found.clusters) == (0.5, 4)
    assert found.low == pytest.approx(0.5 - 0.288675 * Z, abs=1e-5)
    assert found.high == 1.0


def test_difference_has_a_sign() -> None:
    a, b = {"x": 0.0, "y": 0.25, "z": 0.5}, {"x": 0.5, "y": 0.5, "z": 0.5}
    ab, ba = paired_difference(a, b), paired_difference(b, a)
    assert ab.mean == -0.25
    assert (ba.mean, ba.low, ba.high) == pytest.approx((-ab.mean, -ab.high, -ab.low))
    assert -1.0 <= ab.low < ab.high < 1.0


def test_pairing_takes_the_difficulty_of_tasks_out() -> None:
    """Tasks differ a lot, the gap hardly: the unpaired intervals overlap, and yet the difference is told apart."""
    base = [0.0, 0.0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8]
    gained = [0.1, 0.2, 0.3, 0.6, 0.7, 0.9, 1.0, 0.9]
    tasks = [str(i) for i in range(8)]
    before, after = clustered_mean(base, tasks), clustered_mean(gained, tasks)
    assert before.high > after.low
    gap = paired_difference(dict(zip(tasks, gained, strict=True)), dict(zip(tasks, base, strict=True)))
    assert gap.mean == pytest.approx(after.mean - before.mean)
    assert gap.low > 0


def test_no_shared_task_says_nothing() -> None:
    assert paired_difference({"x": 1.0}, {"y": 0.0}) == Estimate(0.0, -1.0, 1.0, 0)
    assert paired_difference({"x": 1.0}, {"x": 0.0}) == Estimate(1.0, -1.0, 1.0, 1)


def test_coverage_of_the_interval() -> None:
    """With 40 tasks of 3 correlated values each, about 95% of the intervals hold the true mean."""
    from random import Random

    rng, held, runs = Random(0), 0, 400
    tasks = [str(i) for i in range(40) for _ in range(3)]
    for _ in range(runs):
        shares = [rng.random() for _ in range(40)]
        values = [float(rng.random() < share) for share in shares for _ in range(3)]
        found = clustered_mean(values, tasks)
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / runs <= 0.98
    assert math.isfinite(found.low)


def test_a_rate_of_nothing_is_not_certain() -> None:
    """0 of 96: the exact one-sided bound, 1 - 0.025 ** (1/96)."""
    found = clustered_mean([0.0] * 96, [str(i) for i in range(96)])
    assert (found.mean, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.037696, abs=1e-5)
    assert clustered_mean([1.0] * 96, [str(i) for i in range(96)]).low == pytest.approx(1 - 0.037696, abs=1e-5)


def test_pass_at_k_and_pass_to_the_k() -> None:
    """By hand: of 4 samples 1 is right; two drawn at random hold it half the time, and are both right never."""
    assert pass_at(4, 1, 1) == pytest.approx(0.25)
    assert pass_at(4, 1, 2) == pytest.approx(0.5)
    assert pass_at(4, 1, 4) == 1.0
    assert pass_at(4, 0, 4) == 0.0
    assert pass_all(4, 1, 2) == 0.0
    assert pass_all(4, 3, 2) == pytest.approx(0.5)
    assert pass_all(4, 4, 4) == 1.0
    for function in (pass_at, pass_all):
        with pytest.raises(ValueError, match="needs at least"):
            function(3, 1, 4)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_more_samples_help_one_and_hurt_all(drawn: tuple[int, int, int]) -> None:
    n, solved, k = drawn
    assert pass_all(n, solved, k) <= solved / n + 1e-12 <= pass_at(n, solved, k) + 2e-12
    if k > 1:
        assert pass_at(n, solved, k) >= pass_at(n, solved, k - 1) - 1e-12
        assert pass_all(n, solved, k) <= pass_all(n, solved, k - 1) + 1e-12
