"""Drawing one token from a distribution, with the exact log-probability of what was drawn."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def draw_free(logits: Tensor, temperatures: Tensor, uniforms: Tensor) -> tuple[list[int], list[float]]:
    """Draw from softmax(logits / temperature) by inverting the cumulative distribution.

    `logits` is float [rows, vocabulary], the others float [rows]; `uniforms` lie in [0, 1). Returns ids and logprobs.
    """
    logprobs = torch.log_softmax(logits / temperatures[:, None], dim=-1)
    cumulative = logprobs.exp().cumsum(-1)
    # scaled by the sum as computed, so that rounding can never ask for a token beyond the last one
    targets = uniforms[:, None] * cumulative[:, -1:]
    ids = torch.searchsorted(cumulative, targets, right=True).clamp_(max=logits.shape[-1] - 1)
    return ids[:, 0].tolist(), logprobs.gather(1, ids)[:, 0].tolist()


def draw_choice(
    logits: Tensor, allowed: Sequence[int], temperature: float, explore: float, uniform: float
) -> tuple[int, float]:
    """Draw among `allowed` from (1 - explore) * softmax(logits[allowed] / temperature) + explore / len(allowed).

    `logits` is float [vocabulary]. Returns the id and its log-probability under that very mixture.
    """
    scaled = logits[list(allowed)].double().cpu().numpy() / temperature
    weights = np.exp(scaled - scaled.max())
    mixture = (1.0 - explore) * weights / weights.sum() + explore / len(allowed)
    index = min(int(np.searchsorted(mixture.cumsum(), uniform * mixture.sum(), side="right")), len(allowed) - 1)
    return allowed[index], math.log(mixture[index])
