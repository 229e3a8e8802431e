"""Call a function of untrusted source on given inputs, out of process: inputs go in, encoded values come out."""

import json
import marshal
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bowerbird.sandbox.codec import decode, encode, same
from bowerbird.sandbox.protocol import Execution, Limits, Workspace
from bowerbird.types import Case, InfraError, JsonValue, TaskError

__all__ = ["CallReport", "CallResult", "decode", "encode", "run_calls", "same"]

SHOWN = 200  # characters of a message
LOAD_FAILURES = frozenset({"no_code", "syntax_error", "import_error", "missing_function"})
_IMPORT = "from bowerbird.sandbox.encoder import dump, encode\n"
_FUTURE = "from __future__ import annotations\n"


@dataclass(frozen=True, slots=True)
class CallResult:
    """One call. Exactly one of `value` (encoded) and `error` ("ZeroDivisionError: division by zero") is set."""

    value: JsonValue = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CallReport:
    """All calls of one source. `failure` is None when the source loaded and every call was made."""

    results: tuple[CallResult, ...]
    # "no_code", "syntax_error", "import_error", "missing_function", "timeout", "crash", "flood"
    failure: str | None = None
    message: str = ""  # one line for a retry prompt


def run_calls(workspace: Workspace, path: str, entry_point: str, cases: Sequence[Case], limits: Limits) -> CallReport:
    """Load /work/`path` in the sandbox and call `entry_point` on the inputs of `cases` (expected values stay outside).

    What the source does, in whatever way, ends in the report: the calls made before a failure are in
    `results`. One process serves all calls. Only a lost sandbox raises (SandboxError), and a case whose
    inputs are no encoded values (TaskError).
    """
    argv = ["python3", "-I", "-S", "-B", "-c", _program(), f"/work/{path}", entry_point]
    execution = workspace.run(argv, stdin=_inputs(cases), limits=limits)
    return _read_report(execution, len(cases), limits)


def _inputs(cases: Sequence[Case]) -> bytes:
    """Marshalled in the old version 2, which every Python reads. Data goes in this way and never comes out so."""
    calls = []
    try:
        for case in cases:
            args = tuple(decode(arg) for arg in case.args)
            calls.append(marshal.dumps((args, {name: decode(arg) for name, arg in case.kwargs.items()}), 2))
    except ValueError as error:
        raise TaskError(f"case {len(calls)} has an input that cannot be decoded: {error}") from error
    return marshal.dumps(calls, 2)


@cache
def _program() -> str:
    """The caller with the encoder in front: inside, there is no package to import it from."""
    folder = files("bowerbird.sandbox")
    encoder, caller = (folder.joinpath(name).read_text() for name in ("encoder.py", "caller.py"))
    if _IMPORT not in caller or _FUTURE not in caller:
        raise InfraError("the installed bowerbird.sandbox.caller is damaged: install the package again")
    return encoder + caller.replace(_FUTURE, "").replace(_IMPORT, "")


def _read_report(execution: Execution, expected: int, limits: Limits) -> CallReport:
    """Believe nothing: any line may have been written by the candidate."""
    results: list[CallResult] = []
    loaded = done = False
    for line in execution.stdout.split(b"\n")[:-1]:
        record = _parse(line)
        if record is None or done:
            return CallReport(tuple(results), "crash", "the program disturbed the report of its results")
        failure = record.get("failure")
        if not loaded and type(failure) is str and failure in LOAD_FAILURES:
            return CallReport((), failure, one_line(record.get("message")))
        if not loaded and record == {"loaded": True}:
            loaded = True
        elif loaded and record == {"done": True} and len(results) == expected:
            done = True
        elif loaded and len(results) < expected and (result := _result(record, len(results))) is not None:
            results.append(result)
        else:
            return CallReport(tuple(results), "crash", "the program disturbed the report of its results")
    if done:
        return CallReport(tuple(results))
    failure, message = _ending(execution, limits)
    return CallReport(tuple(results), failure, message)


def _parse(line: bytes) -> Mapping[str, JsonValue] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if type(record) is dict else None


def _result(record: Mapping[str, JsonValue], number: int) -> CallResult | None:
    if type(record.get("call")) is not int or record["call"] != number or len(record) != 2:
        return None
    if "value" in record:
        return CallResult(value=record["value"])
    error = record.get("error")
    return CallResult(error=one_line(error) or "Exception") if type(error) is str else None


def _ending(execution: Execution, limits: Limits) -> tuple[str, str]:
    """Why a run ended before its calls were all made: (failure, message)."""
    if execution.timed_out or execution.exit_code == -24:  # SIGXCPU
        return "timeout", f"the program did not finish within {limits.wall_s:g} seconds"
    if execution.truncated:
        return "flood", "the program printed too much"
    code = execution.exit_code or 0
    how = f"was killed by signal {-code}" if code < 0 else f"exited with status {code}"
    return "crash", f"the program {how} before its calls were made"


def one_line(text: JsonValue) -> str:
    """At most 200 printable characters, without anything that looks like a control token of a chat template."""
    if type(text) is not str:
        return ""
    flat = "".join(c if c.isprintable() else " " for c in text[: 4 * SHOWN])
    return re.sub(r"<(?=[|/_s])", "< ", " ".join(flat.split()))[:SHOWN]
