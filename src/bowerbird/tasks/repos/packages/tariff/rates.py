"""Prices that depend on how much is taken."""


def tiered(count, tiers):
    """Each tier is (up to, cents each); the last one's limit is None. Every unit costs what its own tier says."""
    cents = 0
    before = 0
    for limit, price in tiers:
        last = count if limit is None else min(count, limit)
        if last > before:
            cents += (last - before) * price
            before = last
    return cents


def price_at(count, tiers):
    """What the unit of that number costs."""
    for limit, price in tiers:
        if limit is None or count <= limit:
            return price
    raise ValueError("the tiers end too early")


def discount(cents, rules):
    """The largest of the discounts (from, percent) that the amount reaches, in percent."""
    best = 0
    for least, percent in rules:
        if cents >= least and percent > best:
            best = percent
    return best
