"""Trees to numbers."""

from minicalc.parser import Parser

FUNCTIONS = {"min": min, "max": max, "abs": abs}


class Session:
    """Remembers names between lines."""

    def __init__(self):
        self._values = {}

    def run(self, line):
        """The value of `expression` or `name = expression`. Raises ValueError and KeyError."""
        name, equals, rest = line.partition("=")
        if equals:
            name = name.strip()
            if not name.isidentifier():
                raise ValueError(f"no name: {name!r}")
            self._values[name] = self.value(Parser(rest).parse())
            return self._values[name]
        return self.value(Parser(line).parse())

    def value(self, tree):
        if isinstance(tree, int):
            return tree
        if isinstance(tree, str):
            if tree not in self._values:
                raise KeyError(tree)
            return self._values[tree]
        if tree[0] == "neg":
            return -self.value(tree[1])
        if tree[0] == "call":
            return self._call(tree[1], [self.value(argument) for argument in tree[2]])
        return operate(tree[0], self.value(tree[1]), self.value(tree[2]))

    def _call(self, name, values):
        if name not in FUNCTIONS:
            raise KeyError(name)
        if not values:
            raise ValueError(f"{name} needs an argument")
        if name == "abs":
            return abs(values[0])
        return FUNCTIONS[name](values)

    def names(self):
        return sorted(self._values)


def operate(sign, left, right):
    """Division rounds towards zero. Raises ValueError for a division by zero."""
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right == 0:
        raise ValueError("division by zero")
    whole = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        whole = -whole
    return whole if sign == "/" else left - whole * right
