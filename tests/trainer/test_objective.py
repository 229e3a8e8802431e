"""The objective's gradients."""

from collections.abc import Iterator, Sequence

import pytest
import torch
from torch import Tensor

from bowerbird.algo import PolicyLoss, policy_loss
from bowerbird.trainer.objective import Sums, backward
from bowerbird.trainer.packing import Term


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def loss_of(logprobs: Tensor, terms: Sequence[Term]) -> PolicyLoss:
    one = torch.ones(len(terms))
    advantages = torch.tensor([t.advantage for t in terms])
    return policy_loss(
        logprobs, logprobs.detach(), advantages, one, 0 * one, eps_low=0.2, eps_high=0.3, k1=1, k2=2, decay=1
    )


@pytest.mark.usefixtures("two_threads")
def test_gradients_repeat_bit_for_bit_where_branches_share_a_position() -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(4, 1024, generator=generator)
    head = torch.nn.Linear(1024, 64, bias=False)
    torch.nn.init.normal_(head.weight, generator=generator)
    terms = [
        Term(
            source=2,
            target=i % 64,
            sampler_logprob=-4.0,
            advantage=1.0 + i / 7,
            version=0,
            temperature=1.0,
            explore=0.0,
            choices=None,
        )
        for i in range(128)
    ]

    def gradient() -> Tensor:
        leaf = hidden.clone().requires_grad_()
        backward(leaf * 1.0, head, terms, loss_of, 1.0, Sums())
        assert leaf.grad is not None
        return leaf.grad

    first = gradient()
    assert first[2].abs().max() > 0
    assert all(torch.equal(first, gradient()) for _ in range(30))


def test_effective_sample_size_of_weights() -> None:
    assert Sums(tokens=4, weight=4, squares=4).effective == 1.0
    assert Sums(tokens=4, weight=1, squares=1).effective == 0.25, "one token of four has all the weight"
    assert Sums().effective == 0.0
