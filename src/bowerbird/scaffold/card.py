"""The card: the smallest scaffold. A JSON object of enums and small integers, so it cannot carry an answer."""

import json
from collections.abc import Mapping
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from bowerbird.scaffold.reading import read_object
from bowerbird.types import JsonValue

MAX_CHARACTERS = 600  # a card is under 350; more is something else


class Card(BaseModel):
    """How one task is worked on. Fields are in the order in which the model writes them.

    A *round* draws `candidates` answers and checks them; after a failed round `on_error` says what comes next.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    decompose: Literal["none", "tests_first", "localize_edit", "stubs_then_fill"] = Field(
        description="none: the task alone; tests_first: with its examples as asserts; localize_edit: a repair asks for "
        "an edit of one line; stubs_then_fill: the answer starts with the function's signature"
    )
    max_steps: Literal[4, 8, 16] = Field(description="model calls in all")
    memory: Literal["none", "last_k", "notes"] = Field(
        description="what a repair remembers: nothing, the last k attempts as a conversation, or one line on each"
    )
    k: Literal[1, 2, 3] = Field(description="attempts that last_k keeps")
    view: Literal["full", "head_tail", "errors_only"] = Field(description="how much of a check's output a repair sees")
    on_error: Literal["retry", "revert", "replan", "stop"] = Field(
        description="after a failed round: repair, start afresh, start afresh another way, or give up"
    )
    retries: Literal[0, 1, 2] = Field(description="further rounds")
    verify: Literal["none", "compile", "visible_tests"] = Field(description="what a round's answers must pass")
    candidates: Literal[1, 2, 3, 4] = Field(description="answers per round")
    select: Literal["first", "visible_pass", "vote"] = Field(
        description="the answer submitted: the first, the first that passes the examples, or the commonest behaviour; "
        "never the first of several candidates, which would be drawn for nothing"
    )
    tools: Literal["run"] = Field(description="run: answers may be executed on the visible examples in the sandbox")
    temperature: Literal["low", "mid", "high"]

    @field_validator("*", mode="before")
    @classmethod
    def _no_booleans(cls, value: object) -> object:
        """True equals 1 in Python, but it is not a number that the grammar allows."""
        if isinstance(value, bool):
            raise ValueError("a boolean is not allowed here")
        return value

    @model_validator(mode="after")
    def _several_need_a_choice(self) -> Self:
        if self.candidates > 1 and self.select == "first":
            raise ValueError("several candidates need select: visible_pass or vote")
        return self


# low is no lower than this: near 0 several candidates are one candidate several times
TEMPERATURES: Mapping[str, float] = {"low": 0.6, "mid": 0.8, "high": 1.0}


def card_fields() -> str:
    """Every field with its options, as JSON: what a model without a grammar has to be told."""
    return json.dumps({name: list(get_args(field.annotation)) for name, field in Card.model_fields.items()})


def card_schema() -> str:
    """The JSON schema that the grammar enforces: the fields in order, and no `first` of several candidates."""
    one = {name: list(get_args(field.annotation)) for name, field in Card.model_fields.items()}
    several = one | {"candidates": one["candidates"][1:], "select": one["select"][1:]}
    return json.dumps({"anyOf": [_object(one | {"candidates": one["candidates"][:1]}), _object(several)]})


def _object(options: Mapping[str, list[JsonValue]]) -> dict[str, JsonValue]:
    return {
        "type": "object",
        "properties": {name: {"enum": values} for name, values in options.items()},
        "required": list(options),
        "additionalProperties": False,
    }


def parse_card(text: str) -> tuple[Card | None, str | None]:
    """The card in `text`, or why it is none. Leading and trailing prose and a code fence are allowed."""
    return read_object(Card, text, MAX_CHARACTERS)


def write_card(card: Card) -> str:
    """The card as the grammar writes it: no white space."""
    return json.dumps(card.model_dump(), separators=(",", ":"))
