"""The program that runs inside the sandbox: load the candidate, call it, report. See `calls.py`.

Its arguments are the candidate's path and the function's name. Standard input holds the inputs as the host
marshalled them, one string of bytes a call: what one call does to its arguments is no other call's affair.
One JSON object a line goes out on what was standard output; the candidate's own prints go to standard
error. The candidate shares this process, so nothing here is a secret and nothing here is believed: the
worst it can do is to report other values than it returned, and the values are compared elsewhere.
Python 3.9, and few imports: start-up is most of what a verification costs.
"""

from __future__ import annotations

import marshal
import os
import sys

from bowerbird.sandbox.encoder import dump, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_LINE = 1 << 18
SHOWN = 200


def describe(error: BaseException) -> str:
    """ "Type: message", in one line, whatever the exception's own methods do."""
    try:
        text = str(error)
    except BaseException:  # noqa: BLE001 - it is the candidate's code that runs here
        text = ""
    name = str(type(error).__name__)
    return " ".join((f"{name}: {text}" if text else name).split())[:SHOWN]


def line_of(error: BaseException, path: str) -> str:
    """ "line 3: " for the deepest frame in the candidate's file, or nothing."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: " if line else ""


def reporter(channel: int) -> Callable[[dict[str, Any]], None]:
    """A function that writes one line; only in this process, not in children the candidate forks."""
    home, getpid, leave, write = os.getpid(), os.getpid, os._exit, os.write

    def report(record: dict[str, Any]) -> None:
        if getpid() != home:
            leave(0)
        line = dump(record)
        if len(line) > MAX_LINE:
            line = dump({"call": record.get("call"), "value": {"$other": "too large"}})
        data = line.encode() + b"\n"
        while data:
            data = data[write(channel, data) :]

    return report


def load(path: str, entry_point: str, report: Callable[[dict[str, Any]], None]) -> Callable[..., Any] | None:
    """The candidate's function, or None after reporting why there is none."""

    def fail(failure: str, message: str) -> None:
        report({"failure": failure, "message": message[:SHOWN]})

    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        fail("no_code", f"{os.path.basename(path)} cannot be read: {error.strerror}")
        return None
    if not source.strip():
        fail("no_code", f"{os.path.basename(path)} is empty")
        return None
    try:
        code = compile(source, path, "exec", dont_inherit=True)
    except BaseException as error:  # noqa: BLE001 - also RecursionError, MemoryError, ValueError
        text = error.msg if isinstance(error, SyntaxError) else describe(error)
        fail("syntax_error", line_of(error, path) + f"{type(error).__name__}: {text}")
        return None
    module = type(sys)("solution")
    module.__file__ = path
    sys.modules["solution"] = module
    sys.path.append("/opt/packages")  # what the task requires; -I keeps PYTHONPATH out
    sys.path.append(os.path.dirname(path))  # last, so that no file there can pose as the standard library
    try:
        exec(code, module.__dict__)  # noqa: S102 - this process is the sandboxed one
    except BaseException as error:  # noqa: BLE001 - SystemExit too
        fail("import_error", line_of(error, path) + describe(error))
        return None
    function = module.__dict__.get(entry_point)
    if not callable(function):
        fail("missing_function", f"there is no function named {entry_point}")
        return None
    return function  # type: ignore[no-any-return]


def main() -> None:
    """Run all calls and leave without running anything the candidate registered."""
    leave = os._exit
    channel = os.dup(1)
    os.dup2(2, 1)
    path, entry_point = sys.argv[1:3]
    inputs = marshal.loads(sys.stdin.buffer.read())  # noqa: S302 - the host wrote it
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    report = reporter(channel)
    function = load(path, entry_point, report)
    if function is not None:
        report({"loaded": True})
        for number, data in enumerate(inputs):
            args, kwargs = marshal.loads(data)  # noqa: S302 - the host wrote it
            try:
                record = {"call": number, "value": encode(function(*args, **kwargs))}
            except BaseException as error:  # noqa: BLE001 - SystemExit too: a call that exits has failed
                record = {"call": number, "error": describe(error)}
            report(record)
        report({"done": True})
    leave(0)


if __name__ == "__main__":
    main()
