"""What a judge answered: read strictly, and its quotes looked up."""

import json
import re
from dataclasses import dataclass
from typing import Any

from bowerbird.rewards.judge.record import Record
from bowerbird.rewards.judge.text import squeezed
from bowerbird.types import InfraError

LEAST_QUOTE = 8  # characters; a shorter one stands in any record
_LONGEST_REASON = 1000
_FENCED = re.compile(r"\A```(?:json)?[ \t]*\n(.*)\n```\Z", re.DOTALL)


class Unparseable(InfraError):
    """The judge answered something that is no answer. Neither a pass nor a veto."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A judge's answer as given; nothing has been looked up yet."""

    veto: bool
    reason: str
    quotes: tuple[str, ...]


def parse_answer(text: str) -> Answer:
    """The one JSON object in `text`: alone, in a code fence, or with prose around it that holds no brace.

    Raises Unparseable for anything else; where an answer could be read in two ways it is not read at all.
    """
    # a lone object may speak of the tag; reasoning stands before one
    body = (text if text.lstrip().startswith("{") else text.rpartition("</think>")[2]).strip()
    if fenced := _FENCED.match(body):
        body = fenced[1]
    start, end = body.find("{"), body.rfind("}")
    if start < 0 or end < start:
        raise Unparseable(f"the judge gave no JSON object: {_short(text)}")
    try:
        raw = json.loads(body[start : end + 1], object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:
        raise Unparseable(f"the judge's answer is not JSON: {_short(text)}") from error
    return _checked(raw, text)


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _checked(raw: Any, text: str) -> Answer:
    decision = raw.get("decision") if isinstance(raw, dict) else None
    if decision not in ("veto", "abstain"):
        raise Unparseable(f"the judge decided neither 'veto' nor 'abstain': {_short(text)}")
    reason, quotes = raw.get("reason", ""), raw.get("quotes", [])
    if not isinstance(reason, str) or not isinstance(quotes, list) or not all(isinstance(q, str) for q in quotes):
        raise Unparseable(f"the judge's reason or quotes are of the wrong type: {_short(text)}")
    return Answer(decision == "veto", _storable(reason)[:_LONGEST_REASON], tuple(_storable(q) for q in quotes))


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _short(text: str) -> str:
    return repr(text if len(text) <= 160 else f"{text[:100]} ... {text[-50:]}")


def proven(answer: Answer, shown: Record) -> bool:
    """Whether a veto's quotes hold: every one stands in the record, and one at least in what the rollout made.

    White space and the bars before lines make no difference. Quotes of fewer than LEAST_QUOTE characters are passed
    over, and a veto with no others is not proven.
    """
    quotable, produced = squeezed(shown.quotable), squeezed(shown.produced)
    quotes = [_forms(quote) for quote in answer.quotes]
    quotes = [forms for forms in quotes if min(map(len, forms)) >= LEAST_QUOTE]
    everywhere = all(any(form in quotable for form in forms) for forms in quotes)
    return everywhere and any(form in produced for forms in quotes for form in forms)


def _forms(quote: str) -> tuple[str, str]:
    """A quote as given, and without the bars of the record."""
    return squeezed(quote), squeezed(re.sub(r"^[ \t]*\|(?: |$)", "", quote, flags=re.MULTILINE))
