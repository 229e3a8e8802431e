"""The candidate's side of an isolated pytest run: imports its modules and does what the tests ask, over `wire`.

It shares its process with the candidate, so nothing here is a secret and nothing it says is believed: the tests,
their expectations and the report are in another sandbox. Runs behind `encoder.py` and `wire.py`.
"""

from __future__ import annotations

import builtins
import importlib
import io
import operator
import os
import sys

from bowerbird.rewards.verifiers.inside.wire import (
    ARITHMETIC,
    ITEMS,
    ORDER,
    SHARED_ERRORS,
    Line,
    WireError,
    pack,
    unpack,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SHOWN = 4000  # characters of an error's text
HUNG_UP = 64  # our exit status when the tests are over; any other is the candidate's doing
PRINTED = 1 << 16  # characters of one call's output that go to the test


class Callback:
    """A function of the test's. Calling it asks the test's process."""

    def __init__(self, server: Server, number: int) -> None:
        self._server, self._number = server, number

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._server.call_back(self._number, args, kwargs)


class Server:
    """Holds the candidate's objects that tests have references to, for as long as the run lasts."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._things: list[Any] = []
        self._numbers: dict[int, int] = {}

    def serve(self) -> Any:
        """Answer requests; returns only inside `call_back`, with what the test's function returned."""
        while True:
            message = self._line.receive()
            if "return" in message:
                return self._unpack(message["return"])
            if "throw" in message:
                name, args = message["throw"]
                raise getattr(builtins, name, RuntimeError)(*self._unpack(args))
            self._line.send(self._answer(message))

    def call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask the test's process to call its function."""
        self._line.send({"callback": number, "args": self._pack(list(args)), "kwargs": self._pack(kwargs)})
        return self.serve()

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        printed = sys.stdout, sys.stderr
        out, err = io.StringIO(), io.StringIO()
        sys.stdout, sys.stderr = out, err
        try:
            reply = {"value": self._pack(self._perform(message))}
        except WireError:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever the candidate's code raises goes to the test
            reply = {"raise": self._describe_error(error)}
        finally:
            sys.stdout, sys.stderr = printed
        texts = {"out": out.getvalue()[:PRINTED], "err": err.getvalue()[:PRINTED]}
        return {**reply, **{name: text for name, text in texts.items() if text}}

    def _perform(self, message: dict[str, Any]) -> Any:
        kind = message["op"]
        if kind == "import":
            return importlib.import_module(message["name"])
        args = self._unpack(message["args"])
        if kind == "names":
            return public_names(args[0])
        if kind == "call":
            return args[0](*args[1], **args[2])
        return OPERATIONS[kind](*args)

    def _pack(self, value: Any) -> Any:
        return pack(value, self._refer)

    def _unpack(self, encoded: Any) -> Any:
        return unpack(encoded, self._resolve)

    def _refer(self, value: Any) -> Any:
        if type(value) is Callback:
            return {"$back": value._number}
        return {"$ref": self._describe(value)}

    def _resolve(self, tag: str, body: Any) -> Any:
        if tag == "$ref":
            return self._things[body]
        if tag == "$back":
            return Callback(self, body)
        raise WireError(tag)

    def _describe(self, value: Any) -> list[Any]:
        """[number, "object", name of its type] or [number, "class", name] or [number, "error", name, bases]."""
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._things)
            self._things.append(value)
        number = self._numbers[id(value)]
        if not isinstance(value, type):
            return [number, "object", str(type(value).__name__)]
        if not issubclass(value, BaseException):
            return [number, "class", str(value.__name__)]
        bases = [self._error_class(base) for base in value.__bases__ if issubclass(base, BaseException)]
        return [number, "error", str(value.__name__), bases]

    def _error_class(self, kind: type[BaseException]) -> Any:
        """A name that both sides know, or a description."""
        if getattr(builtins, kind.__name__, None) is kind:
            return kind.__name__
        if kind.__name__ in SHARED_ERRORS.get(kind.__module__, ()):
            return f"{kind.__module__}:{kind.__name__}"
        return self._describe(kind)

    def _describe_error(self, error: BaseException) -> dict[str, Any]:
        kind = self._error_class(type(error))
        try:
            text = str(error)[:SHOWN]
        except BaseException:  # noqa: BLE001 - the candidate's own __str__
            text = ""
        return {"class": kind, "args": self._pack(list(error.args)), "text": text, "ref": self._refer(error)}


def public_names(module: Any) -> list[str]:
    """What a star import takes."""
    names = getattr(module, "__all__", None)
    return [str(n) for n in names] if names is not None else [n for n in vars(module) if not n.startswith("_")]


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*ARITHMETIC, *ORDER, *ITEMS)},
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "eq": lambda a, b: bool(a == b),
    "ne": lambda a, b: bool(a != b),
    "len": len,
    "iter": iter,
    "next": next,
    "bool": bool,
    "str": str,
    "repr": repr,
    "hash": hash,
    "format": format,
    "abs": abs,
    "int": int,
    "float": float,
    "round": round,
    "pow": pow,
    "divmod": divmod,
    "reversed": reversed,
    "dir": dir,
    "isinstance": isinstance,
    "issubclass": issubclass,
}


def main() -> None:
    """Serve until the tests hang up. The candidate's prints to descriptors go nowhere that is read."""
    incoming, outgoing = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.path.append("/opt/packages")  # what the task requires
    sys.path.append(os.getcwd())  # last, so that no file there can pose as the standard library
    try:
        Server(Line(incoming, outgoing)).serve()
    except WireError:
        os._exit(HUNG_UP)


if __name__ == "__main__":
    main()
