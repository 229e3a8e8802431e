"""Groups drawn and groups recorded."""

from pathlib import Path

import numpy as np

from bowerbird.orchestrator.simulation.settings import load_settings
from bowerbird.orchestrator.simulation.workload import Call, Drawn, GroupPlan, Recorded, Turn

RECIPE = Path(__file__).parents[3] / "recipes" / "simulate-35b.toml"


def drawn(seed: int, *overrides: str) -> GroupPlan:
    return Drawn(load_settings(RECIPE, overrides).rollout, 3, 2, np.random.default_rng(seed)).group()


def test_a_drawn_group_has_its_shape() -> None:
    group = drawn(0, "rollout.turns=5", "rollout.prompt=1000", "rollout.output=70", "rollout.tool_s=2.5")
    assert len(group.proposals) == 3
    assert [len(turns) for turns in group.rollouts] == [5] * 6
    assert [turn.calls[0].prompt for turn in group.rollouts[0]] == [1000, 70, 70, 70, 70]
    assert {turn.tools for turns in group.rollouts for turn in turns} == {(2.5,)}
    assert all(call.tokens >= 1 for call in group.calls)


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_tokens_and_what_the_learner_carries() -> None:
    group = GroupPlan((Call(3, 7),), ((Turn((Call(10, 90), Call(5, 1)), ()),),), 0.0)
    assert (group.tokens, group.carried) == (18, 116)


def test_recorded_groups_in_order_or_at_random() -> None:
    groups = [GroupPlan((), (), float(i)) for i in range(3)]
    in_order, random = Recorded(groups), Recorded(groups, np.random.default_rng(0))
    assert [in_order.group().grading_s for _ in range(5)] == [0, 1, 2, 0, 1]
    assert {random.group().grading_s for _ in range(50)} == {0, 1, 2}
