"""How often something may happen."""

from collections import deque


class Limiter:
    """At most `count` times within `span` units of time."""

    def __init__(self, count, span):
        self._count = count
        self._span = span
        self._times = deque()

    def allow(self, now):
        """Whether it may happen now; then it counts."""
        self._forget(now)
        if len(self._times) >= self._count:
            return False
        self._times.append(now)
        return True

    def wait(self, now):
        """How long until it may happen; 0 where it may now."""
        self._forget(now)
        if len(self._times) < self._count:
            return 0
        return self._times[0] + self._span - now

    def _forget(self, now):
        while self._times and self._times[0] <= now - self._span:
            self._times.popleft()


class Backoff:
    """Waits that double, up to a limit, until something succeeds."""

    def __init__(self, first, most):
        self._first = first
        self._most = most
        self._next = first

    def failed(self):
        """How long to wait now."""
        wait = self._next
        self._next = min(2 * wait, self._most)
        return wait

    def succeeded(self):
        self._next = self._first
