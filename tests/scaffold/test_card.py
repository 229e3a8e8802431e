"""Cards: the grammar, the parser, and text that is no card."""

import json
import random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.scaffold.card import Card, card_schema, parse_card, write_card
from bowerbird.scaffold.propose import proposal_messages
from bowerbird.types import TaskView


def any_card(seed: int) -> Card:
    draw = random.Random(seed)
    properties = draw.choice(json.loads(card_schema())["anyOf"])["properties"]
    return Card.model_validate({name: draw.choice(field["enum"]) for name, field in properties.items()})


@given(st.integers(0, 10_000))
def test_whatever_the_grammar_allows_is_a_card(seed: int) -> None:
    card = any_card(seed)
    assert parse_card(write_card(card)) == (card, None)
    assert len(write_card(card)) < 350


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON object"),
        ("} nothing {", "no JSON object"),
        ("{'a': 1}", "not JSON"),
        ("{}", "decompose"),
        (write_card(any_card(1)).replace('"run"', '"shell"'), "tools"),
        (write_card(any_card(1))[:-1] + ',"answer":"return x"}', "answer"),
        ("{" * 300 + "}" * 300, "not JSON"),
        (write_card(any_card(1)) + " " * 600, "longer"),
    ],
)
def test_what_is_no_card_says_why(text: str, why: str) -> None:
    card, problem = parse_card(text)
    assert card is None
    assert problem is not None
    assert why in problem


def test_several_candidates_are_drawn_for_something() -> None:
    raw = any_card(3).model_dump() | {"candidates": 3, "select": "first"}
    assert parse_card(json.dumps(raw)) == (
        None,
        "card: Value error, several candidates need select: visible_pass or vote",
    )
    assert parse_card(json.dumps(raw | {"candidates": 1}))[0] is not None
    pairs = {
        (c, s)
        for o in json.loads(card_schema())["anyOf"]
        for c in options(o, "candidates")
        for s in options(o, "select")
    }
    assert pairs == {(c, s) for c in (1, 2, 3, 4) for s in ("first", "visible_pass", "vote") if c == 1 or s != "first"}


def options(schema: dict[str, Any], name: str) -> list[Any]:
    found: list[Any] = schema["properties"][name]["enum"]
    return found


def test_numbers_are_strict() -> None:
    raw = any_card(3).model_dump() | {"candidates": True}
    assert parse_card(json.dumps(raw))[0] is None


@given(st.text(max_size=700))
def test_no_text_raises(text: str) -> None:
    card, problem = parse_card(text)
    assert (card is None) == (problem is not None)


def test_prose_around_a_card_is_allowed() -> None:
    card = any_card(5)
    assert parse_card(f"Here you are:\n```json\n{write_card(card)}\n```")[0] == card


def test_without_a_grammar_the_model_is_told_what_a_card_may_say() -> None:
    task = TaskView("t", "c", "Write f.", "f", ())
    shown = proposal_messages(task, None, grammar=False)[-1]["content"]
    for name, field in Card.model_fields.items():
        assert f'"{name}": {json.dumps(list(get_args(field.annotation)))}' in shown
    assert "max_steps" not in proposal_messages(task, None)[-1]["content"]
