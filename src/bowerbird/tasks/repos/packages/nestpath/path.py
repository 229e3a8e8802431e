"""Paths into nested dicts and lists, such as `users[0].name`."""


def parse(text):
    """Steps: names as text, places as numbers. Raises ValueError."""
    steps = []
    i = 0
    while i < len(text):
        if text[i] == "[":
            end = text.find("]", i)
            inside = text[i + 1 : end]
            if end < 0 or not inside.lstrip("-").isdigit():
                raise ValueError(f"no place at {i}")
            steps.append(int(inside))
            i = end + 1
        else:
            if text[i] == ".":
                i += 1
            end = i
            while end < len(text) and text[end] not in ".[":
                end += 1
            if end == i:
                raise ValueError(f"no name at {i}")
            steps.append(text[i:end])
            i = end
    return steps


def show(steps):
    """The other way round."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
