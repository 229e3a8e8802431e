"""Medium: building and walking sequences."""

from itertools import product

from bowerbird.tasks.katas.draw import int_lists, ints, mix, strings, word_lists, words
from bowerbird.tasks.katas.family import Draft, code, family


@family(0.50, product(range(6), range(1, 8)))
def fibonacci_like(a: int, b: int) -> Draft:
    body = code(
        """
        a, b = $a, $b
        for _ in range(n):
            a, b = b, a + b
        return a
        """,
        a=a,
        b=b,
    )
    return Draft(
        f"fib_{a}_{b}",
        "n",
        f"returns item n of the sequence that starts with {a}, {b} and where each next item is the "
        f"sum of the two before (item 0 is {a})",
        body,
        ints(3, 20),
        ((0,), (1,), (2,)),
    )


@family(0.30, product(range(1, 20), range(2, 10)))
def arithmetic_sequence(start: int, step: int) -> Draft:
    return Draft(
        f"sequence_{start}_step_{step}",
        "n",
        f"returns the list of the first n numbers of the sequence {start}, {start + step}, {start + 2 * step}, ...",
        f"return [{start} + {step} * i for i in range(n)]",
        ints(2, 12),
        ((0,), (1,), (2,)),
    )


@family(0.35, product(range(1, 8), range(2, 6)))
def geometric_sequence(start: int, factor: int) -> Draft:
    return Draft(
        f"powers_{start}_times_{factor}",
        "n",
        f"returns a list of n numbers that starts with {start} and where each next number is {factor} "
        "times the one before",
        f"return [{start} * {factor} ** i for i in range(n)]",
        ints(2, 12),
        ((0,), (1,), (2,)),
    )


@family(0.35, range(2, 12))
def countdown(step: int) -> Draft:
    return Draft(
        f"countdown_by_{step}",
        "x",
        f"returns the list x, x - {step}, x - {2 * step} and so on, as long as the numbers are positive",
        f"return list(range(x, 0, -{step}))",
        ints(2, 8 * step),
        ((0,), (step,), (1,), (step + 1,)),
    )


@family(0.50, range(1, 12))
def rotate_left(n: int) -> Draft:
    body = code(
        """
        if not items:
            return []
        k = $n % len(items)
        return items[k:] + items[:k]
        """,
        n=n,
    )
    return Draft(
        f"rotate_left_{n}",
        "items",
        f"returns the list rotated to the left by {n} places",
        body,
        int_lists(0, 30, 2, 7),
        (([],), ([5],), (list(range(n + 2)),), ([1, 2, 3],)),
    )


@family(0.45, range(2, 12))
def chunk(n: int) -> Draft:
    return Draft(
        f"chunk_{n}",
        "items",
        f"splits the list into lists of {n} items (the last may be shorter) and returns the list of lists",
        f"return [items[i:i + {n}] for i in range(0, len(items), {n})]",
        int_lists(0, 20, 2, 2 * n + 3),
        (([],), ([1],), (list(range(n)),), (list(range(n + 1)),)),
    )


@family(0.45, range(2, 40))
def running_total(n: int) -> Draft:
    body = code(
        """
        total, totals = $n, []
        for x in numbers:
            total += x
            totals.append(total)
        return totals
        """,
        n=n,
    )
    return Draft(
        f"running_total_from_{n}",
        "numbers",
        f"returns the list of running totals of the numbers, starting from {n}",
        body,
        int_lists(-9, 20, 2, 5),
        (([],), ([0],), ([1, -1, 5],)),
    )


