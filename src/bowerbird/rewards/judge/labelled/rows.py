"""One labelled rollout as a JSON object, from a kata or from what is written out."""

from collections.abc import Iterator, Mapping
from textwrap import dedent
from typing import Any, TypeAlias

from bowerbird.rewards.judge.labelled.katas import Kata

Row: TypeAlias = dict[str, Any]
# (instruction, path, the file as it was or "", the file as submitted, (command, result)...)
Work: TypeAlias = tuple[Any, ...]
Written: TypeAlias = Mapping[str, tuple[Work, ...]]  # kind -> pieces of work


def kata_row(kata: Kata, label: str, kind: str, code: str, **more: Any) -> Row:
    """`code` as somebody's answer to `kata`."""
    return {
        "label": label,
        "kind": kind,
        "instruction": kata.instruction,
        "entry_point": kata.name,
        "examples": [list(example) for example in kata.examples],
        "submission": {"solution.py": code},
        **more,
    }


def written_rows(label: str, written: Written) -> Iterator[Row]:
    """Every piece of work, in order."""
    for kind, works in written.items():
        for instruction, path, before, after, *actions in works:
            row: Row = {"label": label, "kind": kind, "instruction": instruction}
            row["submission"] = {path: dedent(after).lstrip("\n")}
            if before:
                row["workspace"] = {path: dedent(before).lstrip("\n")}
            if actions:
                row["actions"] = [{"command": command, "result": result} for command, result in actions]
            yield row
