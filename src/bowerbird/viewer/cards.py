"""Which cards earned most in a run, and which came from which."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bowerbird.types import JsonValue, RunError
from bowerbird.viewer.run_folder import ScaffoldRow
from bowerbird.viewer.text import clean

_DOUBT = 4  # average results that every card is given on top of its own, so that one lucky try does not lead


@dataclass(frozen=True, slots=True)
class RankedCard:
    """All uses of one card. `score` is its mean return, drawn towards the mean of all cards by `_DOUBT` results."""

    spec: Mapping[str, JsonValue]
    uses: int
    mean: float
    score: float
    first_step: int
    last_step: int
    best: ScaffoldRow  # its use with the highest return, the newest of equals


def counted(rows: Sequence[ScaffoldRow]) -> list[ScaffoldRow]:
    """Those whose return says something about them: valid cards that were not hacked and not lost."""
    return [row for row in rows if row.outcome == "valid" and row.invalid is None and row.spec is not None]


def rank_cards(rows: Sequence[ScaffoldRow]) -> list[RankedCard]:
    """Distinct cards, best score first."""
    usable = counted(rows)
    if not usable:
        return []
    overall = math.fsum(row.value for row in usable) / len(usable)
    groups: dict[str, list[ScaffoldRow]] = {}
    for row in usable:
        groups.setdefault(json.dumps(row.spec, sort_keys=True), []).append(row)
    ranked = [_ranked(group, overall) for group in groups.values()]
    return sorted(ranked, key=lambda card: (-card.score, -card.uses, card.first_step))


def _ranked(group: Sequence[ScaffoldRow], overall: float) -> RankedCard:
    total = math.fsum(row.value for row in group)
    steps = [row.step for row in group]
    return RankedCard(
        spec=group[0].spec or {},
        uses=len(group),
        mean=total / len(group),
        score=(total + _DOUBT * overall) / (len(group) + _DOUBT),
        first_step=min(steps),
        last_step=max(steps),
        best=max(group, key=lambda row: (row.value, row.step)),
    )


def card_text(spec: Mapping[str, JsonValue]) -> str:
    """`candidates 3, select vote, ...` in the card's own order."""
    return ", ".join(f"{clean(str(field))} {clean(str(value), 80)}" for field, value in spec.items())


def lineage_lines(rows: Sequence[ScaffoldRow], scaffold_id: str, shown: int = 40) -> list[str]:
    """The scaffold's forebears, itself (marked *) and its descendants as a drawn tree, at most `shown` descendants.

    Each line has the return, the step and what changed against the parent. Raises RunError for an unknown id.
    """
    by_id = {row.scaffold_id: row for row in rows}
    if scaffold_id not in by_id:
        raise RunError(f"no scaffold {scaffold_id!r} in this run; `bowerbird scaffolds RUN_DIR` shows ids")
    chain = _forebears(by_id, scaffold_id)
    lines = [_line(by_id, row, depth, row.scaffold_id == scaffold_id) for depth, row in enumerate(chain)]
    children: dict[str, list[ScaffoldRow]] = {}
    for row in rows:
        if row.parent_id is not None:
            children.setdefault(row.parent_id, []).append(row)
    below = list(_descendants(children, scaffold_id, len(chain), {row.scaffold_id for row in chain}))
    lines += [_line(by_id, row, depth, False) for depth, row in below[:shown]]
    if len(below) > shown:
        lines.append(f"… and {len(below) - shown} more descendants")
    return lines


def _forebears(by_id: Mapping[str, ScaffoldRow], scaffold_id: str) -> list[ScaffoldRow]:
    """From the oldest known one down to the scaffold itself; a damaged cycle ends where it would close."""
    chain: list[ScaffoldRow] = []
    seen: set[str] = set()
    current: str | None = scaffold_id
    while current is not None and current in by_id and current not in seen:
        seen.add(current)
        chain.append(by_id[current])
        current = by_id[current].parent_id
    return chain[::-1]


def _descendants(
    children: Mapping[str, Sequence[ScaffoldRow]], scaffold_id: str, depth: int, seen: set[str]
) -> Iterator[tuple[int, ScaffoldRow]]:
    """Depth first, without recursion: a long run makes long lines."""
    waiting = [(depth, row) for row in reversed(children.get(scaffold_id, []))]
    while waiting:
        level, row = waiting.pop()
        if row.scaffold_id in seen:
            continue
        seen.add(row.scaffold_id)
        yield level, row
        waiting += [(level + 1, child) for child in reversed(children.get(row.scaffold_id, []))]


def _line(by_id: Mapping[str, ScaffoldRow], row: ScaffoldRow, depth: int, marked: bool) -> str:
    branch = "  " * (depth - 1) + "└─ " if depth else ""
    parent = by_id.get(row.parent_id) if row.parent_id is not None else None
    return f"{branch}{'* ' if marked else ''}{row.scaffold_id}  {_result(row)}  step {row.step}  {_change(parent, row)}"


def _result(row: ScaffoldRow) -> str:
    if row.invalid is not None:
        return f"invalid ({clean(row.invalid, 60)})"
    return f"return {row.value:.2f}" if row.outcome == "valid" else row.outcome


def _change(parent: ScaffoldRow | None, row: ScaffoldRow) -> str:
    if row.spec is None:
        return clean(row.text, 80)
    if parent is None or parent.spec is None:
        return card_text(row.spec)
    changed = [
        f"{clean(field)} {clean(str(parent.spec.get(field)), 40)} → {clean(str(value), 40)}"
        for field, value in row.spec.items()
        if parent.spec.get(field) != value
    ]
    return ", ".join(changed) or "unchanged"
