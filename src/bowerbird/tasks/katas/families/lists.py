"""Easy: one built-in, slice or method on a list."""

from itertools import product

from bowerbird.tasks.katas.draw import int_lists, lists_with, mix, word_lists
from bowerbird.tasks.katas.families.strings import MARKS
from bowerbird.tasks.katas.family import Draft, family, ordinal


@family(0.10, range(1, 12))
def first_items(n: int) -> Draft:
    return Draft(
        f"first_{n}_items",
        "items",
        f"returns the first {n} items of the list",
        f"return items[:{n}]",
        int_lists(0, 30, 1, n + 4),
        (([],), ([5],), (list(range(n + 1)),), (list(range(n)),)),
    )


@family(0.14, range(1, 12))
def last_items(n: int) -> Draft:
    return Draft(
        f"last_{n}_items",
        "items",
        f"returns the last {n} items of the list",
        f"return items[-{n}:]",
        int_lists(0, 30, 1, n + 4),
        (([],), ([5],), (list(range(n + 1)),), (list(range(n)),)),
    )


@family(0.14, range(1, 12))
def skip_items(n: int) -> Draft:
    return Draft(
        f"skip_{n}_items",
        "items",
        f"returns the list without its first {n} items",
        f"return items[{n}:]",
        int_lists(0, 30, 1, n + 5),
        (([],), ([5],), (list(range(n + 1)),), (list(range(n)),)),
    )


@family(0.15, range(2, 60))
def with_item(n: int) -> Draft:
    return Draft(
        f"append_{n}",
        "items",
        f"returns the list with {n} added at the end",
        f"return items + [{n}]",
        int_lists(0, 30, 1, 5),
        (([],), ([n],), ([n, 1],)),
    )


@family(0.12, range(2, 60))
def contains_item(n: int) -> Draft:
    return Draft(
        f"contains_{n}",
        "items",
        f"returns True if {n} is in the list, otherwise False",
        f"return {n} in items",
        lists_with(n, n - 9, n + 9),
        (([],), ([n],), ([1, n],), ([n + 1],)),
    )


@family(0.18, range(2, 60))
def count_item(n: int) -> Draft:
    return Draft(
        f"count_{n}",
        "items",
        f"returns how many times {n} occurs in the list",
        f"return items.count({n})",
        lists_with(n, n - 9, n + 9),
        (([],), ([n, n, n],), ([n, 0, n],), ([n + 1],)),
    )


@family(0.10, range(2, 80))
def sum_plus(n: int) -> Draft:
    return Draft(
        f"sum_plus_{n}",
        "numbers",
        f"returns the sum of the list plus {n}",
        f"return sum(numbers) + {n}",
        int_lists(-9, 30, 2, 5),
        (([],), ([7],), ([-n, 0],)),
    )


@family(0.15, range(2, 80))
def max_plus(n: int) -> Draft:
    return Draft(
        f"max_plus_{n}",
        "numbers",
        f"returns the largest number of the list plus {n}",
        f"return max(numbers) + {n}",
        int_lists(-20, 60, 2, 6),
        (([4],), ([-9, -2, -5],), ([8, 8],), ([9, 1],)),
    )


@family(0.15, range(2, 80))
def min_minus(n: int) -> Draft:
    return Draft(
        f"min_minus_{n}",
        "numbers",
        f"returns the smallest number of the list minus {n}",
        f"return min(numbers) - {n}",
        int_lists(-20, 60, 2, 6),
        (([4],), ([-9, -2, -5],), ([8, 8],), ([1, 9],)),
    )


@family(0.08, range(2, 60))
def length_times(n: int) -> Draft:
    return Draft(
        f"length_times_{n}",
        "items",
        f"returns the length of the list times {n}",
        f"return len(items) * {n}",
        mix(int_lists(0, 30, 1, 7), word_lists()),
        (([],), ([0],), ([0, 0],)),
    )


@family(0.20, range(2, 40))
def sorted_with(n: int) -> Draft:
    return Draft(
        f"sorted_with_{n}",
        "numbers",
        f"adds {n} to the end of the list and returns the list sorted",
        f"return sorted(numbers + [{n}])",
        int_lists(0, 50, 2, 5),
        (([],), ([n],), ([n + 5, n - 1],), ([3, 2, 1],)),
    )


@family(0.12, product(MARKS, (1, 2)))
def join_words(mark: str, times: int) -> Draft:
    text = MARKS[mark] * times
    return Draft(
        f"join_words_{mark}_{times}",
        "words",
        f'joins the list of words with "{text}" and returns the string',
        f'return "{text}".join(words)',
        word_lists(2, 4),
        (([],), (["a"],), (["", ""],)),
    )


@family(0.12, product(MARKS, (1, 2)))
def split_text(mark: str, times: int) -> Draft:
    text = MARKS[mark] * times
    draw = word_lists(1, 4)
    return Draft(
        f"split_{mark}_{times}",
        "s",
        f'splits the string s at every "{text}" and returns the list of parts',
        f'return s.split("{text}")',
        lambda rng: (text.join(draw(rng)[0]),),
        (("",), ("a",), (text,), (f"a b{text}c",)),
    )


@family(0.20, range(2, 60))
def reversed_with(n: int) -> Draft:
    return Draft(
        f"reverse_append_{n}",
        "items",
        f"returns the list reversed, with {n} added at the end",
        f"return items[::-1] + [{n}]",
        int_lists(0, 30, 2, 5),
        (([],), ([n],), ([1, 2],)),
    )


@family(0.20, product(range(2, 7), range(3)))
def every_nth(n: int, start: int) -> Draft:
    return Draft(
        f"every_{n}_from_{start}",
        "items",
        f"returns every {ordinal(n)} item of the list, starting at index {start}",
        f"return items[{start}::{n}]",
        int_lists(0, 40, 3, 12),
        (([],), ([5],), (list(range(13)),), ([3, 1, 2],)),
    )


@family(0.18, range(2, 60))
def max_minus_min_times(n: int) -> Draft:
    return Draft(
        f"range_times_{n}",
        "numbers",
        f"returns the largest minus the smallest number of the list, times {n}",
        f"return (max(numbers) - min(numbers)) * {n}",
        int_lists(-20, 50, 2, 6),
        (([4],), ([-9, -2],), ([8, 3, 8],)),
    )
