"""Reading and changing what a path leads to."""

from nestpath.path import parse


def get(data, path, default=None):
    """What is there, or the default."""
    for step in parse(path):
        if isinstance(step, int):
            if not isinstance(data, list) or not -len(data) <= step < len(data):
                return default
        elif not isinstance(data, dict) or step not in data:
            return default
        data = data[step]
    return data


def put(data, path, value):
    """The data with the value set, dicts made on the way. A list grows by one place at most. Raises IndexError."""
    *before, last = parse(path)
    at = data
    for step in before:
        if isinstance(at, dict):
            at = at.setdefault(step, {})
        else:
            at = at[step]
    if isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return data


def remove(data, path):
    """What was there, and the data without it. Raises KeyError where there is nothing."""
    *before, last = parse(path)
    at = data
    for step in before:
        at = at[step]
    if isinstance(last, int):
        if not 0 <= last < len(at):
            raise KeyError(path)
    elif last not in at:
        raise KeyError(path)
    return at.pop(last), data
