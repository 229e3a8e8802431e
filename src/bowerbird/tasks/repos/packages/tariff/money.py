"""Amounts in whole cents."""


def share(cents, percent):
    """So many percent of an amount, half a cent rounded up."""
    return (cents * percent + 50) // 100


def split(cents, parts):
    """As evenly as possible, the larger parts first. Raises ValueError."""
    if parts < 1:
        raise ValueError("at least one part")
    each, rest = divmod(cents, parts)
    return [each + 1] * rest + [each] * (parts - rest)


def show(cents):
    """ "12.05"; amounts below zero with a minus."""
    sign = "-" if cents < 0 else ""
    cents = abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def parse(text):
    """The other way round. Raises ValueError."""
    body = text[1:] if text.startswith("-") else text
    whole, point, part = body.partition(".")
    if not whole.isdigit() or (point and (len(part) != 2 or not part.isdigit())):
        raise ValueError(f"no amount: {text!r}")
    cents = int(whole) * 100 + (int(part) if part else 0)
    return -cents if text.startswith("-") else cents
