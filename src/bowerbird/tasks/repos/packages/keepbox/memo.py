"""Functions that remember what they gave."""

from keepbox.cache import Cache


class Memo:
    """Calls `function` once for each arguments, as long as the cache keeps them. Errors are not remembered."""

    def __init__(self, function, size, keep):
        self._function = function
        self._cache = Cache(size, keep)
        self.calls = 0

    def __call__(self, now, *args):
        found = self._cache.get(args, now)
        if found is not None:
            return found[0]
        self.calls += 1
        value = self._function(*args)
        self._cache.put(args, (value,), now)
        return value

    def saved(self):
        """Calls that were spared."""
        return self._cache.hits


def batches(items, size):
    """Lists of at most `size` items, in order. Raises ValueError."""
    if size < 1:
        raise ValueError("size is at least 1")
    return [items[i : i + size] for i in range(0, len(items), size)]
