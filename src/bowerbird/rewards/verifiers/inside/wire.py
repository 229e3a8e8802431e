"""Both ends of the line between a trusted test and a candidate: JSON objects, one a line, values in our encoding.

Plain values (None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict and a few exact types of
the standard library) travel by value and are made afresh on the other side. Everything else stays where it is and
travels as a reference, which the two hooks of `pack` and `unpack` make and resolve. Nothing here executes data.
Runs inside sandboxes behind `encoder.py`: Python 3.10, standard library only.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import json
import os
import re

from bowerbird.sandbox.encoder import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_MESSAGE = 4 << 20  # bytes of one line
DEEPEST = 60
LARGEST = 200_000  # values in one message
# Operators that are asked of the side that holds the object.
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "lshift", "rshift", "and_", "or_", "xor")
ORDER = ("lt", "le", "gt", "ge")
ITEMS = ("neg", "pos", "invert", "index", "contains", "getitem", "setitem", "delitem")
# Exceptions of the standard library that cross as themselves, as the builtin ones do: module -> names.
SHARED_ERRORS: dict[str, tuple[str, ...]] = {
    "json.decoder": ("JSONDecodeError",),
    "decimal": ("InvalidOperation", "DivisionByZero"),
    "dataclasses": ("FrozenInstanceError",),
    "subprocess": ("CalledProcessError", "TimeoutExpired"),
}
_HEX = re.compile("-?0x[0-9a-f]+")


class WireError(Exception):
    """The other side is gone, or said something that is no message."""


class Line:
    """One end. Messages go out whole and come in whole; more than `MAX_MESSAGE` bytes in one is an error."""

    def __init__(self, incoming: int, outgoing: int) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._read, self._write = os.read, os.write
        self._buffer = bytearray()

    def send(self, message: dict[str, Any]) -> None:
        """Raises WireError when the message is too large or nobody reads."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if len(data) > MAX_MESSAGE:
            raise WireError("the value is too large to send")
        view = memoryview(data)
        try:
            while view:
                view = view[self._write(self._outgoing, view) :]
        except OSError as error:
            raise WireError("the other side is gone") from error

    def receive(self) -> dict[str, Any]:
        """The next message. Raises WireError at the end and for anything that is not one."""
        searched = 0
        while (at := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MAX_MESSAGE:
                raise WireError("a message is too large")
            data = self._read(self._incoming, 1 << 16)
            if not data:
                raise WireError("the other side is gone")
            self._buffer += data
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 1]
        try:
            message = json.loads(line, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise WireError("not a message") from error
        if type(message) is not dict:
            raise WireError("not a message")
        return message


def _refuse(text: str) -> None:
    raise ValueError(text)


def pack(value: Any, foreign: Callable[[Any], Any], depth: int = 0, count: list[int] | None = None) -> Any:
    """The encoding of `value`. `foreign` encodes what does not travel by value, or raises TypeError."""
    count = [0] if count is None else count
    count[0] += 1
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind in (int, float, bytes, complex):
        return encode(value)
    if depth > DEEPEST or count[0] > LARGEST:
        raise TypeError("the value is too large or too deep to send")

    def inner(items: Any) -> list[Any]:
        return [pack(item, foreign, depth + 1, count) for item in items]

    if kind is list:
        return inner(value)
    if kind in (tuple, set, frozenset):
        return {"$" + kind.__name__: inner(value)}
    if kind is dict:
        if all(type(key) is str and key[:1] != "$" for key in value):
            return {key: pack(item, foreign, depth + 1, count) for key, item in value.items()}
        return {"$dict": [inner(pair) for pair in value.items()]}
    if kind in _PARTS:
        return {"$std": [kind.__name__, inner(_PARTS[kind](value))]}
    return foreign(value)


def unpack(encoded: Any, resolve: Callable[[str, Any], Any], depth: int = 0) -> Any:
    """A fresh value. `resolve(tag, body)` makes what a reference stands for. Raises WireError for anything else."""
    kind = type(encoded)
    if encoded is None or kind in (bool, int, float, str):
        return encoded
    if depth > 2 * DEEPEST + 2 or kind not in (list, dict):
        raise WireError("not an encoded value")
    if kind is list:
        return [unpack(item, resolve, depth + 1) for item in encoded]
    tags = [key for key in encoded if key[:1] == "$"]
    if not tags:
        return {key: unpack(item, resolve, depth + 1) for key, item in encoded.items()}
    if len(encoded) != 1:
        raise WireError("not an encoded value")
    body = encoded[tags[0]]
    try:
        return _tagged(tags[0], body, resolve, depth + 1)
    except (TypeError, ValueError, KeyError, OverflowError, ArithmeticError) as error:
        raise WireError(f"not an encoded value: {tags[0][:40]}") from error


def _tagged(tag: str, body: Any, resolve: Callable[[str, Any], Any], depth: int) -> Any:
    if tag == "$float" and body in ("nan", "inf", "-inf"):
        return float(body)
    if tag == "$int" and _HEX.fullmatch(body):
        return int(body, 16)
    if tag == "$bytes":
        return bytes.fromhex(body)
    if tag in ("$tuple", "$set", "$frozenset", "$complex", "$dict", "$std"):
        if type(body) is not list:
            raise ValueError(tag)
        if tag == "$std":
            name, parts = body
            return _BUILD[name](*unpack(parts, resolve, depth))
        items = [unpack(item, resolve, depth) for item in body]
        if tag == "$complex":
            return complex(*items)
        if tag == "$dict":
            return dict(items)
        return {"$tuple": tuple, "$set": set, "$frozenset": frozenset}[tag](items)
    return resolve(tag, body)


# Exact types of the standard library that ordinary code returns: how to take them apart, and to make them again.
_PARTS: dict[type, Callable[[Any], Any]] = {
    collections.Counter: lambda v: [dict(v)],
    collections.OrderedDict: lambda v: [list(v.items())],
    collections.defaultdict: lambda v: [dict(v)],
    collections.deque: lambda v: [list(v)],
    bytearray: lambda v: [bytes(v)],
    range: lambda v: [v.start, v.stop, v.step],
    decimal.Decimal: lambda v: [str(v)],
    fractions.Fraction: lambda v: [v.numerator, v.denominator],
    datetime.date: lambda v: [v.isoformat()],
    datetime.timedelta: lambda v: [v.days, v.seconds, v.microseconds],
}
_BUILD: dict[str, Callable[..., Any]] = {
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": lambda items: collections.defaultdict(None, items),
    "deque": collections.deque,
    "bytearray": lambda data: bytearray(bytes(data) if type(data) is bytes else b""),
    "range": range,
    "Decimal": decimal.Decimal,
    "Fraction": fractions.Fraction,
    "date": datetime.date.fromisoformat,
    "timedelta": datetime.timedelta,
}
