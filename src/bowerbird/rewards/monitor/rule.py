"""What a rule is, and how it objects."""

from collections.abc import Iterable
from itertools import islice
from typing import Protocol

from bowerbird.rewards.evidence import Evidence
from bowerbird.types import Flag

MAX_EVIDENCE = 500  # characters of a flag's evidence
_MAX_ITEM = 160
_MAX_ITEMS = 8


class Rule(Protocol):
    """One objection. `id` is stable: reports and logs name it. `check` keeps no state and changes nothing."""

    @property
    def id(self) -> str: ...

    @property
    def reason(self) -> str: ...

    def check(self, evidence: Evidence) -> Flag | None: ...


def objection(rule: Rule, found: Iterable[str], *, of_scaffold: bool = False) -> Flag | None:
    """A flag that quotes what was found, or None where nothing was. `of_scaffold`: no rollout under it counts."""
    items = list(islice(found, _MAX_ITEMS))
    if not items:
        return None
    return Flag(rule.id, rule.reason, clip("; ".join(clip(item, _MAX_ITEM) for item in items)), of_scaffold)


def clip(text: str, limit: int = MAX_EVIDENCE) -> str:
    """At most `limit` characters on one line, all printable: evidence ends up in terminals and in a database."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:limit])
    return shown if len(text) <= limit else f"{shown[: limit - 3]}..."
