"""Group-relative advantages (Shao et al. 2024, DeepSeekMath, eq. for outcome supervision)."""

import math
from collections.abc import Sequence

from bowerbird.types import Outcome

_EPSILON = 1e-6


def group_advantages(returns: Sequence[float], outcomes: Sequence[Outcome]) -> list[float | None]:
    """`(R - mean) / (std + 1e-6)` over the valid members of one group, with the sample deviation (ddof 1).

    `returns` and `outcomes` have the group's length, and so has the result: None for members that are not valid
    (they are in neither the mean nor the deviation), 0 where all valid returns are equal or only one is valid.
    """
    valid = [r for r, o in zip(returns, outcomes, strict=True) if o is Outcome.VALID]
    if len(valid) < 2 or max(valid) == min(valid):
        return [0.0 if o is Outcome.VALID else None for o in outcomes]
    mean = math.fsum(valid) / len(valid)
    deviation = math.sqrt(math.fsum((r - mean) ** 2 for r in valid) / (len(valid) - 1))
    return [
        (r - mean) / (deviation + _EPSILON) if o is Outcome.VALID else None
        for r, o in zip(returns, outcomes, strict=True)
    ]
