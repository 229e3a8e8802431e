"""How long what is left will take."""

from collections import deque


class Pace:
    """Seconds per step over the last few: steps become slower or faster as the policy changes."""

    def __init__(self, window: int = 8) -> None:
        self._recent: deque[float] = deque(maxlen=window)

    def add(self, seconds: float) -> None:
        self._recent.append(seconds)

    def left(self, steps: int) -> float:
        """Seconds for `steps` more; 0 before the first step, when nothing is known."""
        return steps * sum(self._recent) / len(self._recent) if self._recent else 0.0
