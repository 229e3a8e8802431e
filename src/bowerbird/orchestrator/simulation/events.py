"""Simulated time: what happens next, and when."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any


class Events:
    """Calls at given times, in the order of time, and of asking where times are equal. `now` is in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._asked = 0

    def at(self, time: float, call: Callable[..., None], *arguments: Any) -> None:
        """`call(*arguments)` at `time`, which is not before `now`."""
        self._asked += 1
        heappush(self._heap, (time, self._asked, call, arguments))

    def after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        self.at(self.now + seconds, call, *arguments)

    def step(self) -> bool:
        """The next call; False where there is none left."""
        if not self._heap:
            return False
        self.now, _, call, arguments = heappop(self._heap)
        call(*arguments)
        return True
