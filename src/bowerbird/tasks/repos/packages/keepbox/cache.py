"""A cache that forgets what was not used longest, and what is too old. Time is told by the caller."""


class Cache:
    """At most `size` entries, each for `keep` units of time."""

    def __init__(self, size, keep):
        if size < 1 or keep < 1:
            raise ValueError("size and keep are at least 1")
        self._size = size
        self._keep = keep
        self._values = {}
        self._born = {}
        self.hits = 0
        self.misses = 0

    def put(self, name, value, now):
        """The newest entry is the last to go."""
        self._forget_old(now)
        if name in self._values:
            del self._values[name]
        elif len(self._values) >= self._size:
            oldest = next(iter(self._values))
            self._drop(oldest)
        self._values[name] = value
        self._born[name] = now

    def get(self, name, now, default=None):
        """Counts hits and misses; an entry that is got is the last to go."""
        self._forget_old(now)
        if name not in self._values:
            self.misses += 1
            return default
        self.hits += 1
        value = self._values.pop(name)
        self._values[name] = value
        return value

    def names(self, now):
        """The next to go first."""
        self._forget_old(now)
        return list(self._values)

    def rate(self):
        """Hits in percent of all gets, rounded down; 0 before the first."""
        asked = self.hits + self.misses
        return 100 * self.hits // asked if asked else 0

    def _forget_old(self, now):
        for name in [name for name, born in self._born.items() if now - born >= self._keep]:
            self._drop(name)

    def _drop(self, name):
        del self._values[name]
        del self._born[name]
