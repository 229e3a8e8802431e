"""A series of numbers in a few characters."""

import math
from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int, low: float = 0.0, high: float = 1.0) -> str:
    """One character for each of the last `width` values; what is no number is a blank, what is outside is clamped.

    Raises ValueError unless `low` is below `high`.
    """
    if not low < high:
        raise ValueError(f"an empty range, {low} to {high}")
    return "".join(_bar((value - low) / (high - low)) for value in values[max(len(values) - width, 0) :])


def _bar(share: float) -> str:
    if not math.isfinite(share):
        return " "
    return _BARS[min(max(round(share * (len(_BARS) - 1)), 0), len(_BARS) - 1)]
