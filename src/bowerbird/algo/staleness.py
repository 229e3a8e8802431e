"""The weight of a token by its off-policy age."""

from typing import overload

import torch
from torch import Tensor


@overload
def staleness_weight(age: Tensor, k1: int = ..., k2: int = ..., decay: float = ...) -> Tensor: ...
@overload
def staleness_weight(age: int, k1: int = ..., k2: int = ..., decay: float = ...) -> float: ...
def staleness_weight(age: Tensor | int, k1: int = 2, k2: int = 6, decay: float = 0.5) -> Tensor | float:
    """w(d): 1 up to `k1`, exp(-decay * (d - k1)) up to `k2`, 0 beyond.

    `age` is the learner's policy version less the version that sampled the token: an int, or an integer tensor of any
    shape, and the result has its shape (float32).
    """
    if isinstance(age, Tensor):
        weight = torch.exp(-decay * (age - k1).clamp(min=0).float())
        return torch.where(age > k2, torch.zeros_like(weight), weight)
    return float(staleness_weight(torch.tensor(age), k1, k2, decay))
