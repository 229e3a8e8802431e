"""Hard: evaluating expressions and numerals."""

from itertools import permutations
from random import Random

from bowerbird.tasks.katas.draw import ints, mix
from bowerbird.tasks.katas.family import Args, Draft, Draw, code, family


def sums(operators: str) -> Draw:
    def draw(rng: Random) -> Args:
        text = str(rng.randint(0, 12))
        for _ in range(rng.randint(1, 4)):
            text += rng.choice(operators) + str(rng.randint(0, 12))
        return (text,)

    return draw


@family(0.85, [(a, b, n) for a, b in permutations("+-*", 2) for n in range(1, 6)])
def precedence(first: str, second: str, n: int) -> Draft:
    third = next(c for c in "+-*" if c not in (first, second))
    body = code(
        """
        operations = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
        tokens, number = [], ""
        for c in s:
            if c.isdigit():
                number += c
            else:
                tokens += [int(number), c]
                number = ""
        tokens.append(int(number))
        for op in ($first, $second, $third):
            i = 1
            while i < len(tokens):
                if tokens[i] == op:
                    tokens[i - 1:i + 2] = [operations[op](tokens[i - 1], tokens[i + 1])]
                else:
                    i += 2
        return tokens[0] + $n
        """,
        first=first,
        second=second,
        third=third,
        n=n,
    )
    names = {"+": "plus", "-": "minus", "*": "times"}
    return Draft(
        f"calc_{names[first]}_{names[second]}_plus_{n}",
        "s",
        f'evaluates an expression like "2+3*4-1" where "{first}" binds tightest, then "{second}", '
        f'then "{third}", each from left to right, and returns the result plus {n}',
        body,
        sums("+-*"),
        (("7",), ("2+3*4-1",), ("10-2-3",), ("2*3-4+5*6",)),
    )


@family(0.80, range(2, 22))
def left_to_right(n: int) -> Draft:
    body = code(
        """
        total, sign, number = 0, "+", ""
        for c in s + "+":
            if c.isdigit():
                number += c
                continue
            if sign == "+":
                total += int(number)
            elif sign == "-":
                total -= int(number)
            else:
                total *= int(number)
            sign, number = c, ""
        return total % $n
        """,
        n=n,
    )
    return Draft(
        f"calc_mod_{n}",
        "s",
        f'evaluates an expression like "2+3*4" strictly from left to right, without precedence, and '
        f"returns the result modulo {n}",
        body,
        sums("+-*"),
        (("7",), ("2+3*4",), ("0-1",), ("10-2*3-4",)),
    )


@family(0.70, range(1, 40))
def roman_plus(n: int) -> Draft:
    body = code(
        """
        x += $n
        out = ""
        for value, letters in ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
                               (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
            while x >= value:
                out += letters
                x -= value
        return out
        """,
        n=n,
    )
    return Draft(
        f"roman_plus_{n}",
        "x",
        f"returns x plus {n} written as a Roman numeral",
        body,
        mix(ints(1, 60), ints(60, 2000)),
        ((0,), (944 - n,), (499 - n,), (1666 - n,)),
    )


@family(0.70, range(1, 40))
def from_roman_plus(n: int) -> Draft:
    body = code(
        """
        values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
        total = 0
        for i, c in enumerate(s):
            smaller = i + 1 < len(s) and values[c] < values[s[i + 1]]
            total += -values[c] if smaller else values[c]
        return total + $n
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        ones = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
        tens = ("", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC")
        hundreds = ("", "", "C", "CC", "CD", "D", "CM")
        return (rng.choice(hundreds) + rng.choice(tens) + rng.choice(ones) or "I",)

    return Draft(
        f"from_roman_plus_{n}",
        "s",
        f"reads the Roman numeral s and returns its value plus {n}",
        body,
        draw,
        (("IV",), ("MCMXCIV",), ("XLIX",), ("VI",)),
    )
