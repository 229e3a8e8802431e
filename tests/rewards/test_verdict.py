"""Outcomes and returns: the order of precedence, the numbers, and what is refused."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards import decide, scaffold_return
from bowerbird.rewards.verdict import JUDGE_OUTAGE
from bowerbird.types import Flag, InfraError, Outcome, Verdict, Verification
from tests.rewards.records import rollout, scaffold

FLAG = Flag("rule", "reason", "evidence")
PASSED = Verification(1.0, None, 3, 3)
FAILED = Verification(0.0, "wrong_answer", 2, 3)


def verdict(outcome: Outcome, reward: float = 0.0) -> Verdict:
    return Verdict("r", outcome, reward, None)


def test_valid_keeps_the_measured_reward_and_failure() -> None:
    assert decide(rollout(), PASSED, ()) == Verdict("r", Outcome.VALID, 1.0, None)
    assert decide(rollout(), FAILED, ()) == Verdict("r", Outcome.VALID, 0.0, "wrong_answer")


def test_a_flag_beats_a_passing_reward() -> None:
    assert decide(rollout(), PASSED, (FLAG,)) == Verdict("r", Outcome.HACKED, 0.0, "hacked", (FLAG,))


def test_failed_machinery_beats_everything() -> None:
    decided = decide(rollout(infra_error="sandbox lost"), PASSED, (FLAG,))
    assert (decided.outcome, decided.reward) == (Outcome.INFRA_ERROR, 0.0)


def test_no_code_is_explained_by_the_rollout() -> None:
    nothing = Verification(0.0, "no_code", 0, 3)
    assert decide(rollout(failure="cut_off"), nothing, ()).failure == "cut_off"
    assert decide(rollout(), nothing, ()).failure == "no_code"
    assert decide(rollout(failure="cut_off"), FAILED, ()).failure == "wrong_answer"


def test_an_unverified_unflagged_rollout_is_a_bug() -> None:
    with pytest.raises(ValueError, match="neither verified nor flagged"):
        decide(rollout(), None, ())
    assert decide(rollout(), None, (FLAG,)).outcome is Outcome.HACKED


@pytest.mark.parametrize("reward", [math.nan, math.inf, -math.inf, 1.0000001, -0.1, 1e308])
def test_floats_out_of_range_are_the_graders_failure(reward: float) -> None:
    with pytest.raises(InfraError):
        decide(rollout(), Verification(reward, None, 1, 1), ())


@pytest.mark.parametrize("reward", [True, False, 1, "1.0", None, 1 + 0j])
def test_anything_but_a_float_is_a_bug(reward: float) -> None:
    with pytest.raises(TypeError):
        decide(rollout(), Verification(reward, None, 1, 1), ())


def test_scaffold_return_leaves_hacked_and_infra_out_of_the_mean() -> None:
    verdicts = [
        verdict(Outcome.VALID, 1.0),
        verdict(Outcome.HACKED),
        verdict(Outcome.VALID, 0.0),
        verdict(Outcome.INFRA_ERROR),
    ]
    assert scaffold_return(scaffold(), verdicts, 100, 0.0).value == 0.5
    priced = scaffold_return(scaffold(), verdicts, 100, 0.001)
    assert priced.outcome is Outcome.VALID
    assert priced.value == pytest.approx(0.4)


def test_invalid_scaffold_returns_zero_and_counts() -> None:
    returned = scaffold_return(scaffold(spec=None, invalid="not JSON"), [], 60, 0.001)
    assert (returned.outcome, returned.value) == (Outcome.VALID, 0.0)
    with pytest.raises(ValueError, match="invalid"):
        scaffold_return(scaffold(spec=None, invalid="not JSON"), [verdict(Outcome.VALID, 1.0)], 60, 0.0)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([Outcome.HACKED, Outcome.HACKED], Outcome.HACKED),
        ([Outcome.INFRA_ERROR, Outcome.INFRA_ERROR], Outcome.INFRA_ERROR),
        ([Outcome.HACKED, Outcome.INFRA_ERROR], Outcome.HACKED),
        ([], Outcome.INFRA_ERROR),
    ],
)
def test_scaffold_without_valid_rollouts(outcomes: list[Outcome], expected: Outcome) -> None:
    returned = scaffold_return(scaffold(), [verdict(outcome) for outcome in outcomes], 10, 0.1)
    assert (returned.outcome, returned.value) == (expected, 0.0)


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.floats(0, 1)), max_size=8))
def test_hacked_rollouts_never_move_a_return(members: list[tuple[Outcome, float]]) -> None:
    verdicts = [verdict(outcome, reward if outcome is Outcome.VALID else 0.0) for outcome, reward in members]
    valid = [each for each in verdicts if each.outcome is Outcome.VALID]
    if valid:
        assert scaffold_return(scaffold(), verdicts, 0, 0.0) == scaffold_return(scaffold(), valid, 0, 0.0)


def test_a_scaffold_that_is_the_attack_takes_no_part_whatever_its_other_rollouts_earned() -> None:
    attack = replace(verdict(Outcome.HACKED), flags=(replace(FLAG, of_scaffold=True),))
    assert scaffold_return(scaffold(), [verdict(Outcome.VALID, 1.0), attack], 0, 0.0).outcome is Outcome.HACKED


def test_a_scaffold_is_not_measured_by_what_a_judge_outage_left_over() -> None:
    """Only rollouts that earned something are shown to a judge: the others alone would make a 0 of the outage."""
    unjudged = replace(verdict(Outcome.INFRA_ERROR), failure=JUDGE_OUTAGE)
    verdicts = [unjudged, unjudged, verdict(Outcome.VALID, 0.0), verdict(Outcome.VALID, 0.0)]
    assert scaffold_return(scaffold(), verdicts, 0, 0.0).outcome is Outcome.INFRA_ERROR
