"""One check and its result, and the few helpers that checks are written with."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bowerbird.sandbox.protocol import Execution, Limits, Sandbox, Workspace

AREAS = (
    "file system",
    "network",
    "processes",
    "limits",
    "output floods",
    "daemons",
    "environment",
    "secrets",
    "collection",
    "decoys",
    "watching",
)
DONE = "the check ran to its end"
GENEROUS = Limits(wall_s=30.0, cpu_s=20)


class Violation(Exception):
    """A guarantee that does not hold; the message is the evidence."""


class Skipped(Exception):
    """This back end does not claim the guarantee here; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One guarantee. `run` raises Violation where it does not hold, Skipped where it is not claimed, and returns what
    it saw otherwise."""

    name: str
    area: str
    why: str  # what an attacker gains without it
    run: Callable[[Sandbox], str]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check. One that was skipped has passed, but shows nothing."""

    name: str
    area: str
    why: str
    passed: bool
    detail: str
    seconds: float
    skipped: bool = False


def run_check(check: Check, sandbox: Sandbox) -> CheckResult:
    """Run one check. Whatever goes wrong in a back end is a failed check."""
    start = time.monotonic()
    skipped = False
    try:
        detail, passed = check.run(sandbox), True
    except Skipped as reason:
        detail, passed, skipped = f"skipped: {reason}", True, True
    except Violation as violation:
        detail, passed = str(violation), False
    except Exception as error:  # noqa: BLE001 - the boundary: a back end under test may raise anything
        detail, passed = f"{type(error).__name__}: {error}", False
    return CheckResult(check.name, check.area, check.why, passed, detail[:400], time.monotonic() - start, skipped)


def run_conformance(
    sandbox: Sandbox, only: Iterable[Check] | None = None, *, seen: Callable[[CheckResult], None] = lambda _result: None
) -> list[CheckResult]:
    """Run the suite (or `only` some of it), calling `seen` after each check. Raises nothing."""
    from bowerbird.sandbox.conformance import checks

    results = []
    for check in checks if only is None else only:
        results.append(run_check(check, sandbox))
        seen(results[-1])
    return results


def expect(holds: bool, evidence: str) -> None:
    """Raise Violation with the evidence unless `holds`."""
    if not holds:
        raise Violation(evidence)


def python(workspace: Workspace, code: str, *args: str, limits: Limits = GENEROUS) -> Execution:
    """Run Python inside the workspace."""
    return workspace.run(["python3", "-I", "-S", "-B", "-c", code, *args], limits=limits)


def whole(workspace: Workspace, code: str, *args: str, limits: Limits = GENEROUS) -> str:
    """What a Python program printed. Raises Violation when it did not run to its end: silence is no proof."""
    done = python(workspace, f"{code}\nprint({DONE!r})", *args, limits=limits)
    said, last, rest = done.stdout.decode(errors="replace").partition(DONE)
    if done.exit_code != 0 or not last or rest.strip():
        raise Violation(f"ended with {done.exit_code}: {done.stderr.decode(errors='replace')[-300:]}")
    return said.strip()


def say(sandbox: Sandbox, code: str, *args: str, limits: Limits = GENEROUS) -> str:
    """The same in a fresh workspace."""
    with sandbox.open({}) as workspace:
        return whole(workspace, code, *args, limits=limits)


def expect_said(sandbox: Sandbox, wanted: str, code: str, *args: str, limits: Limits = GENEROUS) -> str:
    """Raise Violation unless the program prints exactly `wanted`."""
    said = say(sandbox, code, *args, limits=limits)
    expect(said == wanted, said or "it said nothing")
    return said
