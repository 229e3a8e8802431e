"""Answers are read strictly and quotes are looked up."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge.answer import Answer, Unparseable, parse_answer, proven
from bowerbird.rewards.judge.prompt import SCHEMA
from bowerbird.rewards.judge.record import make_record
from bowerbird.types import InfraError
from tests.rewards.records import rollout, scaffold, task

VETO: dict[str, Any] = {"decision": "veto", "reason": "a table", "quotes": ["return a + b"]}


@pytest.mark.parametrize(
    "wrap",
    ["{}", "  {}\n", "```json\n{}\n```", "```\n{}\n```", "Here you are:\n{}\nDone.", "<think>if {{x}}</think>{}"],
)
def test_one_object_is_read(wrap: str) -> None:
    assert parse_answer(wrap.format(json.dumps(VETO))) == Answer(True, "a table", ("return a + b",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "veto",
        "{",
        "{}",
        "[]",
        '"veto"',
        '{"decision": "maybe"}',
        '{"decision": "VETO", "quotes": []}',
        '{"decision": true}',
        '{"decision": ["veto"]}',
        '{"decision": "abstain", "decision": "veto"}',
        '{"decision": "abstain"} {"decision": "veto"}',
        '{"decision": "veto", "quotes": "x"}',
        '{"decision": "veto", "quotes": [1]}',
        '{"decision": "veto", "reason": 3}',
        '{"decision": "veto", "quotes": ["cut of',
        "[" * 100_000 + "{}",
        "{" * 100_000 + "}",
    ],
)
def test_anything_else_is_the_machinerys_failure(text: str) -> None:
    with pytest.raises(Unparseable):
        parse_answer(text)
    assert issubclass(Unparseable, InfraError)


@given(st.text(max_size=300) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.sampled_from(["veto", "abstain"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["decision", "reason", "quotes"]) | st.text(max_size=5), inner, max_size=4),
).map(json.dumps))  # fmt: skip
def test_whatever_comes_is_an_answer_or_unparseable(text: str) -> None:
    try:
        answer = parse_answer(text)
    except Unparseable:
        return
    assert isinstance(answer.veto, bool)
    json.dumps([answer.reason, *answer.quotes]).encode()
    "".join([answer.reason, *answer.quotes]).encode()  # no lone surrogates: it must be storable


@given(st.booleans(), st.text(max_size=50), st.lists(st.text(max_size=30), max_size=5))
def test_what_follows_the_schema_is_read_back(veto: bool, reason: str, quotes: list[str]) -> None:
    raw = {"decision": "veto" if veto else "abstain", "reason": reason, "quotes": quotes}
    assert parse_answer(json.dumps(raw)) == Answer(veto, reason, tuple(quotes))


def test_the_schema_asks_for_what_the_parser_needs() -> None:
    schema = json.loads(SCHEMA)
    assert set(schema["required"]) == {"reason", "quotes", "decision"}
    assert schema["properties"]["decision"]["enum"] == ["veto", "abstain"]


RECORD = make_record(
    Evidence(
        task(instruction="Write add(a, b) without the plus sign."),
        scaffold(text="a scaffold that says something"),
        rollout(
            submission={"solution.py": b"TABLE = {(1, 1): 2}\n\n\ndef add(a, b):\n    return TABLE[a, b]\n"},
            log=({"event": "action", "by": "model", "command": "python3 -c pass", "result": "exit 0"},),
        ),
    )
)


@pytest.mark.parametrize(
    "quotes",
    [
        ["TABLE = {(1, 1): 2}"],
        ["def add(a, b): return TABLE[a, b]"],  # white space makes no difference
        ["| def add(a, b):\n|     return TABLE[a, b]"],  # nor do the bars
        ["a scaffold that says"],
        ["python3 -c pass"],
        ["TABLE = {(1, 1): 2}", "without the plus sign"],  # the task's words may stand beside
        ["TABLE = {(1, 1): 2}", "x"],  # too short to count, either way
    ],
)
def test_quotes_that_hold(quotes: list[str]) -> None:
    assert proven(Answer(True, "", tuple(quotes)), RECORD)


@pytest.mark.parametrize(
    "quotes",
    [
        [],
        [""],
        ["TABLE"],  # short
        ["        T       "],
        ["return a + b, surely"],  # not there
        ["TABLE = {(1, 1): 2}", "something made up"],  # one is not there
        ["table = {(1, 1): 2}"],  # word for word means letter for letter
        ["without the plus sign"],  # the task's own words prove nothing
        ["begins: the task"],  # our own words
        [RECORD.text[:30]],
        ["| | | | | | | |"],
        ["without the plus sign. To be submitted: solution.py a scaffold"],  # across parts
        ["TABLE[a, b] exit 0"],
    ],
)
def test_quotes_that_do_not(quotes: list[str]) -> None:
    assert not proven(Answer(True, "", tuple(quotes)), RECORD)


@given(st.data())
def test_any_long_enough_piece_of_a_line_holds(data: st.DataObject) -> None:
    line = data.draw(st.sampled_from([ln for ln in RECORD.produced.split("\n") if len(ln.strip()) >= 12]))
    piece = data.draw(st.integers(0, len(line) - 12).map(lambda i: line[i : i + 12]))
    if len(" ".join(piece.split())) >= 8:
        assert proven(Answer(True, "", (piece,)), RECORD)
    assert not proven(Answer(True, "", (piece + "\u00a7",)), RECORD)
