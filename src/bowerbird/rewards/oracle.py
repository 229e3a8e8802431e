"""The out-of-process oracle: the candidate runs in one process, the comparison in another.

Only inputs enter the sandbox and only encoded values leave it. The expected values, the comparison and the reward
stay in this process, so nothing the candidate patches, prints or kills can reach them: to forge an answer is to
compute it.
"""

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from bowerbird.sandbox.calls import CallReport, run_calls, same
from bowerbird.sandbox.protocol import Base, Limits, Sandbox
from bowerbird.types import Case, TaskError, Verification, VerifierSpec

# How `run_calls` words two ways to crash, and how it shows a test runner's own outcomes.
DISTURBED = "the program disturbed the report of its results"
LEFT = "the program exited with status 0 before its calls were made"
_OUTCOME = re.compile(r"(?:line \d+: )?(SkipTest|Skipped|XFailed)(?::|$)")
SOLUTION = "solution.py"  # the file that holds the function when a submission has several


class Verifier(Protocol):
    """Grades submitted bytes. Raises InfraError when the machinery fails, never for what the bytes do."""

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification: ...


class OracleVerifier:
    """Runs a submitted function on hidden inputs in a sandbox of its own and compares outside.

    The reward is 1.0 if every case passes and 0.0 otherwise. `Verification.failure` is the class of the first
    failure: no_code, syntax_error, import_error, missing_function, timeout, crash, flood, exception, wrong_answer.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None) -> None:
        """`limits` hold for one verification, all cases together; the wall limit is the task's own."""
        self._sandbox = sandbox
        self._limits = limits if limits is not None else Limits()

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        """Grade `submission`, the declared files as collected. An empty one is 0 and starts no sandbox.

        The caller has closed the solving workspace: no process of it is left to race with this one.
        Raises TaskError for a spec that this verifier cannot grade, SandboxError when the sandbox fails.
        """
        if spec.kind != "oracle":
            raise TaskError(f"task {spec.task_id}: its verifier is of kind {spec.kind!r}; this one grades 'oracle'")
        if not spec.cases:
            raise TaskError(f"task {spec.task_id}: it has no hidden cases, so anything would pass; add some")
        began = time.monotonic()
        path = solution_path(submission)
        if path is None:
            return Verification(0.0, "no_code", 0, len(spec.cases))
        with self._sandbox.open(submission, base=Base(requirements=spec.requirements)) as workspace:
            report = run_calls(workspace, path, spec.entry_point, spec.cases, self._limits_of(spec))
            watched = workspace.watched()
        passed, failure = _compare(spec.cases, report)
        return Verification(
            reward=1.0 if failure is None else 0.0,
            failure=failure,
            passed=passed,
            total=len(spec.cases),
            facts=watched,
            wall_s=time.monotonic() - began,
            signs=_signs(report),
        )

    def _limits_of(self, spec: VerifierSpec) -> Limits:
        return replace(self._limits, wall_s=spec.timeout_s, cpu_s=max(1, math.ceil(spec.timeout_s)))


def solution_path(submission: Mapping[str, bytes]) -> str | None:
    """The file to load, or None where there is no code at all."""
    path = next(iter(submission)) if len(submission) == 1 else SOLUTION
    return path if submission.get(path, b"").strip() else None


def _signs(report: CallReport) -> tuple[str, ...]:
    """What the candidate did to the caller itself. The messages of a crash are ours, the names of errors its own."""
    said = [report.message] if report.failure in ("crash", "import_error") else []
    said += [result.error for result in report.results if result.error is not None]
    signs = ["forged: wrote into the report of its results"] if report.failure == "crash" and DISTURBED in said else []
    signs += ["exited: with status 0, before its calls were made"] if report.failure == "crash" and LEFT in said else []
    raised = next((match for text in said if (match := _OUTCOME.match(text))), None)
    return (*signs, f"skipped: raised {raised[1]}") if raised else tuple(signs)


def _compare(cases: Sequence[Case], report: CallReport) -> tuple[int, str | None]:
    """(cases passed, class of the first failure). The report is the candidate's word and may be forged in any way."""
    if report.failure is not None:
        return 0, report.failure
    if len(report.results) != len(cases):
        return 0, "crash"  # a case nobody observed is never a pass
    failures = [
        "exception" if result.error is not None else None if same(result.value, case.expected) else "wrong_answer"
        for case, result in zip(cases, report.results, strict=True)
    ]
    return failures.count(None), next((failure for failure in failures if failure is not None), None)
