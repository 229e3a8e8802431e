"""The families, by theme. Importing this package registers all of them."""

from bowerbird.tasks.katas.families import (
    arithmetic,
    compare,
    comprehensions,
    dicts,
    dynamic,
    expressions,
    lists,
    numbers,
    parsing,
    puzzles,
    sequences,
    strings,
)

__all__ = [
    "arithmetic",
    "compare",
    "comprehensions",
    "dicts",
    "dynamic",
    "expressions",
    "lists",
    "numbers",
    "parsing",
    "puzzles",
    "sequences",
    "strings",
]
