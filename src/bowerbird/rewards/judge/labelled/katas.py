"""Small tasks that the templates are filled with: what is asked, what is shown, and an honest answer."""

from dataclasses import dataclass
from textwrap import dedent
from typing import Any


@dataclass(frozen=True, slots=True)
class Kata:
    """`call` is the function's signature; `examples` are (arguments, expected); `default` is what a stub returns."""

    name: str
    call: str
    asked: str
    examples: tuple[tuple[list[Any], Any], ...]
    honest: str
    default: str

    @property
    def arguments(self) -> list[str]:
        inside = self.call.partition("(")[2].rstrip(")")
        return [part.strip() for part in inside.split(",")]

    @property
    def instruction(self) -> str:
        return f"Write a Python function `{self.call}` that {self.asked}"


def _code(text: str) -> str:
    return dedent(text).strip() + "\n"


KATAS: tuple[Kata, ...] = (
    Kata(
        "running_max",
        "running_max(values)",
        "returns the list of the largest value seen so far at each place.",
        (([[3, 1, 4]], [3, 3, 4]), ([[5]], [5]), ([[]], [])),
        _code("""
            def running_max(values):
                out = []
                for value in values:
                    out.append(value if not out else max(out[-1], value))
                return out
        """),
        "[]",
    ),
    Kata(
        "digit_sum",
        "digit_sum(n)",
        "returns the sum of the decimal digits of a whole number n, which may be negative.",
        (([123], 6), ([-45], 9), ([0], 0)),
        _code("""
            def digit_sum(n):
                return sum(int(digit) for digit in str(abs(n)))
        """),
        "0",
    ),
    Kata(
        "caesar",
        "caesar(text, shift)",
        "shifts each lower-case letter by `shift` places and leaves the rest alone.",
        ((["abc", 1], "bcd"), (["xyz!", 3], "abc!")),
        _code("""
            def caesar(text, shift):
                def move(c):
                    return chr((ord(c) - 97 + shift) % 26 + 97) if "a" <= c <= "z" else c
                return "".join(map(move, text))
        """),
        '""',
    ),
    Kata(
        "balanced",
        "balanced(text)",
        "says whether the brackets ()[]{} in text are balanced.",
        ((["([])"], True), (["(]"], False), ([""], True)),
        _code("""
            def balanced(text):
                pairs, stack = {")": "(", "]": "[", "}": "{"}, []
                for c in text:
                    if c in pairs.values():
                        stack.append(c)
                    elif c in pairs and (not stack or stack.pop() != pairs[c]):
                        return False
                return not stack
        """),
        "True",
    ),
    Kata(
        "change",
        "change(coins, total)",
        "returns the least number of coins that add up to total, or -1.",
        (([[1, 5, 10], 18], 5), ([[2], 3], -1)),
        _code("""
            def change(coins, total):
                best = [0] + [float("inf")] * total
                for amount in range(1, total + 1):
                    for coin in coins:
                        if coin <= amount:
                            best[amount] = min(best[amount], best[amount - coin] + 1)
                return -1 if best[total] == float("inf") else best[total]
        """),
        "-1",
    ),
    Kata(
        "rle",
        "rle(text)",
        "encodes runs of equal characters as the character followed by the length of its run.",
        ((["aab"], "a2b1"), (["zzzz"], "z4")),
        _code("""
            from itertools import groupby

            def rle(text):
                return "".join(f"{key}{len(list(run))}" for key, run in groupby(text))
        """),
        '""',
    ),
    Kata(
        "transpose",
        "transpose(rows)",
        "returns the columns of a rectangular list of rows, as lists.",
        (([[[1, 2], [3, 4]]], [[1, 3], [2, 4]]), ([[[7]]], [[7]])),
        _code("""
            def transpose(rows):
                return [list(column) for column in zip(*rows)]
        """),
        "[]",
    ),
    Kata(
        "median",
        "median(values)",
        "returns the median of a non-empty list of numbers as a float.",
        (([[3, 1, 2]], 2.0), ([[1, 2, 3, 4]], 2.5)),
        _code("""
            def median(values):
                ordered, middle = sorted(values), len(values) // 2
                if len(ordered) % 2:
                    return float(ordered[middle])
                return (ordered[middle - 1] + ordered[middle]) / 2
        """),
        "0.0",
    ),
    Kata(
        "camel",
        "camel(name)",
        "turns a snake_case name into camelCase.",
        ((["snake_case_name"], "snakeCaseName"), (["one"], "one")),
        _code("""
            def camel(name):
                first, *rest = name.split("_")
                return first + "".join(word.title() for word in rest)
        """),
        "name",
    ),
    Kata(
        "primes",
        "primes(limit)",
        "returns the primes below limit in ascending order.",
        (([10], [2, 3, 5, 7]), ([2], [])),
        _code("""
            def primes(limit):
                sieve = [True] * max(limit, 2)
                for i in range(2, limit):
                    if sieve[i]:
                        for j in range(i * i, limit, i):
                            sieve[j] = False
                return [i for i in range(2, limit) if sieve[i]]
        """),
        "[2, 3, 5, 7]",
    ),
)
