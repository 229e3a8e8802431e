"""The tests' side of an isolated pytest run: modules that stand for the candidate's, and references to its objects.

A reference is not the object and lends it no voice where it matters: a reference never equals a plain value, and is
neither smaller nor greater than one, whatever the candidate's methods would say. Two references compare where their
objects are. Plain values arrive as fresh copies and compare here. Runs behind `encoder.py` and `wire.py`.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.abc
import importlib.machinery
import sys
import types

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
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

SHOWN_DUNDERS = frozenset({"__name__", "__qualname__", "__doc__", "__version__", "__author__", "__annotations__"})
BUILTIN_ERRORS = {
    name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}
OUTCOMES = frozenset({"SkipTest", "Skipped", "XFailed", "Exit"})
NAME = 80  # characters kept of a name that the candidate chose


class Peer:
    """Asks the candidate's process. After a WireError every further question is one too."""

    def __init__(self, line: Line, tell: Callable[[dict[str, Any]], None]) -> None:
        """`tell` is given events for the report: {"lost": why}, {"import": name of the error}, {"raised": name}."""
        self._line, self._tell = line, tell
        self._functions: list[Callable[..., Any]] = []
        self._errors: dict[int, type[BaseException]] = {}
        self._lost = False

    def ask(self, op: str, *args: Any, **fields: Any) -> Any:
        """One request to its reply; functions of ours that the candidate calls meanwhile are called here."""
        if self._lost:
            raise WireError("the candidate's process is gone")
        message = {"op": op, "args": pack(list(args), self._refer), **fields}
        try:
            self._line.send(message)
            while "callback" in (reply := self._line.receive()):
                self._line.send(self._called(reply))
            for stream, name in ((sys.stdout, "out"), (sys.stderr, "err")):
                if type(reply.get(name)) is str:
                    stream.write(reply[name])
            if "raise" not in reply:
                return self._unpack(reply.get("value"))
            raised = self._error(reply["raise"])
        except WireError as error:
            self._lost = True
            self._tell({"lost": str(error)})
            raise
        if op == "import":
            self._tell({"import": type(raised).__name__[:NAME]})
        self._note(reply["raise"])
        raise raised

    def _note(self, body: dict[str, Any]) -> None:
        """Tell of a test runner's own outcome, which no ordinary code raises."""
        kind = body["class"]
        name = str(kind[2])[:NAME] if type(kind) is list else ""
        if name in OUTCOMES:
            self._tell({"raised": name})

    def _unpack(self, encoded: Any) -> Any:
        return unpack(encoded, self._resolve)

    def _called(self, message: dict[str, Any]) -> dict[str, Any]:
        number = message["callback"]
        if type(number) is not int or not 0 <= number < len(self._functions):
            raise WireError("a call of a function that was never given")
        args, kwargs = self._unpack(message.get("args")), self._unpack(message.get("kwargs"))
        if type(args) is not list or type(kwargs) is not dict:
            raise WireError("a call without arguments")
        try:
            return {"return": pack(self._functions[number](*args, **kwargs), self._refer)}
        except WireError:
            raise
        except Exception as error:  # noqa: BLE001 - as in one process, it passes through the candidate's code
            known = type(error).__name__ if type(error).__name__ in BUILTIN_ERRORS else "RuntimeError"
            return {"throw": [known, pack([str(error)], self._refer)]}

    def _refer(self, value: Any) -> Any:
        if isinstance(value, Remote):
            return {"$ref": value._bowerbird_number}
        number = getattr(value, "_bowerbird_number", None)
        if isinstance(value, (type, BaseException)) and type(number) is int:
            return {"$ref": number}
        if callable(value) and not isinstance(value, type):
            for at, function in enumerate(self._functions):  # by identity: == is the function's own affair
                if function is value:
                    return {"$back": at}
            self._functions.append(value)
            return {"$back": len(self._functions) - 1}
        raise TypeError(
            f"a {type(value).__name__} cannot be sent to the candidate's process: give plain values and functions, "
            'or set isolation = "none" in the task'
        )

    def _resolve(self, tag: str, body: Any) -> Any:
        if tag == "$back" and type(body) is int and 0 <= body < len(self._functions):
            return self._functions[body]
        if tag != "$ref" or type(body) is not list or len(body) < 3:
            raise WireError(tag[:40])
        number, what, name = body[0], body[1], str(body[2])[:NAME]
        if type(number) is not int:
            raise WireError(tag)
        if what == "error":
            return self._error_class(body)
        return (RemoteClass if what == "class" else Remote)(self, number, name)

    def _error_class(self, body: Any, depth: int = 0) -> type[BaseException]:
        """A class of ours that stands for one of the candidate's, or the one both sides know by this name."""
        if type(body) is str:
            module, _, name = body.rpartition(":")
            if not module and name in BUILTIN_ERRORS:
                return BUILTIN_ERRORS[name]
            if name in SHARED_ERRORS.get(module, ()):
                found: type[BaseException] = getattr(importlib.import_module(module), name)
                return found
            raise WireError("an unknown class of exception")
        if type(body) is not list or len(body) != 4 or depth > 20 or type(body[0]) is not int:
            raise WireError("not a class of exceptions")
        number, _, name, bases = body
        if number not in self._errors:
            parents = tuple(self._error_class(base, depth + 1) for base in bases) or (Exception,)
            members = {"_bowerbird_number": number, "__init__": _keep_arguments, "__str__": _sent_text}
            members["__getattr__"] = _ask_error
            try:
                self._errors[number] = type(str(name)[:NAME], parents, members)
            except (TypeError, ValueError):
                raise WireError("a class that cannot be made") from None
        return self._errors[number]

    def _error(self, body: Any) -> BaseException:
        """The exception as the test shall see it."""
        if type(body) is not dict:
            raise WireError("not an exception")
        kind = self._error_class(body.get("class"))
        args = self._unpack(body.get("args"))
        try:
            error = kind(*args)
        except (TypeError, ValueError):
            raise WireError("an exception that cannot be made") from None
        if type(kind.__dict__.get("_bowerbird_number")) is int:
            error.__dict__["_bowerbird_text"] = str(body.get("text"))
            error.__dict__["_bowerbird_remote"] = self._unpack(body.get("ref"))
        return error


