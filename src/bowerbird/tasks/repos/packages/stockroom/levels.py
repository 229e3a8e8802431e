"""How much of each article is there, and how much of it is promised."""

from stockroom.errors import Shortage


class Levels:
    """Counts by article."""

    def __init__(self):
        self._there = {}
        self._promised = {}

    def add(self, article, count):
        if count <= 0:
            raise ValueError("a count is positive")
        self._there[article] = self._there.get(article, 0) + count

    def free(self, article):
        """What is there and not promised."""
        return self._there.get(article, 0) - self._promised.get(article, 0)

    def promise(self, article, count):
        if count > self.free(article):
            raise Shortage(article, count - self.free(article))
        self._promised[article] = self._promised.get(article, 0) + count

    def release(self, article, count):
        """Take a promise back, at most what was promised."""
        held = self._promised.get(article, 0)
        taken = min(count, held)
        self._promised[article] = held - taken
        return taken

    def ship(self, article, count):
        """Promised goods leave."""
        if count > self._promised.get(article, 0):
            raise Shortage(article, count - self._promised.get(article, 0))
        self._promised[article] -= count
        self._there[article] -= count

    def articles(self):
        return sorted(name for name, count in self._there.items() if count > 0)
