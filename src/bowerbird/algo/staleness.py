"""The weight of a token by its off-policy age."""

import math
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from torch import Tensor


@overload
def staleness_weight(age: "Tensor", k1: int = ..., k2: int = ..., decay: float = ...) -> "Tensor": ...
@overload
def staleness_weight(age: int, k1: int = ..., k2: int = ..., decay: float = ...) -> float: ...
def staleness_weight(age: "Tensor | int", k1: int = 2, k2: int = 6, decay: float = 0.5) -> "Tensor | float":
    """w(d): 1 up to `k1`, exp(-decay * (d - k1)) up to `k2`, 0 beyond.

    `age` is the learner's policy version less the version that sampled the token: an int, or an integer tensor of any
    shape, and the result has its shape (float32). An int needs no torch: the simulator runs without it.
    """
    if isinstance(age, int):
        return math.exp(-decay * max(0, age - k1)) if age <= k2 else 0.0
    import torch

    weight = torch.exp(-decay * (age - k1).clamp(min=0).float())
    return torch.where(age > k2, torch.zeros_like(weight), weight)