def _keep_arguments(self: BaseException, *args: Any) -> None:
    self.args = args


def _sent_text(self: BaseException) -> str:
    text = self.__dict__.get("_bowerbird_text")
    return text if type(text) is str else BaseException.__str__(self)


def _ask_error(self: BaseException, name: str) -> Any:
    remote = self.__dict__.get("_bowerbird_remote")
    if remote is None or name.startswith("__") or _is_pytests(name):
        raise AttributeError(name)
    return getattr(remote, name)


def _is_pytests(name: str) -> bool:
    """Attributes by which a test runner marks what it runs: the candidate's objects have none."""
    return name.startswith(("_pytest", "pytest", "_bowerbird"))


class Remote:
    """A reference to an object in the candidate's process."""

    __slots__ = ("_bowerbird_name", "_bowerbird_number", "_bowerbird_peer")

    def __init__(self, peer: Peer, number: int, name: str) -> None:
        object.__setattr__(self, "_bowerbird_peer", peer)
        object.__setattr__(self, "_bowerbird_number", number)
        object.__setattr__(self, "_bowerbird_name", name)

    def __getattr__(self, name: str) -> Any:
        if _is_pytests(name) or (name.startswith("__") and name not in SHOWN_DUNDERS):
            raise AttributeError(name)
        return self._bowerbird_peer.ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._bowerbird_peer.ask("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        self._bowerbird_peer.ask("delattr", self, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._bowerbird_peer.ask("call", self, list(args), kwargs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Remote) and self._bowerbird_peer.ask("eq", self, other) is True

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, Remote) or self._bowerbird_peer.ask("ne", self, other) is not False

    def __hash__(self) -> int:
        found: int = self._bowerbird_peer.ask("hash", self)
        return found

    def __enter__(self) -> Any:
        return self._bowerbird_peer.ask("getattr", self, "__enter__")()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._bowerbird_peer.ask("getattr", self, "__exit__")(None, None, None)  # it cannot swallow a test's failure

    def __dir__(self) -> list[str]:
        return [name for name in self._bowerbird_peer.ask("dir", self) if type(name) is str]


def _forward(op: str) -> Callable[..., Any]:
    return lambda self, *args: self._bowerbird_peer.ask(op, self, *args)


def _reflect(op: str) -> Callable[..., Any]:
    return lambda self, other: self._bowerbird_peer.ask(op, other, self)


def _order(op: str) -> Callable[..., bool]:
    def compare(self: Remote, other: object) -> bool:
        if not isinstance(other, Remote):
            raise TypeError(
                f"'{op}' between the candidate's {self._bowerbird_name} and a plain value proves nothing: "
                "compare plain values"
            )
        return self._bowerbird_peer.ask(op, self, other) is True

    return compare


CONVERSIONS = ("len", "iter", "next", "bool", "str", "repr", "format", "abs", "int", "float", "round", "reversed")
for _name in (*CONVERSIONS, *ITEMS):
    setattr(Remote, f"__{_name}__", _forward(_name))
for _name in (*ARITHMETIC, "pow", "divmod"):
    setattr(Remote, f"__{_name.rstrip('_')}__", _forward(_name))
    setattr(Remote, f"__r{_name.rstrip('_')}__", _reflect(_name))
for _name in ORDER:
    setattr(Remote, f"__{_name}__", _order(_name))


class RemoteClass(Remote):
    """A reference to a class, which `isinstance` takes. Nothing plain is an instance of it."""

    __slots__ = ()

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, Remote) and self._bowerbird_peer.ask("isinstance", instance, self) is True

    def __subclasscheck__(self, subclass: object) -> bool:
        return isinstance(subclass, RemoteClass) and self._bowerbird_peer.ask("issubclass", subclass, self) is True

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        raise TypeError("a test cannot subclass the candidate's class across processes")


class RemoteModule(types.ModuleType):
    """Stands for one of the candidate's modules."""

    def __getattr__(self, name: str) -> Any:
        peer, remote = self.__dict__.get("_bowerbird_peer"), self.__dict__.get("_bowerbird_remote")
        if peer is None or remote is None or _is_pytests(name):
            raise AttributeError(name)
        if name == "__all__":  # a star import must not take the place of what the test relies on
            names = [n for n in peer.ask("names", remote) if type(n) is str and not n.lower().startswith("test")]
            return [n for n in names if not hasattr(builtins, n) and n != "pytest"]
        return getattr(remote, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__") or isinstance(value, RemoteModule):
            super().__setattr__(name, value)
        else:
            setattr(self.__dict__["_bowerbird_remote"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["_bowerbird_remote"], name)


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the candidate's modules as proxies. `modules` maps a dotted name to whether it is a package."""

    def __init__(self, peer: Peer, modules: Mapping[str, bool]) -> None:
        self._peer, self._modules = peer, modules

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if name not in self._modules:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=self._modules[name])

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return RemoteModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__["_bowerbird_peer"] = self._peer
        module.__dict__["_bowerbird_remote"] = self._peer.ask("import", name=module.__name__)
