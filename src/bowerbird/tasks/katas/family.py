"""A family: one idea ("add a constant") with a space of parameters, each of which makes a task variant."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from string import Template
from textwrap import dedent, indent
from typing import TypeAlias

from bowerbird.types import JsonValue

Args: TypeAlias = tuple[JsonValue, ...]
Draw: TypeAlias = Callable[[Random], Args]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a family says about one variant. The oracle is `source`; nothing else computes expected values."""

    name: str  # of the function to write
    args: str  # "x" or "a, b"
    does: str  # completes "Write a Python function `name(args)` that ..."
    body: str  # of the solution, any common indentation
    draw: Draw  # random arguments
    edges: tuple[Args, ...] = ()  # arguments that must be among the hidden cases; the first four are always taken

    @property
    def instruction(self) -> str:
        return f"Write a Python function `{self.name}({self.args})` that {self.does}."

    @property
    def source(self) -> str:
        return f"def {self.name}({self.args}):\n{indent(dedent(self.body).strip(), '    ')}\n"


@dataclass(frozen=True, slots=True)
class Variant:
    """One point of a family's space. `fingerprint` is the same whatever seed it was reached by."""

    family: "Family"
    params: Args
    fingerprint: str  # 16 hex digits over family, function name and parameters
    draft: Draft

    @property
    def task_id(self) -> str:
        words = "-".join(str(p) for p in self.params)
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in words)[:20].strip("-")
        return "-".join(filter(None, (f"katas/{self.family.name}", slug, self.fingerprint[:8])))


@dataclass(frozen=True, slots=True)
class Family:
    """A named idea: `make(*params)` drafts the variant of one point of `space`."""

    name: str
    difficulty: float  # 0: a 135M model solves it most of the time; 1: never
    space: tuple[Args, ...]
    make: Callable[..., Draft]

    def variant(self, params: Args) -> Variant:
        draft = self.make(*params)
        content = json.dumps([self.name, draft.name, params])
        return Variant(self, params, hashlib.sha256(content.encode()).hexdigest()[:16], draft)

    def variants(self) -> list[Variant]:
        """All variants, in an order that depends on their content only."""
        return sorted((self.variant(p) for p in self.space), key=lambda v: v.fingerprint)


FAMILIES: dict[str, Family] = {}


def family(difficulty: float, space: Iterable[JsonValue]) -> Callable[[Callable[..., Draft]], Callable[..., Draft]]:
    """Register the decorated function as a family of its own name. A point of `space` is a tuple or one value."""

    def register(make: Callable[..., Draft]) -> Callable[..., Draft]:
        points = tuple(p if isinstance(p, tuple) else (p,) for p in space)
        FAMILIES[make.__name__] = Family(make.__name__, difficulty, points, make)
        return make

    return register


def code(template: str, **values: JsonValue) -> str:
    """Fill `$name` in solution text with Python literals: braces stay free for dicts and sets."""
    return Template(dedent(template)).substitute({k: repr(v) for k, v in values.items()})


def ordinal(n: int) -> str:
    """2 -> "2nd", 12 -> "12th"."""
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if n % 100 not in (11, 12, 13) else "th"
    return f"{n}{suffix}"
