"""Medium: loops over integers, digits and divisors."""

from itertools import product

from bowerbird.tasks.katas.draw import int_lists, ints, join, mix
from bowerbird.tasks.katas.family import Draft, code, family

# "above a prime": bounds between two primes would make the same task twice.
PRIMES = tuple(n for n in range(2, 200) if all(n % d for d in range(2, n)))


@family(0.40, range(2, 40))
def sum_from(n: int) -> Draft:
    return Draft(
        f"sum_from_{n}",
        "x",
        f"returns the sum of all integers from {n} to x inclusive, or 0 if x is less than {n}",
        f"return sum(range({n}, x + 1))",
        ints(n, n + 40),
        ((n,), (n - 1,), (n + 1,), (0,)),
    )


@family(0.45, range(2, 20))
def count_multiples_below(n: int) -> Draft:
    return Draft(
        f"multiples_of_{n}_below",
        "x",
        f"returns how many positive multiples of {n} are less than x",
        f"return max(0, (x - 1) // {n})",
        ints(1, 15 * n),
        ((0,), (n,), (n + 1,), (-5,)),
    )


@family(0.45, range(2, 60))
def digit_sum_plus(n: int) -> Draft:
    return Draft(
        f"digit_sum_plus_{n}",
        "x",
        f"returns the sum of the digits of the positive integer x, plus {n}",
        f"return sum(int(d) for d in str(x)) + {n}",
        mix(ints(1, 999), ints(1000, 99999)),
        ((1,), (100,), (99,), (909,)),
    )


@family(0.45, range(10))
def count_digit(n: int) -> Draft:
    return Draft(
        f"count_digit_{n}",
        "x",
        f"returns how many times the digit {n} occurs in the positive integer x",
        f'return str(x).count("{n}")',
        lambda rng: (
            int("".join(rng.choice(f"{n}{n}123456789") for _ in range(rng.randint(2, 6))).lstrip("0") or "7"),
        ),
        ((int(f"{n or 1}{n}{n}"),), (int(f"{n or 1}5{n}"),), (12 if n > 2 else 78,)),
    )


@family(0.50, product(range(2, 6), range(1, 6)))
def factorial_step(k: int, c: int) -> Draft:
    body = code(
        """
        result = 1
        while x > 0:
            result *= x
            x -= $k
        return result + $c
        """,
        k=k,
        c=c,
    )
    return Draft(
        f"factorial_by_{k}_plus_{c}",
        "x",
        f"multiplies x, x - {k}, x - {2 * k} and so on while positive, and returns the product plus {c}",
        body,
        ints(1, 14),
        ((0,), (1,), (k,), (k + 1,)),
    )


@family(0.40, range(3, 30))
def next_multiple(n: int) -> Draft:
    return Draft(
        f"next_multiple_of_{n}",
        "x",
        f"returns the smallest multiple of {n} that is greater than x",
        f"return (x // {n} + 1) * {n}",
        ints(0, 12 * n),
        ((0,), (n,), (n - 1,), (-1,)),
    )


@family(0.40, range(3, 30))
def round_to_multiple(n: int) -> Draft:
    return Draft(
        f"round_up_to_{n}",
        "x",
        f"rounds x up to a multiple of {n} and returns it (x itself if it is one)",
        f"return -(-x // {n}) * {n}",
        mix(ints(0, 12 * n), join(lambda rng: (rng.randint(1, 9) * n,))),
        ((0,), (n,), (n - 1,), (n + 1,)),
    )


@family(0.60, range(2, 12))
def to_base(n: int) -> Draft:
    body = code(
        """
        digits = []
        while x > 0:
            digits.append("0123456789a"[x % $n])
            x //= $n
        return "".join(reversed(digits)) or "0"
        """,
        n=n,
    )
    extra = ', with "a" for ten' if n == 11 else ""
    return Draft(
        f"to_base_{n}",
        "x",
        f"returns the non-negative integer x written in base {n} as a string{extra}",
        body,
        ints(1, n**4),
        ((0,), (n,), (n - 1,), (n * n + 1,)),
    )


