"""The numbers that must come out, worked out by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.algo import group_advantages, policy_loss, staleness_weight
from bowerbird.types import Outcome

V, H, E = Outcome.VALID, Outcome.HACKED, Outcome.INFRA_ERROR
RATIOS = torch.tensor([[1.25, 1.30, 0.75, 1.0], [1.25, 1.30, 0.75, 4.0]])
ADVANTAGES = torch.tensor([[1.0] * 4, [-1.0] * 4])
MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
AGES = torch.tensor([[0, 3, 7, 0], [0, 1, 4, 6]])
OLD = torch.full((2, 4), -1.0)


def test_two_of_four() -> None:
    assert group_advantages([1, 0, 0, 1], [V] * 4) == pytest.approx(
        [0.866024, -0.866024, -0.866024, 0.866024], abs=1e-6
    )


@pytest.mark.parametrize("out", [H, E])
def test_excluded_members_leave_the_statistics(out: Outcome) -> None:
    found = group_advantages([1, 0, 1, 0], [V, V, V, out])
    assert found[:3] == pytest.approx([0.577350, -1.154700, 0.577350], abs=1.5e-6)
    assert found[3] is None


def test_singletons_and_equal_groups_are_zero() -> None:
    assert group_advantages([1.0], [V]) == [0.0]
    assert group_advantages([0.3, 0.3, 0.3], [V] * 3) == [0.0] * 3
    assert group_advantages([1.0, 0.0], [V, H]) == [0.0, None]
    assert group_advantages([0.0, 0.0], [H, E]) == [None, None]


@pytest.mark.parametrize(("age", "weight"), [(0, 1), (2, 1), (3, 0.606531), (6, 0.135335), (7, 0)])
def test_staleness(age: int, weight: float) -> None:
    assert staleness_weight(age) == pytest.approx(weight, abs=1e-6)
    assert staleness_weight(torch.tensor([age]))[0].item() == pytest.approx(weight, abs=1e-6)


def test_loss_without_ages() -> None:
    loss = policy_loss(OLD + RATIOS.log(), OLD, ADVANTAGES, MASK)
    assert loss.total.item() == pytest.approx(4.07, abs=1e-5)
    assert loss.mean.item() == pytest.approx(0.581429, abs=1e-6)


def test_loss_with_ages() -> None:
    loss = policy_loss(OLD + RATIOS.log(), OLD, ADVANTAGES, MASK, AGES)
    assert loss.total.item() == pytest.approx(1.359285, abs=1e-5)
    assert loss.mean.item() == pytest.approx(0.194184, abs=1e-6)
    assert loss.tokens.item() == 7  # w is not in the denominator


def test_sums_of_weights_and_of_the_mismatch_by_hand() -> None:
    """Weights 1, e^-0.5, 0 and 1, 1, e^-1, e^-2; the tokens of age 0 are those with ratio 1.25."""
    loss = policy_loss(OLD + RATIOS.log(), OLD, ADVANTAGES, MASK, AGES)
    assert loss.weight.item() == pytest.approx(3 + math.exp(-0.5) + math.exp(-1) + math.exp(-2), abs=1e-5)
    assert loss.squares.item() == pytest.approx(3 + math.exp(-1) + math.exp(-2) + math.exp(-4), abs=1e-5)
    assert loss.fresh.item() == 2
    assert loss.mismatch.item() == pytest.approx(2 * math.log(1.25), abs=1e-5)


def test_gradient_by_hand() -> None:
    """dL/dlogp is -A r w where the clip is idle, and 0 where it holds the token."""
    logprobs = (OLD + RATIOS.log()).requires_grad_()
    policy_loss(logprobs, OLD, ADVANTAGES, MASK, AGES).total.backward()
    w3, w4, w6 = math.exp(-0.5), math.exp(-1.0), math.exp(-2.0)
    assert w3 == pytest.approx(0.606531, abs=1e-6)
    by_hand = torch.tensor(
        [
            [-1.25, 0.0, 0.0, 0.0],  # used; clipped at 1.28 (and age 3); age 7 weighs nothing; masked
            [1.25, 1.30, 0.0, 4.0 * w6],  # negative advantages are not held from above; 0.75 is held from below (age 4)
        ]
    )
    assert w4 > 0
    torch.testing.assert_close(logprobs.grad, by_hand, rtol=0, atol=1e-5)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from(list(Outcome))), min_size=1, max_size=12))
def test_advantages_are_centred_and_finite(group: list[tuple[float, Outcome]]) -> None:
    found = group_advantages([r for r, _ in group], [o for _, o in group])
    kept = [a for a in found if a is not None]
    assert [a is None for a in found] == [o is not V for _, o in group]
    assert all(math.isfinite(a) for a in kept)
    assert abs(sum(kept)) < 1e-4


@given(st.integers(0, 40), st.integers(0, 5), st.integers(0, 5), st.floats(0, 2))
def test_staleness_never_rises_with_age(age: int, k1: int, span: int, decay: float) -> None:
    here, older = (staleness_weight(a, k1, k1 + span, decay) for a in (age, age + 1))
    assert 0 <= older <= here <= 1
    tensor = staleness_weight(torch.tensor([age, age + 1]), k1, k1 + span, decay)
    assert tensor.tolist() == pytest.approx([here, older], rel=1e-5), "an int and a tensor weigh the same"
