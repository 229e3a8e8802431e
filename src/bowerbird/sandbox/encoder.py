"""Python values as JSON that keeps their exact types.

None, bool, int, finite float, str, list and dict with plain string keys are themselves. The rest is an
object with one key that starts with a dollar:

    {"$tuple": [...]} {"$set": [...]} {"$frozenset": [...]} {"$dict": [[key, value], ...]}
    {"$float": "nan"} {"$int": "-0x..."} {"$bytes": "00ff"} {"$complex": [re, im]} {"$other": "type name"}

`$other` stands for anything else (a subclass of int, a generator, what is too deep) and equals nothing.
This file also runs inside sandboxes, in front of `caller.py`: Python 3.9, and no imports but the builtin
ones, because importing json would take longer than everything else a verification does.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 60
MAX_NODES = 200_000
PLAIN_BITS = 1024  # longer integers travel as hexadecimal, which no digit limit applies to
MAX_BITS = 1 << 20


def encode(value: Any) -> Any:
    """The encoding of a value; only exact built-in types keep their content. Never raises for a value's type."""
    return _encode(value, 0, [0])


def _encode(value: Any, depth: int, count: list[int]) -> Any:
    count[0] += 1
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        if value.bit_length() <= PLAIN_BITS:
            return value
        return {"$int": hex(value)} if value.bit_length() <= MAX_BITS else {"$other": "too large"}
    if kind is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    if kind is bytes:
        return {"$bytes": value.hex()}
    if kind is complex:
        return {"$complex": [_encode(value.real, depth, count), _encode(value.imag, depth, count)]}
    if kind not in (list, tuple, set, frozenset, dict):
        return {"$other": str(kind.__name__)[:80]}
    if depth >= MAX_DEPTH or count[0] + len(value) > MAX_NODES:
        return {"$other": "too large"}
    if kind is dict:
        return _encode_dict(value, depth, count)
    items = [_encode(item, depth + 1, count) for item in value]
    if kind is list:
        return items
    if kind is tuple:
        return {"$tuple": items}
    return {"$" + kind.__name__: sorted(items, key=dump)}


def _encode_dict(value: dict[Any, Any], depth: int, count: list[int]) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: _encode(item, depth + 1, count) for key, item in value.items()}
    pairs = [[_encode(key, depth + 1, count), _encode(item, depth + 1, count)] for key, item in value.items()]
    return {"$dict": sorted(pairs, key=dump)}


def dump(encoded: Any) -> str:
    """ASCII JSON of an encoding, in one line."""
    kind = type(encoded)
    if kind is str:
        return _quote(encoded)
    if encoded is None:
        return "null"
    if kind is bool:
        return "true" if encoded else "false"
    if kind is list:
        return "[" + ",".join([dump(item) for item in encoded]) + "]"
    if kind is dict:
        return "{" + ",".join([_quote(key) + ":" + dump(item) for key, item in encoded.items()]) + "}"
    return repr(encoded)  # int, or finite float


def _quote(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return '"' + text + '"'
    return '"' + "".join([c if " " <= c <= "~" and c not in '"\\' else _escape(ord(c)) for c in text]) + '"'


def _escape(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