@family(0.55, product(range(2, 8), range(1, 6)))
def from_base(n: int, c: int) -> Draft:
    return Draft(
        f"from_base_{n}_plus_{c}",
        "s",
        f"reads the string s as a number in base {n} and returns it as an integer plus {c}",
        f"return int(s, {n}) + {c}",
        lambda rng: ("".join(str(rng.randrange(n)) for _ in range(rng.randint(2, 6))),),
        (("0",), ("1",), ("10",), ("0011",)),
    )


@family(0.50, range(2, 40))
def smallest_factor_above(n: int) -> Draft:
    body = code(
        """
        for d in range($n, x + 1):
            if x % d == 0:
                return d
        return -1
        """,
        n=n,
    )
    return Draft(
        f"factor_from_{n}",
        "x",
        f"returns the smallest divisor of x that is at least {n}, or -1 if there is none",
        body,
        mix(ints(n, 200), ints(1, n)),
        ((n,), (n - 1,), (2 * n,), (n + 1,)),
    )


@family(0.55, [n for n in PRIMES if n < 98])
def is_prime_and_above(n: int) -> Draft:
    body = code(
        """
        if x <= $n or x < 2:
            return False
        return all(x % d for d in range(2, int(x ** 0.5) + 1))
        """,
        n=n,
    )
    return Draft(
        f"prime_above_{n}",
        "x",
        f"returns True if x is a prime number greater than {n}, otherwise False",
        body,
        mix(ints(0, n), ints(n + 1, n + 80), lambda rng: (rng.choice([p for p in PRIMES if p > n]),)),
        ((121,), (169,), (n,), (199,)),
    )


@family(0.55, product(range(2, 6), range(2, 12)))
def collatz_steps(k: int, c: int) -> Draft:
    body = code(
        """
        steps = 0
        while x > 1:
            x = x // $k if x % $k == 0 else x - 1
            steps += $c
        return steps
        """,
        k=k,
        c=c,
    )
    return Draft(
        f"steps_{k}_cost_{c}",
        "x",
        f"divides x by {k} if it is divisible, else subtracts 1, until x is at most 1, and returns "
        f"{c} times the number of steps",
        body,
        ints(2, 120),
        ((1,), (0,), (k,), (k * k + 1,)),
    )


@family(0.45, product(range(2, 12), range(2, 8)))
def gcd_plus(n: int, c: int) -> Draft:
    body = code(
        """
        x = a * $c
        while b:
            x, b = b, x % b
        return x + $n
        """,
        n=n,
        c=c,
    )
    return Draft(
        f"gcd_{c}a_b_plus_{n}",
        "a, b",
        f"returns the greatest common divisor of {c} times a and b (both positive), plus {n}",
        body,
        mix(ints(1, 40, 2), lambda rng: (6 * rng.randint(1, 8), 12 * rng.randint(1, 8))),
        ((1, 1), (c, c), (12, 12 * c)),
    )


@family(0.50, range(2, 40))
def divisors_up_to(n: int) -> Draft:
    return Draft(
        f"divisors_plus_{n}",
        "x",
        f"returns the sorted list of all divisors of the positive integer x, each plus {n}",
        f"return [d + {n} for d in range(1, x + 1) if x % d == 0]",
        ints(2, 60),
        ((1,), (2,), (36,), (37,)),
    )


@family(0.50, range(2, 30))
def second_largest_minus(n: int) -> Draft:
    body = code(
        """
        distinct = sorted(set(numbers))
        return distinct[-2] - $n if len(distinct) > 1 else -1
        """,
        n=n,
    )
    return Draft(
        f"second_largest_minus_{n}",
        "numbers",
        f"returns the second largest distinct number of the list minus {n}, or -1 if there are not "
        "two distinct numbers",
        body,
        int_lists(n, n + 40, 2, 5),
        (([],), ([5, 5],), ([50, 90, 90],), ([90, 50, 60],)),
    )
