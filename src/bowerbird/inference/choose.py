"""Drawing one token from a distribution, with the exact log-probability of what was drawn."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_BLOCK = 256


def draw_free(logits: Tensor, temperatures: Tensor, uniforms: Tensor) -> tuple[list[int], list[float]]:
    """Draw from softmax(logits / temperature) by inverting the cumulative distribution.

    `logits` is float [rows, vocabulary] and is overwritten, the others are float [rows]; `uniforms` lie in [0, 1).
    Returns ids and logprobs. The sum runs over blocks first and then inside one block: a cumulative sum over a whole
    vocabulary would cost more than the softmax.
    """
    rows, vocabulary = logits.shape
    probabilities = torch.softmax(logits.div_(temperatures[:, None]), dim=-1)
    padded = torch.nn.functional.pad(probabilities, (0, -vocabulary % _BLOCK)) if vocabulary % _BLOCK else probabilities
    blocks = padded.view(rows, -1, _BLOCK)
    sums = blocks.sum(-1).cumsum(-1)
    # scaled by the sum as computed, so that rounding can never ask for a token beyond the last one
    targets = uniforms[:, None] * sums[:, -1:]
    block = torch.searchsorted(sums, targets, right=True).clamp_(max=sums.shape[1] - 1)
    before = torch.where(block > 0, sums.gather(1, (block - 1).clamp(min=0)), 0.0)
    inside = blocks[torch.arange(rows, device=logits.device), block[:, 0]].cumsum(-1)
    last = (inside < inside[:, -1:]).sum(-1, keepdim=True)  # the block's last token that has any probability
    ids = block * _BLOCK + torch.minimum(torch.searchsorted(inside, targets - before, right=True), last)
    return ids[:, 0].tolist(), probabilities.gather(1, ids).log()[:, 0].tolist()


def draw_among(
    values: NDArray[np.float64], allowed: Sequence[int], temperature: float, explore: float, uniform: float
) -> tuple[int, float]:
    """Draw from (1 - explore) * softmax(values / temperature) + explore / len(allowed).

    `values` [allowed] are logits or log-probabilities: what they have in common does not matter. Returns the id and its
    log-probability under that very mixture.
    """
    scaled = values / temperature
    weights = np.exp(scaled - scaled.max())
    mixture = (1.0 - explore) * weights / weights.sum() + explore / len(allowed)
    index = min(int(np.searchsorted(mixture.cumsum(), uniform * mixture.sum(), side="right")), len(allowed) - 1)
    return allowed[index], math.log(mixture[index])
