"""Medium: a loop with a condition, or a comprehension."""

from itertools import product
from random import Random

from bowerbird.tasks.katas.draw import LETTERS, WORDS, int_lists, join, lists_with, mix, word_lists
from bowerbird.tasks.katas.family import Args, Draft, code, family


@family(0.30, range(2, 60))
def add_to_each(n: int) -> Draft:
    return Draft(
        f"add_{n}_to_each",
        "numbers",
        f"returns a new list with {n} added to each number",
        f"return [x + {n} for x in numbers]",
        int_lists(-20, 50, 2, 5),
        (([],), ([0],), ([-n, 1, 1],)),
    )


@family(0.30, range(3, 40))
def multiply_each(n: int) -> Draft:
    return Draft(
        f"times_{n}_each",
        "numbers",
        f"returns a new list with each number multiplied by {n}",
        f"return [x * {n} for x in numbers]",
        int_lists(-20, 50, 2, 5),
        (([],), ([0],), ([-1, 1, 1],)),
    )


@family(0.35, range(2, 60))
def keep_greater(n: int) -> Draft:
    return Draft(
        f"keep_above_{n}",
        "numbers",
        f"returns the numbers of the list that are greater than {n}",
        f"return [x for x in numbers if x > {n}]",
        int_lists(n - 15, n + 15, 3, 6),
        (([],), ([n, n + 1, n - 1],), ([n - 1],), ([n + 9, n + 2, n + 2],)),
    )


@family(0.35, range(2, 60))
def count_less(n: int) -> Draft:
    return Draft(
        f"count_below_{n}",
        "numbers",
        f"returns how many numbers of the list are less than {n}",
        f"return sum(x < {n} for x in numbers)",
        int_lists(n - 15, n + 15, 3, 7),
        (([],), ([n, n + 1, n - 1],), ([n - 1] * 5,), ([n],)),
    )


@family(0.35, range(2, 60))
def without_item(n: int) -> Draft:
    return Draft(
        f"without_{n}",
        "items",
        f"returns the list with every {n} removed",
        f"return [x for x in items if x != {n}]",
        lists_with(n, n - 9, n + 9),
        (([],), ([n, n],), ([n, 1, n, 1],), ([n + 1, n - 1],)),
    )


@family(0.40, range(2, 30))
def sum_multiples(n: int) -> Draft:
    multiple = int_lists(-3, 9, 1, 4)

    return Draft(
        f"sum_multiples_{n}",
        "numbers",
        f"returns the sum of the numbers in the list that are divisible by {n}",
        f"return sum(x for x in numbers if x % {n} == 0)",
        lambda rng: ([x * n for x in multiple(rng)[0]] + int_lists(1, 50, 1, 3)(rng)[0],),
        (([],), ([n, n + 1, 2 * n],), ([n + 1],), ([1, -n, 0],)),
    )


@family(0.40, range(2, 12))
def words_longer_than(n: int) -> Draft:
    return Draft(
        f"words_longer_than_{n}",
        "words",
        f"returns the words of the list that have more than {n} letters",
        f"return [w for w in words if len(w) > {n}]",
        lambda rng: ([w[: rng.randint(1, 12)] for w in word_lists(3, 5)(rng)[0]] + ["x" * rng.randint(1, 14)],),
        (([],), (["a" * n, "b" * (n + 1)],), (["", "a"],), (["c" * (n + 3)],)),
    )


@family(0.40, LETTERS)
def words_starting_with(c: str) -> Draft:
    return Draft(
        f"words_starting_with_{c}",
        "words",
        f'returns the words of the list that start with "{c}"',
        f'return [w for w in words if w.startswith("{c}")]',
        lambda rng: (rng.sample([c + w for w in WORDS[:20]] + list(WORDS[20:40]), rng.randint(2, 4)),),
        (([],), (["", c],), (["x" + c, c + "x", c.upper() + "x"],), (["xyz"],)),
    )


@family(0.35, range(2, 12))
def smallest_items(n: int) -> Draft:
    return Draft(
        f"smallest_{n}",
        "numbers",
        f"returns the {n} smallest numbers of the list, in ascending order",
        f"return sorted(numbers)[:{n}]",
        int_lists(0, 60, 2, n + 4),
        (([],), ([5],), (list(range(n + 2, 0, -1)),), ([3] * n + [1],)),
    )


