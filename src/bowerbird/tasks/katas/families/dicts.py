"""Medium: dictionaries with string keys, and sets of words made into sorted lists."""

from itertools import product
from random import Random

from bowerbird.tasks.katas.draw import LETTERS, WORDS, int_dicts, phrases, word_lists
from bowerbird.tasks.katas.family import Args, Draft, Draw, code, family

KEYS = ("name", "age", "size", "color", "price", "count", "speed", "level", "score", "weight", "height", "width")


def records(key: str) -> Draw:
    """Dictionaries over KEYS of which about two thirds have `key`."""

    def draw(rng: Random) -> Args:
        record = {k: rng.randint(1, 99) for k in rng.sample([k for k in KEYS if k != key], rng.randint(1, 3))}
        if rng.random() < 0.67:
            record[key] = rng.randint(1, 99)
        return (record,)

    return draw


@family(0.20, product(KEYS, (0, -1, 100)))
def get_or_default(key: str, default: int) -> Draft:
    return Draft(
        f"{key}_or_{'minus_1' if default < 0 else default}",
        "d",
        f'returns the value of the key "{key}" in the dictionary d, or {default} if it is missing',
        f'return d.get("{key}", {default})',
        records(key),
        (({},), ({key: 5},), ({key: 0, "x": 1},), ({"x": 2},)),
    )


@family(0.20, product(KEYS, range(2, 12)))
def set_key(key: str, n: int) -> Draft:
    body = code(
        """
        result = dict(d)
        result[$key] = $n
        return result
        """,
        key=key,
        n=n,
    )
    return Draft(
        f"set_{key}_{n}",
        "d",
        f'returns the dictionary d with the key "{key}" set to {n}',
        body,
        records(key),
        (({},), ({key: 0},), ({"x": 1, key: n},)),
    )


@family(0.30, product(KEYS, range(2, 12)))
def add_to_key(key: str, n: int) -> Draft:
    body = code(
        """
        result = dict(d)
        result[$key] = result.get($key, 0) + $n
        return result
        """,
        key=key,
        n=n,
    )
    return Draft(
        f"add_{n}_to_{key}",
        "d",
        f'returns the dictionary d with {n} added to the key "{key}" (0 if missing)',
        body,
        records(key),
        (({},), ({key: 0},), ({"x": 1},)),
    )


@family(0.15, KEYS)
def has_key(key: str) -> Draft:
    return Draft(
        f"has_{key}",
        "d",
        f'returns True if the dictionary d has the key "{key}", otherwise False',
        f'return "{key}" in d',
        records(key),
        (({},), ({key: 0},), ({"x": 1},), ({"x": 1, key: 2},)),
    )


@family(0.25, range(2, 60))
def sum_of_values(n: int) -> Draft:
    return Draft(
        f"sum_values_plus_{n}",
        "d",
        f"returns the sum of the values of the dictionary d plus {n}",
        f"return sum(d.values()) + {n}",
        int_dicts(-9, 40),
        (({},), ({"a": 1},), ({"a": -n, "b": 3},)),
    )


@family(0.45, range(3, 60))
def filter_values(n: int) -> Draft:
    return Draft(
        f"values_above_{n}",
        "d",
        f"returns a dictionary with only the entries of d whose value is greater than {n}",
        f"return {{k: v for k, v in d.items() if v > {n}}}",
        int_dicts(n - 15, n + 15, 2, 4),
        (({},), ({"a": n, "b": n + 1},), ({"x": n - 1},)),
    )


@family(0.45, range(3, 40))
def keys_with_value(n: int) -> Draft:
    return Draft(
        f"keys_with_{n}",
        "d",
        f"returns the sorted list of the keys of d whose value is {n}",
        f"return sorted(k for k, v in d.items() if v == {n})",
        int_dicts(n - 1, n + 1, 2, 4),
        (({},), ({"b": n, "a": n},), ({"x": n + 1},), ({"z": n, "a": 0, "m": n},)),
    )


@family(0.50, range(2, 12))
def word_counts(n: int) -> Draft:
    body = code(
        """
        counts = {}
        for word in s.split():
            if len(word) >= $n:
                counts[word] = counts.get(word, 0) + 1
        return counts
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        some = [*rng.sample(WORDS, 3), "a" * n, "b" * (n - 1), "c" * (n + 2)]
        return (" ".join(rng.choice(some) for _ in range(rng.randint(2, 6))),)

    return Draft(
        f"count_words_of_{n}",
        "s",
        f"counts the words of at least {n} letters in s and returns a dictionary from word to count",
        body,
        draw,
        (("",), ("a" * n + " " + "a" * n,), ("b" * (n - 1),), ("  x  " + "y" * n + " ",)),
    )


@family(0.55, range(1, 11))
def group_by_prefix(n: int) -> Draft:
    body = code(
        """
        groups = {}
        for word in words:
            groups.setdefault(word[:$n], []).append(word)
        return groups
        """,
        n=n,
    )

    def draw(rng: Random) -> Args:
        stems = ["tele", "teletypewriter"[: n + 1], "television"[:n], "telecommunicate"[: n + 3], "zoo", "a" * (n - 1)]
        return ([rng.choice(stems) + rng.choice(("", "s", "r")) for _ in range(rng.randint(2, 5))],)

    shown = "first letter" if n == 1 else f"first {n} letters"
    return Draft(
        f"group_by_{n}",
        "words",
        f"groups the words by their {shown} and returns a dictionary from those letters to the list of words",
        body,
        draw,
        (([],), ([""],), (["b" * (n + 1), "b" * n, "c"],)),
    )


@family(0.50, LETTERS)
def letter_positions(c: str) -> Draft:
    return Draft(
        f"positions_of_{c}",
        "s",
        f'returns the list of all indices where "{c}" occurs in the string s',
        f'return [i for i, x in enumerate(s) if x == "{c}"]',
        lambda rng: (rng.choice(WORDS) + rng.choice((c, "", "x" + c)),),
        (("",), (c * 3,), ("x" + c + "x" + c,), ("xyz",)),
    )


@family(0.50, range(2, 12))
def unique_sorted_words(n: int) -> Draft:
    return Draft(
        f"unique_words_up_to_{n}",
        "s",
        f"returns the sorted list of distinct words of at most {n} letters in s",
        f"return sorted({{w for w in s.split() if len(w) <= {n}}})",
        lambda rng: (
            phrases(1, 3)(rng)[0]
            + " "
            + " ".join(rng.choice(("ox", "ant", "x" * n, "y" * (n + 1), "i")) for _ in range(3)),
        ),
        (("",), ("b a b",), ("x" * n + " " + "x" * (n + 1),)),
    )


@family(0.55, range(1, 21))
def most_common_plus(n: int) -> Draft:
    body = code(
        """
        best = None
        for item in items:
            if best is None or items.count(item) > items.count(best):
                best = item
        return [best, items.count(best) + $n]
        """,
        n=n,
    )
    return Draft(
        f"most_common_plus_{n}",
        "items",
        f"returns a list of the most common item (the first one on a tie) and its count plus {n}",
        body,
        lambda rng: ([w for w in word_lists(2, 3)(rng)[0] for _ in range(rng.randint(1, 3))],),
        ((["b", "a"],), (["a", "b", "b"],), (["x"],), (["c", "a", "c", "a"],)),
    )
