"""All of a nested value."""

from nestpath.path import show


def leaves(data, before=()):
    """Pairs of path and value, in order; empty dicts and lists are leaves too."""
    if isinstance(data, dict) and data:
        found = []
        for name in data:
            found += leaves(data[name], (*before, name))
        return found
    if isinstance(data, list) and data:
        found = []
        for i, value in enumerate(data):
            found += leaves(value, (*before, i))
        return found
    return [(show(before), data)]


def difference(old, new):
    """Paths of leaves that were added, removed and changed."""
    before, after = dict(leaves(old)), dict(leaves(new))
    added = sorted(path for path in after if path not in before)
    removed = sorted(path for path in before if path not in after)
    changed = sorted(path for path in after if path in before and before[path] != after[path])
    return {"added": added, "removed": removed, "changed": changed}


def depth(data):
    """How many steps the longest path has."""
    if isinstance(data, dict):
        return max((depth(value) + 1 for value in data.values()), default=0)
    if isinstance(data, list):
        return max((depth(value) + 1 for value in data), default=0)
    return 0
