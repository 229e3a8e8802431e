"""Encoded values (see `encoder`) back into Python, and a comparison that no object can take part in."""

import json
from typing import Any

from bowerbird.sandbox.encoder import MAX_DEPTH, dump, encode
from bowerbird.types import JsonValue

__all__ = ["decode", "dump", "encode", "same"]


class _Unequal(Exception):
    """Holds something that equals nothing."""


def decode(encoded: JsonValue) -> Any:
    """A fresh value. Raises ValueError for what `encode` cannot have made, and for `$other`."""
    try:
        return _decode(encoded, 0)
    except (TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not an encoded value: {error}") from error


def _decode(encoded: JsonValue, depth: int) -> Any:
    if depth > 2 * MAX_DEPTH + 2:  # a tag adds a level of its own
        raise ValueError("not an encoded value: too deep")
    if encoded is None or type(encoded) in (bool, int, float, str):
        return encoded
    if type(encoded) is list:
        return [_decode(item, depth + 1) for item in encoded]
    if type(encoded) is not dict:
        raise ValueError(f"not an encoded value: {type(encoded).__name__}")
    tags = [key for key in encoded if type(key) is str and key.startswith("$")]
    if not tags:
        return {key: _decode(item, depth + 1) for key, item in encoded.items()}
    if len(encoded) != 1:
        raise ValueError(f"not an encoded value: {tags[0]} beside other keys")
    return _decode_tagged(tags[0], encoded[tags[0]], depth + 1)


def _decode_tagged(tag: str, body: JsonValue, depth: int) -> Any:
    if tag in ("$tuple", "$set", "$frozenset", "$complex") and type(body) is list:
        items = [_decode(item, depth) for item in body]
        if tag == "$complex":
            return complex(*items)
        return {"$tuple": tuple, "$set": set, "$frozenset": frozenset}[tag](items)
    if tag == "$dict" and type(body) is list:
        return {_decode(key, depth): _decode(item, depth) for key, item in body}
    if tag == "$float" and body in ("nan", "inf", "-inf"):
        return float(body)
    if tag == "$int" and type(body) is str:
        return int(body, 16)
    if tag == "$bytes" and type(body) is str:
        return bytes.fromhex(body)
    raise ValueError(f"not an encoded value: {tag[:40]}")


def same(left: JsonValue, right: JsonValue) -> bool:
    """True if two encodings mean the same value of the same types, all the way down.

    1, 1.0 and True differ; a tuple is no list; nan is nan; -0.0 is 0.0; dicts and sets have no order.
    Malformed encodings and `$other` equal nothing, not even themselves.
    """
    try:
        return _canonical(left, 0) == _canonical(right, 0)
    except (_Unequal, ValueError, TypeError, AttributeError, RecursionError):
        return False


def _canonical(encoded: JsonValue, depth: int) -> str:
    """A text that only the same value has."""
    kind = type(encoded)
    if depth > 2 * MAX_DEPTH + 2:
        raise _Unequal
    if encoded is None or kind is bool:
        return str(encoded)
    if kind is int:
        return hex(encoded)
    if kind is float:
        return "f" + repr(encoded + 0.0)  # -0.0 + 0.0 is 0.0
    if kind is str:
        return json.dumps(encoded)
    if kind is list:
        return "[" + ",".join([_canonical(item, depth + 1) for item in encoded]) + "]"
    if kind is not dict:
        raise _Unequal
    tags = [key for key in encoded if key.startswith("$")]
    if not tags:
        pairs = sorted((json.dumps(key), _canonical(item, depth + 1)) for key, item in encoded.items())
        return "{" + ",".join([key + ":" + item for key, item in pairs]) + "}"
    if len(encoded) != 1:
        raise _Unequal
    return _canonical_tagged(tags[0], encoded[tags[0]], depth + 1)


def _canonical_tagged(tag: str, body: JsonValue, depth: int) -> str:
    if tag in ("$set", "$frozenset") and type(body) is list:
        return tag + "[" + ",".join(sorted([_canonical(item, depth) for item in body])) + "]"
    if tag == "$dict" and type(body) is list:
        pairs = sorted((_canonical(key, depth), _canonical(item, depth)) for key, item in body)
        if all(key.startswith('"') for key, _ in pairs):
            tag = ""  # only string keys: the plain form of the same dict
        return tag + "{" + ",".join([key + ":" + item for key, item in pairs]) + "}"
    if tag in ("$tuple", "$complex") and type(body) is list:
        return tag + _canonical(body, depth)
    if tag == "$int" and type(body) is str:
        return hex(int(body, 16))
    if tag in ("$float", "$bytes") and type(body) is str:
        return tag + json.dumps(body)
    raise _Unequal
