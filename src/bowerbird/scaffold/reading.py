"""A JSON object out of a completion, checked against its model."""

import json
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bowerbird.types import JsonValue

_Model = TypeVar("_Model", bound=BaseModel)
_SHOWN = 120


def read_object(kind: type[_Model], text: str, most: int) -> tuple[_Model | None, str | None]:
    """The object in `text`, of `most` characters, or why it is none. Exactly one of the two is None. Prose around it
    and a code fence are allowed."""
    if len(text) > most:
        return None, f"longer than {most} characters"
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None, "no JSON object"
    try:
        raw: JsonValue = json.loads(text[start : end + 1])
        return kind.model_validate(raw), None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or kind.__name__.lower()
        return None, f"{where}: {problem['msg']}"[:_SHOWN]
    except (ValueError, RecursionError):
        return None, "not JSON"
