"""Row groups side by side, each on threads of its own.

On a few cores one product split over threads waits at its end for the slowest, and everything small between two
products runs on one thread anyway. Two halves of the batch that each keep to their own core waste neither.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Result = TypeVar("Result")


def lane_count(device: torch.device, wanted: int = 0) -> int:
    """`wanted`, or for 0: two on a CPU with two threads or more, one elsewhere."""
    return wanted or (2 if device.type == "cpu" and torch.get_num_threads() > 1 else 1)


class Lanes:
    """Runs a function on parts side by side; results in order. One lane runs in the caller's own thread."""

    def __init__(self, count: int) -> None:
        self.count = count
        share = max(1, torch.get_num_threads() // count)
        self._pool = (
            ThreadPoolExecutor(count, "lane", initializer=torch.set_num_threads, initargs=(share,))
            if count > 1
            else None
        )

    def run(self, function: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
        if self._pool is None or len(parts) < 2:
            return [function(part) for part in parts]
        return list(self._pool.map(function, parts))