@family(0.40, range(2, 12))
def largest_items(n: int) -> Draft:
    return Draft(
        f"largest_{n}",
        "numbers",
        f"returns the {n} largest numbers of the list, largest first",
        f"return sorted(numbers, reverse=True)[:{n}]",
        int_lists(0, 60, 2, n + 4),
        (([],), ([5],), (list(range(n + 2)),), ([3] * n + [9],)),
    )


@family(0.40, product(range(8), (-1, 0, 99)))
def item_or_default(n: int, default: int) -> Draft:
    name = f"item_{n}_or_{'minus_1' if default < 0 else default}"
    return Draft(
        name,
        "items",
        f"returns the item at index {n} of the list, or {default} if the list is too short",
        f"return items[{n}] if len(items) > {n} else {default}",
        mix(int_lists(1, 50, n + 1, n + 4), int_lists(1, 50, 0, n + 2)),
        (([],), (list(range(5, 5 + n)),), (list(range(5, 6 + n)),), (list(range(20, 32)),)),
    )


@family(0.40, range(2, 60))
def index_or_minus_one(n: int) -> Draft:
    return Draft(
        f"index_of_{n}",
        "items",
        f"returns the index of the first {n} in the list, or -1 if there is none",
        f"return items.index({n}) if {n} in items else -1",
        lists_with(n, n - 9, n + 9),
        (([],), ([n],), ([1, n, n],), ([n + 1],)),
    )


@family(0.35, range(2, 60))
def all_greater_than(n: int) -> Draft:
    return Draft(
        f"all_above_{n}",
        "numbers",
        f"returns True if all numbers of the list are greater than {n}, otherwise False",
        f"return all(x > {n} for x in numbers)",
        mix(int_lists(n + 1, n + 30, 1, 5), int_lists(n - 3, n + 20, 1, 4)),
        (([],), ([n],), ([n + 1, n + 5],), ([n + 3, n - 1, n + 3],)),
    )


@family(0.45, product(range(2, 16), range(2, 8)))
def even_indexed_sum(n: int, k: int) -> Draft:
    return Draft(
        f"every_{k}_sum_times_{n}",
        "numbers",
        f"sums the numbers at indices 0, {k}, {2 * k} and so on, and returns the sum times {n}",
        f"return sum(numbers[::{k}]) * {n}",
        int_lists(-9, 30, 2, 3 * k),
        (([],), ([7],), (list(range(1, 2 * k + 3)),), ([0, 5],)),
    )


@family(0.45, product("aeiou", ("upper", "title")))
def upper_if_contains(c: str, case: str) -> Draft:
    what = {"upper": "in upper case", "title": "with a capital first letter"}[case]
    return Draft(
        f"{case}_if_{c}",
        "words",
        f'returns the list with each word that contains "{c}" {what} and the others unchanged',
        f'return [w.{case}() if "{c}" in w else w for w in words]',
        word_lists(2, 4),
        (([],), (["", c],), (["xyz", c + "x", "x" + c],)),
    )


@family(0.45, range(2, 40))
def pairwise_sum_plus(n: int) -> Draft:
    return Draft(
        f"add_lists_plus_{n}",
        "a, b",
        f"adds the lists a and b of equal length item by item, plus {n} each, and returns the new list",
        f"return [x + y + {n} for x, y in zip(a, b)]",
        same_length,
        (([], []), ([1], [2]), ([0, -1, 5], [5, 0, 0])),
    )


def same_length(rng: Random) -> Args:
    size = rng.randint(2, 4)
    return join(int_lists(-9, 30, size, size), int_lists(-9, 30, size, size))(rng)


@family(0.40, range(2, 30))
def mean_above(n: int) -> Draft:
    body = code(
        """
        if not numbers:
            return False
        return sum(numbers) > $n * len(numbers)
        """,
        n=n,
    )
    return Draft(
        f"mean_above_{n}",
        "numbers",
        f"returns True if the mean of the list is greater than {n}, and False if not or if the list is empty",
        body,
        int_lists(n - 12, n + 12, 2, 5),
        (([],), ([n],), ([n + 1],), ([n - 1, n + 1],)),
    )
