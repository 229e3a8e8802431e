"""The draws, against distributions worked out with NumPy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.inference.choose import draw_among, draw_free


def test_free_draws_follow_the_distribution() -> None:
    logits = torch.tensor([[1.0, 3.0, 2.0] + [-50.0] * 700])
    expected = np.exp([1.0, 3.0, 2.0]) / np.exp([1.0, 3.0, 2.0]).sum()
    grid = (np.arange(2000) + 0.5) / 2000  # evenly spread uniforms give each token its share, up to rounding
    ids, logprobs = draw_free(logits.repeat(2000, 1), torch.ones(2000), torch.tensor(grid, dtype=torch.float32))
    for token in range(3):
        assert ids.count(token) / 2000 == pytest.approx(expected[token], abs=1e-3)
    assert [math.exp(p) for p in logprobs] == pytest.approx([expected[i] for i in ids], abs=1e-6)


@given(st.integers(1, 1200), st.floats(0, 1, exclude_max=True), st.floats(0.1, 3), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_free_draw_is_a_token_with_its_own_probability(
    size: int, uniform: float, temperature: float, seed: int
) -> None:
    logits = torch.randn(1, size, generator=torch.Generator().manual_seed(seed)) * 8
    exact = torch.log_softmax(logits.double() / temperature, -1)
    (token,), (logprob,) = draw_free(logits.clone(), torch.tensor([temperature]), torch.tensor([uniform]))
    assert 0 <= token < size
    assert logprob == pytest.approx(float(exact[0, token]), abs=1e-3)
    below = float(exact[0, :token].exp().sum())
    assert below - 1e-4 <= uniform <= below + float(exact[0, token].exp()) + 1e-4


def test_choices_mix_in_the_even_share() -> None:
    shares = np.exp([5.0, 0.0]) / np.exp([5.0, 0.0]).sum()
    mixture = 0.8 * shares + 0.2 / 2
    draws = [draw_among(np.array([5.0, 0.0]), (2, 0), 1.0, 0.2, (i + 0.5) / 1000) for i in range(1000)]
    assert sum(token == 0 for token, _ in draws) / 1000 == pytest.approx(mixture[1], abs=2e-3)
    assert {token: round(p, 6) for token, p in draws} == {
        2: round(math.log(mixture[0]), 6),
        0: round(math.log(mixture[1]), 6),
    }
