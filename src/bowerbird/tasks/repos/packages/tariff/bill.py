"""Bills: lines, a discount, and tax by class."""

from tariff.money import share
from tariff.rates import discount, tiered


class Bill:
    """Lines of a name, cents and a class of tax."""

    def __init__(self, taxes, rules=()):
        self._taxes = dict(taxes)
        self._rules = list(rules)
        self._lines = []

    def add(self, name, count, tiers, kind):
        """A line's cents. Raises KeyError for an unknown class of tax, ValueError for a count below 1."""
        if kind not in self._taxes:
            raise KeyError(kind)
        if count < 1:
            raise ValueError("a count is at least 1")
        cents = tiered(count, tiers)
        self._lines.append((name, cents, kind))
        return cents

    def net(self):
        """The lines' sum less the discount."""
        cents = sum(line[1] for line in self._lines)
        return cents - share(cents, discount(cents, self._rules))

    def tax(self):
        """By class, on the lines' shares of the net amount. Classes without lines are left out."""
        whole = sum(line[1] for line in self._lines)
        percent = discount(whole, self._rules)
        found = {}
        for kind in sorted(self._taxes):
            cents = sum(line[1] for line in self._lines if line[2] == kind)
            if cents > 0:
                found[kind] = share(cents - share(cents, percent), self._taxes[kind])
        return found

    def gross(self):
        return self.net() + sum(self.tax().values())

    def dearest(self):
        """The name of the dearest line, the first of equals; "" without lines."""
        best = ""
        most = -1
        for name, cents, _ in self._lines:
            if cents > most:
                best, most = name, cents
        return best
