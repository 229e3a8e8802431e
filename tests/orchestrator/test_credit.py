"""Credit: numbers worked out by hand."""

import pytest

from bowerbird.orchestrator.credit import Trial, credit, samples, signal
from bowerbird.rewards.verdict import ScaffoldReturn
from bowerbird.types import Completion, Facts, Outcome, Rollout, Sampling, Scaffold, Stage, Verdict

CALL = Completion((1,), (2, 3), (-1.0, -1.0), (0, 0), (True, True), (None, None), Sampling(), "stop")
V, H, E = Outcome.VALID, Outcome.HACKED, Outcome.INFRA_ERROR


def trial(name: str, value: float, outcome: Outcome, rewards: list[tuple[float, Outcome]]) -> Trial:
    scaffold = Scaffold(name, "t", "card", "{}", {}, None, None, CALL, 0)
    rollouts = tuple(
        Rollout(f"{name}-{i}", "t", name, (CALL,), {}, (), Facts(), None, None) for i in range(len(rewards))
    )
    verdicts = tuple(Verdict(r.rollout_id, o, reward, None) for r, (reward, o) in zip(rollouts, rewards, strict=True))
    return Trial(scaffold, rollouts, verdicts, ScaffoldReturn(name, outcome, value))


GROUP = [
    trial("a", 0.5, V, [(1.0, V), (0.0, V), (0.0, H), (1.0, V), (0.0, E)]),
    trial("b", 0.0, H, [(0.0, H)]),
    trial("c", 0.0, V, []),  # invalid: no rollouts, return 0
]


def test_both_stages_are_compared_with_their_own_kind() -> None:
    a, b, c = credit(GROUP)
    assert a.advantage.value == pytest.approx(0.707106, abs=1e-5)  # 0.5 and 0: deviation 0.353553
    assert b.advantage.value is None
    assert c.advantage.value == pytest.approx(-0.707106, abs=1e-5)
    inner = [x.value for x in a.rollout_advantages]
    assert inner[0] == inner[3] == pytest.approx(0.577350, abs=1e-5)
    assert inner[1] == pytest.approx(-1.154700, abs=1e-5)
    assert inner[2] is inner[4] is None


def test_only_members_that_take_part_are_trained() -> None:
    found = samples(credit(GROUP))
    assert [s.stage for s in found].count(Stage.SCAFFOLD) == 2
    assert [s.stage for s in found].count(Stage.SOLVE) == 3


def test_a_weight_touches_scaffolds_alone() -> None:
    plain, weighted = samples(credit(GROUP)), samples(credit(GROUP), 8.0)
    for before, after in zip(plain, weighted, strict=True):
        assert after.advantage == (8.0 if before.stage is Stage.SCAFFOLD else 1.0) * before.advantage


def test_signal_is_the_share_of_groups_with_variance() -> None:
    assert signal(credit(GROUP)) == pytest.approx(2 / 3)  # scaffolds yes, rollouts of a yes, rollouts of b no
    assert signal(credit([trial("a", 1.0, V, [(1.0, V), (1.0, V)])])) == 0.0


@pytest.mark.parametrize("outcome", [H, E])
def test_no_rollout_takes_part_under_a_scaffold_that_does_not(outcome: Outcome) -> None:
    (item,) = credit([trial("a", 0.0, outcome, [(1.0, V), (0.0, V), (0.0, H)])])
    assert [x.value for x in item.rollout_advantages] == [None, None, None]
