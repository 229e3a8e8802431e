"""The three tiers of the scaffold language: how one is asked for, and how an answer is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bowerbird.scaffold.card import card_fields, card_schema, parse_card
from bowerbird.scaffold.plan import parse_plan, plan_schema, plan_shape
from bowerbird.scaffold.program import parse_program
from bowerbird.types import JsonValue

Spec = Mapping[str, JsonValue]
Tools = Sequence[str]

_HOST = """The function run(h) in one Python block. It has no files and no network, only h:
h.task() gives {"instruction", "submission", "files"};
h.llm(messages, max_tokens=None, stop="", temperature_class="mid") gives text;
h.run(command, timeout) gives {"exit", "output"}; h.read(path), h.write(path, text), h.list(path);
h.tool(name, args), name one of {tools};
h.visible_tests() gives {"passed", "text"}; h.snapshot(), h.restore(number); h.note_get(name),
h.note_put(name, text); h.budget(); h.submit(). Calls that make no sense raise HostError."""


@dataclass(frozen=True, slots=True)
class Tier:
    """`schema` is the grammar's, "" where there is none; `told` is what a model without the grammar has to know. All
    three depend on the names of the tools that there are."""

    name: str
    noun: str
    schema: Callable[[Tools], str]
    told: Callable[[Tools], str]
    parse: Callable[[str, Tools], tuple[Spec | None, str | None]]
    stop: str = ""


def _card(text: str, _: Tools) -> tuple[Spec | None, str | None]:
    card, problem = parse_card(text)
    return (card.model_dump() if card else None), problem


def _plan(text: str, tools: Tools) -> tuple[Spec | None, str | None]:
    plan, problem = parse_plan(text, tools)
    return (plan.model_dump(mode="json") if plan else None), problem


def _program(text: str, _: Tools) -> tuple[Spec | None, str | None]:
    source, problem = parse_program(text)
    return (None if source is None else {"source": source}), problem


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier(
            "card",
            "settings, as JSON",
            lambda _: card_schema(),
            lambda _: f"A JSON object with these fields, one of the values each: {card_fields()}",
            _card,
            stop="}",
        ),
        Tier(
            "plan",
            "plan, as JSON",
            plan_schema,
            lambda tools: f"A JSON object of this schema: {plan_shape(tools)}",
            _plan,
        ),
        Tier("program", "program", lambda _: "", lambda tools: _HOST.replace("{tools}", ", ".join(tools)), _program),
    )
}
