"""From the lines of a pytest run to what was observed of each test. Nothing that is missing counts as a pass."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bowerbird.types import JsonValue

FORGED = "forged_report"  # the failure of a run in which a test that must fail was reported otherwise
PHASES = ("setup", "call", "teardown")


@dataclass(frozen=True, slots=True)
class Observed:
    """What a run showed. `failure` is None exactly when every expected test was seen passing, and nothing forged."""

    passed: int
    total: int
    failure: str | None
    begun: bool  # pytest had started
    signs: tuple[str, ...] = ()  # as in `Verification`


def judge_report(
    report: bytes, nonce: str, expected: Sequence[str], canaries: Collection[str], *, ending: str | None
) -> Observed:
    """Read `report`, one JSON object a line. `ending` is the class of an end before its time, or None.

    A test passes when its three phases were each reported once, as passed and not as an expected failure. A canary
    must be seen failing when called. Lines that are not ours, the same test twice, or a report that goes on after its
    end are `FORGED`: in a process of its own a test run does none of it.
    """
    lines, clean = _read(report, nonce)
    total = len(expected)
    begun = any("begin" in line for line in lines)
    if not clean:
        return Observed(0, total, FORGED, begun, ("forged: a line that is none of the report's",))
    seen: dict[str, list[Mapping[str, JsonValue]]] = {}
    for line in lines:
        if type(line.get("test")) is str:
            seen.setdefault(line["test"], []).append(line)
    passed = [name for name in expected if _passed(seen.get(name, []))]
    finished = bool(lines) and type(lines[-1].get("done")) is int
    failure = ending or (None if finished else "crash")
    if any(seen.get(name) and not _failed(seen[name]) for name in canaries) or any(
        len(rows) > len(PHASES) for rows in seen.values()
    ):
        failure = FORGED
    elif failure is None and len(passed) < total:
        failure = _import_failure(lines) or _first_failure(expected, seen)
    elif failure is None and any(name not in seen for name in canaries):
        failure = FORGED  # all is well, but a test that was there was not run
    if failure is not None and any("lost" in line for line in lines) and failure not in (FORGED, "timeout", "flood"):
        failure = "crash"
    return Observed(len(passed), total, failure, begun, _signs(failure, lines, expected, seen))


def _signs(
    failure: str | None,
    lines: Sequence[Mapping[str, JsonValue]],
    expected: Sequence[str],
    seen: Mapping[str, Sequence[Mapping[str, JsonValue]]],
) -> tuple[str, ...]:
    signs = ["forged: a test that must fail was reported as passed, or not at all"] if failure == FORGED else []
    signs += [f"skipped: raised {line['raised']}" for line in lines if type(line.get("raised")) is str][:1]
    for test in expected:
        if any(row.get("outcome") == "skipped" for row in seen.get(test, [])):
            signs.append(f"skipped: {test}")
    return tuple(signs[:10])


def _read(report: bytes, nonce: str) -> tuple[list[Mapping[str, JsonValue]], bool]:
    """This run's lines up to the first that is none, and whether that was all."""
    lines: list[Mapping[str, JsonValue]] = []
    pieces = report.split(b"\n")
    for piece in pieces[:-1]:  # the last is empty, or cut off
        if not piece or piece.startswith(b"killed: "):  # the sandbox's own word on a run that used too much
            continue
        try:
            line = json.loads(piece)
        except (ValueError, RecursionError):
            return lines, False
        if type(line) is not dict or line.get("nonce") != nonce or any("done" in earlier for earlier in lines[-1:]):
            return lines, False
        lines.append(line)
    return lines, True


def _passed(rows: Sequence[Mapping[str, JsonValue]]) -> bool:
    return [row.get("when") for row in rows] == list(PHASES) and all(
        row.get("outcome") == "passed" and row.get("xfail") is False for row in rows
    )


def _failed(rows: Sequence[Mapping[str, JsonValue]]) -> bool:
    outcomes = {row.get("when"): row.get("outcome") for row in rows}
    return outcomes.get("call") == "failed" or outcomes.get("setup") == "failed"


def _import_failure(lines: Sequence[Mapping[str, JsonValue]]) -> str | None:
    """The class of failure where the candidate's module did not come in."""
    kinds = [line["import"] for line in lines if type(line.get("import")) is str]
    if not kinds:
        return None
    return "syntax_error" if kinds[0] in ("SyntaxError", "IndentationError", "TabError") else "import_error"


def _first_failure(expected: Sequence[str], seen: Mapping[str, Sequence[Mapping[str, JsonValue]]]) -> str:
    rows = next(seen.get(name, []) for name in expected if not _passed(seen.get(name, [])))
    if not rows:
        return "test_missing"
    if any(row.get("xfail") is True for row in rows):
        return "test_xfailed"
    if any(row.get("outcome") == "skipped" for row in rows):
        return "test_skipped"
    return "test_failed"
