"""Easy: comparisons and small decisions on integers."""

from itertools import combinations, product

from bowerbird.tasks.katas.draw import ints, join, mix
from bowerbird.tasks.katas.family import Draft, family

LABELS = (("big", "small"), ("high", "low"), ("yes", "no"), ("hot", "cold"), ("far", "near"), ("old", "young"))


@family(0.10, range(2, 90))
def is_greater_than(n: int) -> Draft:
    return Draft(
        f"is_greater_than_{n}",
        "x",
        f"returns True if x is greater than {n}, otherwise False",
        f"return x > {n}",
        ints(n - 40, n + 40),
        ((n,), (n + 1,), (n - 1,), (-n - 5,)),
    )


@family(0.10, range(2, 90))
def is_less_than(n: int) -> Draft:
    return Draft(
        f"is_less_than_{n}",
        "x",
        f"returns True if x is less than {n}, otherwise False",
        f"return x < {n}",
        ints(n - 40, n + 40),
        ((n,), (n - 1,), (n + 1,), (n + 500,)),
    )


@family(0.12, range(2, 40))
def is_divisible_by(n: int) -> Draft:
    multiple = ints(-5, 30)
    return Draft(
        f"is_divisible_by_{n}",
        "x",
        f"returns True if x is divisible by {n}, otherwise False",
        f"return x % {n} == 0",
        mix(ints(1, 20 * n), lambda rng: (multiple(rng)[0] * n,)),
        ((0,), (n,), (n + 1,), (2 * n - 1,)),
    )


@family(0.15, range(2, 100))
def sum_is(n: int) -> Draft:
    hit = ints(-20, n + 20)
    return Draft(
        f"sum_is_{n}",
        "a, b",
        f"returns True if a plus b is equal to {n}, otherwise False",
        f"return a + b == {n}",
        mix(ints(-20, n + 20, 2), lambda rng: (v := hit(rng)[0], n - v)),
        ((0, n), (n, 0), (n, 1), (0, 0)),
    )


@family(0.15, range(2, 100))
def larger_of(n: int) -> Draft:
    return Draft(
        f"max_with_{n}",
        "x",
        f"returns the larger of x and {n}",
        f"return max(x, {n})",
        ints(n - 40, n + 50),
        ((n,), (n + 1,), (n - 1,), (-n,)),
    )


@family(0.15, range(2, 100))
def smaller_of(n: int) -> Draft:
    return Draft(
        f"min_with_{n}",
        "x",
        f"returns the smaller of x and {n}",
        f"return min(x, {n})",
        ints(n - 50, n + 40),
        ((n,), (n + 1,), (n - 1,), (-n,)),
    )


@family(0.18, range(2, 80))
def largest_of_three_plus(n: int) -> Draft:
    return Draft(
        f"max_plus_{n}",
        "a, b, c",
        f"returns the largest of a, b and c, plus {n}",
        f"return max(a, b, c) + {n}",
        ints(-30, 60, 3),
        ((9, 1, 5), (1, 9, 5), (1, 5, 9), (-2, -2, -7)),
    )


@family(0.25, [(a, b) for a, b in combinations(range(1, 40), 2) if b - a >= 3])
def in_range(a: int, b: int) -> Draft:
    return Draft(
        f"between_{a}_and_{b}",
        "x",
        f"returns True if x is at least {a} and at most {b}, otherwise False",
        f"return {a} <= x <= {b}",
        mix(ints(a, b), ints(a - 20, b + 20)),
        ((a,), (b,), (a - 1,), (b + 1,)),
    )


@family(0.30, [(a, b) for a, b in combinations(range(1, 40), 2) if b - a >= 3])
def clamp(a: int, b: int) -> Draft:
    return Draft(
        f"clamp_{a}_{b}",
        "x",
        f"returns {a} if x is below {a}, {b} if x is above {b}, and x otherwise",
        f"return max({a}, min({b}, x))",
        mix(ints(a, b), ints(a - 20, b + 20)),
        ((a - 1,), (b + 1,), (a + 1,), (-100,)),
    )


@family(0.25, product(range(3, 60, 3), LABELS))
def label_above(n: int, labels: tuple[str, str]) -> Draft:
    above, other = labels
    return Draft(
        f"{above}_or_{other}_{n}",
        "x",
        f'returns "{above}" if x is greater than {n}, otherwise "{other}"',
        f'return "{above}" if x > {n} else "{other}"',
        ints(n - 40, n + 40),
        ((n,), (n + 1,), (n - 1,), (0,)),
    )


@family(0.30, product(range(2, 16), ("Fizz", "Buzz", "Boom", "Ping", "Zap")))
def fizz(n: int, word: str) -> Draft:
    multiple = ints(1, 20)
    return Draft(
        f"{word.lower()}_{n}",
        "x",
        f'returns "{word}" if x is divisible by {n}, otherwise x as a string',
        f'return "{word}" if x % {n} == 0 else str(x)',
        mix(ints(1, 99), lambda rng: (multiple(rng)[0] * n,)),
        ((0,), (n,), (n + 1,), (1,)),
    )


@family(0.25, range(2, 60))
def both_greater_than(n: int) -> Draft:
    above, near = ints(n + 1, n + 40), ints(n - 20, n + 20)
    return Draft(
        f"both_above_{n}",
        "a, b",
        f"returns True if a and b are both greater than {n}, otherwise False",
        f"return a > {n} and b > {n}",
        mix(join(above, above), join(near, near)),
        ((n, n + 1), (n + 1, n), (n + 1, n + 1), (n - 1, n + 30)),
    )


@family(0.35, product(range(2, 10), range(3, 20)))
def even_times_odd_plus(a: int, b: int) -> Draft:
    return Draft(
        f"even_{a}_odd_{b}",
        "x",
        f"returns x times {a} if x is even, and x plus {b} if x is odd",
        f"return x * {a} if x % 2 == 0 else x + {b}",
        ints(-30, 60),
        ((0,), (1,), (-1,), (-2,)),
    )
