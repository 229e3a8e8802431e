"""Encode Python literals the way sandboxes report values, so that expected and returned values compare as data.

Lists and dicts with plain string keys are themselves; `{"$tuple": [...]}`, `{"$set": [...]}`, `{"$dict": [[k, v]]}`,
`{"$float": "nan"}`, `{"$int": "0x..."}`, `{"$bytes": "00ff"}`, `{"$complex": [re, im]}` stand for the rest.
"""

import json
import math

from bowerbird.types import JsonValue

PLAIN_BITS = 1024  # longer integers travel as hexadecimal, which no digit limit applies to


def encode_literal(value: object) -> JsonValue:
    """The encoding of what `ast.literal_eval` returns (or a nan or infinity). Raises ValueError for other values."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if value.bit_length() <= PLAIN_BITS else {"$int": hex(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, complex):
        return {"$complex": [encode_literal(value.real), encode_literal(value.imag)]}
    if isinstance(value, bytes):
        return {"$bytes": value.hex()}
    if isinstance(value, list):
        return [encode_literal(item) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [encode_literal(item) for item in value]}
    if isinstance(value, (set, frozenset)):
        return {f"${type(value).__name__}": sorted(map(encode_literal, value), key=_order)}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: encode_literal(item) for key, item in value.items()}
        # The order is kept: a function may depend on that of its argument. Comparison ignores it.
        return {"$dict": [[encode_literal(key), encode_literal(item)] for key, item in value.items()]}
    raise ValueError(f"{type(value).__name__} is not a literal")


def _order(encoded: JsonValue) -> str:
    return json.dumps(encoded, sort_keys=True)
