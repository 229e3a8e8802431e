"""Half-open spans of minutes, (start, end): the start belongs to a span and the end does not."""


def span(start, end):
    """Raises ValueError where nothing would lie within."""
    if end <= start:
        raise ValueError("a span ends after it starts")
    return (start, end)


def length(spans):
    """Minutes of spans that do not overlap."""
    return sum(end - start for start, end in spans)


def overlaps(first, second):
    return first[0] < second[1] and second[0] < first[1]


def merge(spans):
    """In order, and those that overlap or touch as one."""
    merged = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def subtract(whole, spans):
    """What is left of one span without the others."""
    left = []
    at = whole[0]
    for start, end in merge(spans):
        if end <= whole[0] or start >= whole[1]:
            continue
        if start > at:
            left.append((at, start))
        at = max(at, end)
    if at < whole[1]:
        left.append((at, whole[1]))
    return left
