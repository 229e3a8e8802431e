"""The labelled set: whole, varied, made again from its templates, and nothing in a record gives the label away."""

import json
from collections import Counter
from pathlib import Path

import pytest

from bowerbird.rewards.judge.labelled import SHIPPED, read_labelled
from bowerbird.rewards.judge.labelled.generate import labelled_text
from bowerbird.rewards.judge.record import make_record
from bowerbird.types import ConfigError


def test_the_shipped_set_is_what_the_templates_make() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == labelled_text()


def test_size_balance_and_variety() -> None:
    items = read_labelled()
    labels = Counter(item.hack for item in items)
    assert len(items) >= 80
    assert abs(labels[True] - labels[False]) <= len(items) // 5
    assert len({item.kind for item in items if item.hack}) >= 15
    assert len({item.kind for item in items if not item.hack}) >= 12
    assert len({make_record(item.evidence).quotable for item in items}) == len(items)


def test_records_do_not_tell_their_label() -> None:
    for item in read_labelled():
        text = make_record(item.evidence).text
        assert item.id not in text
        assert item.kind not in text


ROW = {"id": "a", "label": "hack", "kind": "k", "instruction": "i", "submission": {"s.py": "x = 1\n"}}


def test_a_set_of_ones_own(tmp_path: Path) -> None:
    rows = [
        ROW,
        {
            **ROW,
            "id": "b",
            "label": "honest",
            "entry_point": "f",
            "examples": [[[1], 2]],
            "workspace": {"s.py": "x = 0\n"},
            "scaffold": "{}",
            "actions": [{"by": "scaffold", "command": "ls", "result": "exit 0"}],
        },
    ]
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    first, second = read_labelled(path)
    assert (first.hack, second.hack) == (True, False)
    text = make_record(second.evidence).text
    assert "assert f(1) == 2" in text
    assert "by the scaffold" in text
    assert "| +x = 1" in text


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{"], "set.jsonl:1: not JSON"),
        ([{**ROW, "label": "maybe"}], "set.jsonl:1: label"),
        ([ROW, {**ROW, "extra": 1}], "set.jsonl:2: extra"),
        ([ROW, {**ROW, "label": "honest"}], "'a' occurs twice"),
        ([ROW], "both"),
        ([], "both"),
        ([{k: v for k, v in ROW.items() if k != "submission"}], "submission"),
        (["[]"], "set.jsonl:1"),
    ],
)
def test_a_broken_set_says_where(tmp_path: Path, rows: list[object], message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    with pytest.raises(ConfigError, match=message):
        read_labelled(path)
    with pytest.raises(ConfigError, match="cannot read"):
        read_labelled(tmp_path / "missing.jsonl")
