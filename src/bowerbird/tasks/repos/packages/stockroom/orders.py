"""Orders: lines of article and count, which are promised all or not at all."""

from stockroom.errors import Shortage


def total(lines):
    """Counts by article, lines of the same article together."""
    counts = {}
    for article, count in lines:
        counts[article] = counts.get(article, 0) + count
    return counts


def place(levels, lines):
    """Promise every line, or none of them."""
    done = []
    for article, count in sorted(total(lines).items()):
        try:
            levels.promise(article, count)
        except Shortage:
            for name, back in done:
                levels.release(name, back)
            raise
        done.append((article, count))
    return len(done)


def reorder(levels, wanted):
    """What to buy so that as much is free as wanted, by article."""
    missing = {}
    for article, count in wanted.items():
        lack = count - levels.free(article)
        if lack > 0:
            missing[article] = lack
    return missing


def largest(lines, count):
    """The articles asked for most, largest first, equal ones by name."""
    counts = total(lines)
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return ranked[:count]
