"""Clusters: how they are split, and figures that can be worked out on paper."""

from typing import Any

import pytest

from bowerbird.orchestrator.simulation.books import summarised
from bowerbird.orchestrator.simulation.cluster import Split, simulated, sweep
from bowerbird.orchestrator.simulation.settings import SimulationSettings
from bowerbird.orchestrator.simulation.workload import Call, GroupPlan, Turn
from bowerbird.types import ConfigError

# A group: one proposal of 1 token, then one rollout of 9, a second a token: 10 s in the engine, 5 s in a tool. It
# carries 10 tokens, for which one GPU learns 10 s, so a step takes 10 x groups / learners seconds.
PLAIN: dict[str, Any] = {
    "warm_up": 5,
    "steps": 5,
    "group": {"scaffolds": 1, "per_scaffold": 1, "per_gpu": 1.0},
    "age": {"max_age": 2},
    "rollout": {
        "scaffold_prompt": 0, "scaffold_tokens": 1, "prompt": 0, "turns": 1, "tokens": 9, "output": 0, "tool_s": 5,
        "grading_s": 0,
    },
    "engine": {"gpus": 1, "places": 8, "step_ms": [[1, 1000]], "prefill_us": 0},
    "learner": {"least_gpus": 1, "fixed_s": 0, "token_us": 1e6},
    "transfer": {"publish_s": 0, "load_s": 0},
}  # fmt: skip


def settings(**changes: Any) -> SimulationSettings:
    """`PLAIN` with keys of sections replaced, or whole values."""
    raw = {k: PLAIN.get(k, {}) | v if isinstance(v, dict) else v for k, v in changes.items()}
    return SimulationSettings.model_validate(PLAIN | raw)


def test_the_synchronous_loop_by_hand() -> None:
    """4 GPUs, 4 groups a step: 15 s of sampling, 10 of them in the engines; then 10 s of learning."""
    found = simulated(settings(), (), Split(4, 4, 4, shared=True))
    assert found.step_s == pytest.approx(25)
    assert (found.sampler_busy, found.learner_busy) == pytest.approx((10 / 25, 10 / 25))
    assert found.sampler_waits == pytest.approx({"weights": 0, "tools": 5 / 25, "capacity": 10 / 25})
    assert found.tokens_s == pytest.approx(40 / 25)
    assert found.gpu_s == pytest.approx(1e6 * 4 * 25 / 40)
    assert (found.ages.mean, found.ages.ess, found.ages.weight) == (0, 1, 1)
    # one row of eight places, each step as long as with eight
    assert found.sampler_speed == pytest.approx(found.sampler_busy / 8)


def test_a_learner_that_never_waits_by_hand() -> None:
    """3 of 4 GPUs sample, so a step takes 4 x 10 s of one GPU. Groups begin two landings before they are trained."""
    found = simulated(settings(), (), Split(4, 3, 1, shared=False))
    assert (found.step_s, found.learner_busy) == pytest.approx((40, 1))
    assert dict(found.ages.shares) == {2: 1.0}
    assert found.learner_waits == pytest.approx({"weights": 0, "groups": 0})


def test_a_few_engines_stand_for_many_exactly_where_nothing_is_left_to_chance() -> None:
    split = Split(32, 24, 8, shared=False)
    whole, few = (simulated(settings(most_engines=most), (), split) for most in (24, 3))
    assert (whole.copies, few.copies) == (1, 8)
    for figure in ("step_s", "tokens_s", "sampler_busy", "learner_busy", "batch"):
        assert getattr(few, figure) == pytest.approx(getattr(whole, figure))
    assert few.ages == whole.ages


def test_the_split_is_the_balanced_one_or_the_one_asked_for() -> None:
    """With all 8 places taken a group takes 10 / 8 s of an engine and 10 s of a learner: of 9 GPUs one samples."""
    (row,) = sweep(settings(gpus=[18], age={"max_age": 3}))
    assert row.asynchronous is not None
    assert row.asynchronous.split == Split(18, 2, 16, shared=False)
    (row,) = sweep(settings(gpus=[18], sampler_share=0.5))
    assert row.asynchronous is not None
    assert row.asynchronous.split.samplers == 9


def test_clusters_too_small_for_two_roles_or_for_any() -> None:
    one, two = sweep(settings(gpus=[1, 2]))
    assert (one.asynchronous, two.asynchronous is not None) == (None, True)
    assert one.synchronous is not None
    assert one.synchronous.split == Split(1, 1, 1, shared=True)
    (none,) = sweep(settings(gpus=[3], learner={"least_gpus": 4}))
    assert (none.asynchronous, none.synchronous) == (None, None)


def test_gpus_that_lose_speed_with_each_doubling() -> None:
    """8 learners are three doublings of one: 10 s / 0.9^3."""
    found = simulated(settings(learner={"per_doubling": 0.9}), (), Split(8, 8, 8, shared=True))
    assert found.step_s == pytest.approx(15 + 10 / 0.9**3)


def test_recorded_groups_are_played_in_place_of_the_distributions() -> None:
    group = GroupPlan((), ((Turn((Call(20, 0),), ()),),), 0.0)
    found = simulated(settings(), (group,), Split(1, 1, 1, shared=True))
    assert (found.step_s, found.tokens_s) == pytest.approx((40, 0.5))


def test_sandboxes_are_limited_in_proportion() -> None:
    """One sandbox for 4 GPUs: four tools of 5 s take turns."""
    found = simulated(settings(sandbox={"per_gpu": 0.25}), (), Split(4, 4, 4, shared=True))
    assert found.step_s == pytest.approx(10 + 20 + 10)


def test_a_learner_of_unknown_speed_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"learner\.token_us is not given"):
        list(sweep(settings(gpus=[2], learner={"token_us": None})))


def test_ages_and_weights_by_hand() -> None:
    """Weights 1, 1/2 and 0 for 2, 4 and 2 tokens: mean 4/8, (2 + 2)^2 / (8 x (2 + 1)) = 2/3."""
    found = summarised({0: 2, 3: 4, 9: 2}, lambda age: {0: 1.0, 3: 0.5, 9: 0.0}[age])
    assert (found.weight, found.ess) == pytest.approx((0.5, 2 / 3))
    assert (found.mean, found.beyond) == pytest.approx((30 / 8, 0.25))
    assert dict(found.shares) == {0: 0.25, 3: 0.5, 9: 0.25}
    assert summarised({9: 1}, lambda _: 0.0).ess == 0.0