@family(0.45, range(2, 60))
def has_pair_with_sum(n: int) -> Draft:
    body = code(
        """
        return any(x + y == $n for i, x in enumerate(numbers) for y in numbers[i + 1:])
        """,
        n=n,
    )
    hit = mix(ints(0, n), ints(-9, n + 9))
    return Draft(
        f"pair_sum_{n}",
        "numbers",
        f"returns True if two different items of the list add up to {n}, otherwise False",
        body,
        mix(int_lists(0, n + 5, 2, 4), lambda rng: (int_lists(0, n + 5, 1, 2)(rng)[0] + [v := hit(rng)[0], 1, n - v],)),
        (([],), ([n // 2, 1, 1 + n % 2],), ([n, 0],), ([n + 1, 3, -1],)),
    )


@family(0.55, range(1, 26))
def caesar(n: int) -> Draft:
    body = code(
        """
        return "".join(chr((ord(c) - 97 + $n) % 26 + 97) if "a" <= c <= "z" else c for c in s)
        """,
        n=n,
    )
    return Draft(
        f"caesar_{n}",
        "s",
        f"shifts each lower case letter of s forward by {n}, wrapping after z, leaves other "
        "characters, and returns the string",
        body,
        mix(words(), lambda rng: (words()(rng)[0] + "-" + strings("xyzab ", 1, 4)(rng)[0],)),
        (("",), ("z",), ("A1!{`",), ("abcxyz",)),
    )


@family(0.40, product("-_*.:", range(2, 6)))
def pad_left(mark: str, extra: int) -> Draft:
    width = extra * 3
    name = {"-": "dash", "_": "underscore", "*": "star", ".": "dot", ":": "colon"}[mark]
    return Draft(
        f"pad_{name}_{width}",
        "s",
        f'returns the string s with "{mark}" added on the left until it has {width} characters',
        f'return s.rjust({width}, "{mark}")',
        mix(words(), strings("abc", 1, width + 2)),
        (("",), ("a" * width,), ("a" * (width + 1),), ("a" * (width - 1),)),
    )


@family(0.50, range(2, 12))
def sliding_sums(n: int) -> Draft:
    return Draft(
        f"window_sums_{n}",
        "numbers",
        f"returns the list of the sums of every {n} neighbouring numbers of the list",
        f"return [sum(numbers[i:i + {n}]) for i in range(len(numbers) - {n} + 1)]",
        int_lists(0, 20, n, n + 4),
        (([],), (list(range(n)),), (list(range(n + 1)),), ([1] * (n - 1),)),
    )


@family(0.45, "abcdefghij")
def interleave_with(c: str) -> Draft:
    return Draft(
        f"interleave_{c}",
        "s",
        f'returns the string s with "{c}" inserted between every two neighbouring characters',
        f'return "{c}".join(s)',
        words(),
        (("",), ("x",), ("xy",), (c + c,)),
    )


@family(0.50, range(2, 14))
def initials_of_long(n: int) -> Draft:
    return Draft(
        f"initials_from_{n}",
        "words",
        f"returns a string with the first letters in upper case of all words that have at least {n} letters",
        f'return "".join(w[0].upper() for w in words if len(w) >= {n})',
        lambda rng: (
            word_lists(2, 3)(rng)[0] + [("xyzuvw" * 3)[rng.randrange(6) :][: rng.randint(1, 15)] for _ in range(2)],
        ),
        (([],), (["a" + "z" * (n - 1), "b" * (n - 1)],), (["", "c" + "d" * n],)),
    )


@family(0.50, product(("words", "letters"), range(2, 8)))
def reverse_each(unit: str, n: int) -> Draft:
    if unit == "words":
        body = f'return " ".join(w[::-1] if len(w) >= {n} else w for w in s.split(" "))'
        does = f"reverses each word of s that has at least {n} letters, leaves the others, and returns the string"
    else:
        body = f'return "".join(s[i:i + {n}][::-1] for i in range(0, len(s), {n}))'
        does = f"cuts s into pieces of {n} characters (the last may be shorter), reverses each and returns them joined"
    return Draft(
        f"reverse_{unit}_{n}",
        "s",
        does,
        body,
        lambda rng: (
            " ".join(
                rng.choice(("ab", "cat", "tiger", "lemon", "ox", "planet", "ab" * 4)) for _ in range(rng.randint(2, 4))
            ),
        ),
        (("",), ("a",), ("abcdefghi"[:n],), ("ab cdefghijk lm",)),
    )
