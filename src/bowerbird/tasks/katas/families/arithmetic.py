"""Very easy: one or two operations on integers."""

from itertools import product

from bowerbird.tasks.katas.draw import ints
from bowerbird.tasks.katas.family import Draft, family


@family(0.02, range(2, 100))
def add_constant(n: int) -> Draft:
    return Draft(f"add_{n}", "x", f"returns x plus {n}", f"return x + {n}", ints(-50, 99), ((0,), (-n,), (1,)))


@family(0.05, range(2, 100))
def subtract_constant(n: int) -> Draft:
    return Draft(f"subtract_{n}", "x", f"returns x minus {n}", f"return x - {n}", ints(-50, 150), ((0,), (n,), (-n,)))


@family(0.08, range(10, 130))
def subtract_from(n: int) -> Draft:
    return Draft(
        f"subtract_from_{n}", "x", f"returns {n} minus x", f"return {n} - x", ints(-50, 150), ((0,), (n,), (n + 1,))
    )


@family(0.03, range(3, 60))
def multiply_constant(n: int) -> Draft:
    return Draft(f"times_{n}", "x", f"returns x times {n}", f"return x * {n}", ints(-20, 40), ((0,), (1,), (-1,)))


@family(0.15, product(range(2, 13), range(2, 21)))
def multiply_then_add(a: int, b: int) -> Draft:
    return Draft(
        f"times_{a}_plus_{b}",
        "x",
        f"multiplies x by {a}, adds {b} and returns the result",
        f"return x * {a} + {b}",
        ints(-20, 40),
        ((0,), (1,), (-1,)),
    )


@family(0.18, [(a, b) for a, b in product(range(2, 21), range(2, 13)) if a * b > 20])  # else: multiply_then_add
def add_then_multiply(a: int, b: int) -> Draft:
    return Draft(
        f"plus_{a}_times_{b}",
        "x",
        f"adds {a} to x, multiplies the sum by {b} and returns the result",
        f"return (x + {a}) * {b}",
        ints(-20, 40),
        ((0,), (1,), (-a,)),
    )


@family(0.10, range(2, 80))
def square_plus(n: int) -> Draft:
    return Draft(
        f"square_plus_{n}",
        "x",
        f"returns the square of x plus {n}",
        f"return x * x + {n}",
        ints(-15, 25),
        ((0,), (1,), (-3,)),
    )


@family(0.15, range(3, 40))
def floor_divide(n: int) -> Draft:
    return Draft(
        f"divide_by_{n}",
        "x",
        f"returns x divided by {n}, rounded down to an integer",
        f"return x // {n}",
        ints(0, 40 * n),
        ((0,), (n,), (n - 1,), (-1,)),
    )


@family(0.10, range(3, 40))
def remainder(n: int) -> Draft:
    return Draft(
        f"mod_{n}",
        "x",
        f"returns the remainder of x divided by {n}",
        f"return x % {n}",
        ints(0, 20 * n),
        ((0,), (n,), (n - 1,), (n + 1,)),
    )


@family(0.05, range(2, 100))
def sum_two_plus(n: int) -> Draft:
    return Draft(
        f"add_plus_{n}",
        "a, b",
        f"returns a plus b plus {n}",
        f"return a + b + {n}",
        ints(-30, 60, 2),
        ((0, 0), (-n, 0), (5, -5)),
    )


@family(0.08, range(2, 100))
def product_two_plus(n: int) -> Draft:
    return Draft(
        f"multiply_plus_{n}",
        "a, b",
        f"returns a times b plus {n}",
        f"return a * b + {n}",
        ints(-9, 20, 2),
        ((0, 7), (1, 1), (-1, n)),
    )


@family(0.10, range(2, 60))
def difference_times(n: int) -> Draft:
    return Draft(
        f"difference_times_{n}",
        "a, b",
        f"returns (a - b) * {n}",
        f"return (a - b) * {n}",
        ints(-20, 40, 2),
        ((0, 0), (0, 1), (1, 0)),
    )


@family(0.08, range(2, 80))
def sum_three_minus(n: int) -> Draft:
    return Draft(
        f"sum_minus_{n}",
        "a, b, c",
        f"returns the sum of a, b and c, minus {n}",
        f"return a + b + c - {n}",
        ints(-20, 50, 3),
        ((0, 0, 0), (n, 0, 0), (0, 0, n)),
    )


@family(0.20, range(2, 80))
def distance_from(n: int) -> Draft:
    return Draft(
        f"distance_from_{n}",
        "x",
        f"returns the absolute difference between x and {n}",
        f"return abs(x - {n})",
        ints(-40, 120),
        ((n,), (0,), (n - 1,), (n + 1,)),
    )


@family(0.20, product(range(2, 6), range(1, 20)))
def power_plus(n: int, c: int) -> Draft:
    return Draft(
        f"power_{n}_plus_{c}",
        "x",
        f"returns x to the power of {n}, plus {c}",
        f"return x ** {n} + {c}",
        ints(-9, 14),
        ((0,), (1,), (-1,)),
    )
