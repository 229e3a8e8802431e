"""pytest that the candidate has no say in: trusted tests in one sandbox, the candidate's modules in another.

    tests' sandbox                          candidate's sandbox
    pytest ─ tests ─ `import solution` ──▶  server ─ solution.py
       │              (proxies, values)  ◀──
       └─ standard error: the report, which only this sandbox can write

What crosses is questions and values; what a test expects never does. A task may set isolation = "none" for tests that
must import the candidate into their own process: pytest is then as hardened as one process can be, which is less.
"""

import math
import re
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from json import dumps
from pathlib import PurePosixPath

from bowerbird.rewards.toolbox import PACKAGES, pytest_archive
from bowerbird.rewards.verifiers.observed import Observed, judge_report
from bowerbird.rewards.verifiers.script import less_own
from bowerbird.sandbox.furnish import furnished
from bowerbird.sandbox.pair import Side, run_pair
from bowerbird.sandbox.protocol import Base, Execution, Limits, Sandbox
from bowerbird.types import Facts, InfraError, TaskError, Verification, VerifierSpec

_FUTURE = "from __future__ import annotations\n"
_OUR_IMPORT = re.compile(r"^from bowerbird\.[\w.]+ import (\([^)]*\)|[^(\n]*)\n", re.MULTILINE)
PARTS = {
    "encoder.py": "bowerbird.sandbox",
    "wire.py": "bowerbird.rewards.verifiers.inside",
    "server.py": "bowerbird.rewards.verifiers.inside",
    "remote.py": "bowerbird.rewards.verifiers.inside",
    "runner.py": "bowerbird.rewards.verifiers.inside",
}
REPORT_BYTES = 8 << 20
_ARCHIVE = "pytest.zip"
_READ_ONLY = "/verifier"  # where the tests are when they share a sandbox with the candidate


class PytestVerifier:
    """Grades tasks of kind "pytest". The reward is 1.0 if every expected test was observed passing, else 0.0.

    `Verification.failure` is no_code, syntax_error, import_error, timeout, flood, crash, test_failed, test_missing
    (never reported), test_skipped, test_xfailed, or forged_report: a canary that must fail did not.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits | None = None) -> None:
        """`limits` hold for one verification, for each of the two sides; the wall limit is the task's own."""
        self._sandbox = sandbox
        self._limits = limits if limits is not None else Limits()

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        """Grade `submission`. Raises TaskError for a spec that cannot be graded, InfraError for the machinery's
        failures: no pytest here, a lost sandbox, or tests that did not even start in time."""
        check_pytest(spec)
        began = time.monotonic()
        if not any(data.strip() for data in submission.values()):
            return Verification(0.0, "no_code", 0, len(spec.expected_tests))
        plan = _plan(spec, submission)
        wall_s = spec.timeout_s
        limits = replace(self._limits, wall_s=wall_s, cpu_s=max(1, math.ceil(wall_s)), output_bytes=REPORT_BYTES)
        archive = pytest_archive(self._sandbox)
        needs = Base(_below(spec.files, "workspace/"), requirements=spec.requirements)
        if spec.isolation == "none":
            done, facts = self._together(plan, archive, submission, limits, needs)
            ending, left = _ending(done, done), done.exit_code == 0
        else:
            done, other, facts = self._apart(plan, archive, submission, limits, needs)
            ending, left = _ending(done, other), other.exit_code == 0
        seen = judge_report(done.stderr, plan.nonce, spec.expected_tests, plan.canaries, ending=ending)
        _refuse_broken(spec, seen, done)
        exited = ("exited: with status 0, while the tests ran",) if left and seen.failure == "crash" else ()
        return Verification(
            reward=1.0 if seen.failure is None else 0.0,
            failure=seen.failure,
            passed=seen.passed,
            total=seen.total,
            facts=facts,
            wall_s=time.monotonic() - began,
            signs=seen.signs + exited,
        )

    def _apart(
        self, plan: "_Plan", archive: bytes, candidate: Mapping[str, bytes], limits: Limits, needs: Base
    ) -> tuple[Execution, Execution, Facts]:
        trusted = {"plan.json": plan.text, _ARCHIVE: archive, **{f"tests/{n}": d for n, d in plan.tests.items()}}
        quiet = replace(limits, output_bytes=self._limits.output_bytes)
        alone = Base(requirements=needs.requirements)
        with self._sandbox.open(trusted, base=alone) as tests, self._sandbox.open(candidate, base=needs) as answers:
            first = Side(tests, _command("encoder.py", "wire.py", "remote.py", "runner.py"), limits)
            second = Side(answers, _command("encoder.py", "wire.py", "server.py"), quiet)
            done, other = run_pair(first, second, wall_s=limits.wall_s)
            facts = answers.watched()
        return done, other, facts

    def _together(
        self, plan: "_Plan", archive: bytes, candidate: Mapping[str, bytes], limits: Limits, needs: Base
    ) -> tuple[Execution, Facts]:
        files = {"plan.json": plan.text, **{f"candidate/{name}": data for name, data in candidate.items()}}
        fixed = {_ARCHIVE: archive, **{f"tests/{name}": data for name, data in plan.tests.items()}}
        beside = replace(needs, files={f"candidate/{name}": data for name, data in needs.files.items()})
        with self._sandbox.open(files, base=beside) as workspace, furnished(workspace, {_READ_ONLY: fixed}):
            done = workspace.run(_command("encoder.py", "wire.py", "remote.py", "runner.py"), limits=limits)
            return done, less_own(workspace.watched())


@dataclass(frozen=True, slots=True)
class _Plan:
    """The tests with their canaries, what the runner is told, and what the report must hold."""

    tests: Mapping[str, bytes]
    text: bytes
    nonce: str
    canaries: tuple[str, ...]


def check_pytest(spec: VerifierSpec) -> None:
    """Raises TaskError, with what to mend, unless this verifier can grade `spec`."""
    where = f"task {spec.task_id}"
    if spec.kind != "pytest":
        raise TaskError(f"{where}: its verifier is of kind {spec.kind!r}; this one grades 'pytest'")
    if not spec.expected_tests:
        raise TaskError(f"{where}: no expected_tests, so a run without any test would pass; list their ids")
    if spec.isolation not in ("process", "none"):
        raise TaskError(f"{where}: isolation must be 'process' or 'none', not {spec.isolation!r}")
    for test in (*spec.expected_tests, *spec.canaries):
        if f"tests/{test.partition('::')[0]}" not in spec.files:
            raise TaskError(f"{where}: {test!r} is in no file below tests/; ids look like 'test_x.py::test_name'")


def _plan(spec: VerifierSpec, submission: Mapping[str, bytes]) -> _Plan:
    tests = _below(spec.files, "tests/")
    graded = list(dict.fromkeys(test.partition("::")[0] for test in (*spec.expected_tests, *spec.canaries)))
    canaries = []
    for file in graded:  # at the end, so that no line moves; the runner gives it a place among the others
        name = f"test_{secrets.token_hex(6)}"
        left, right = secrets.token_hex(4), secrets.token_hex(4)
        tests[file] += f"\n\ndef {name}():\n    assert {left!r} == {right!r} + 'x'\n".encode()
        canaries.append(f"{file}::{name}")
    nonce, isolated = secrets.token_hex(16), spec.isolation != "none"
    plan = {
        "nonce": nonce,
        "isolated": isolated,
        "tests": "/work/tests" if isolated else f"{_READ_ONLY}/tests",
        "archive": f"/work/{_ARCHIVE}" if isolated else f"{_READ_ONLY}/{_ARCHIVE}",
        "modules": _modules({*submission, *_below(spec.files, "workspace/")}, tests),
        "conftest": any(PurePosixPath(name).name == "conftest.py" for name in tests),
        "canaries": canaries,
        "files": graded,
    }
    return _Plan(tests, dumps(plan).encode(), nonce, (*spec.canaries, *canaries))


def _modules(paths: set[str], tests: Mapping[str, bytes]) -> dict[str, bool]:
    """Dotted names of the candidate's modules, with whether each is a package. Trusted names are never among them."""
    trusted = {PurePosixPath(name).parts[0].removesuffix(".py") for name in tests} | {*PACKAGES, "pygments"}
    modules: dict[str, bool] = {}
    for path in sorted(paths):
        pure = PurePosixPath(path)
        parts = [*pure.parts[:-1], pure.stem]
        if pure.suffix != ".py" or not all(part.isidentifier() for part in parts):
            continue
        if parts[0] in trusted or parts[0] in sys.stdlib_module_names:
            continue
        for depth in range(1, len(parts)):
            modules[".".join(parts[:depth])] = True
        if parts[-1] != "__init__":
            modules.setdefault(".".join(parts), False)
    return modules


def _below(everything: Mapping[str, bytes], prefix: str) -> dict[str, bytes]:
    return {name.removeprefix(prefix): data for name, data in everything.items() if name.startswith(prefix)}


def _ending(done: Execution, other: Execution) -> str | None:
    """The class of a run that did not end as it should, or None."""
    if done.timed_out or done.exit_code == -24 or other.exit_code == -24:  # SIGXCPU
        return "timeout"
    if done.truncated or other.truncated:
        return "flood"
    return None if done.exit_code == 0 else "crash"


def _refuse_broken(spec: VerifierSpec, seen: Observed, done: Execution) -> None:
    """Before pytest has started the candidate has had no say: what failed until then is the machinery."""
    if not seen.begun:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1][:300]
        raise InfraError(f"task {spec.task_id}: the tests did not start within {spec.timeout_s:g} s ({said})")


@cache
def _program(*names: str) -> str:
    """The parts in one text: inside, there is no package to import them from."""
    program = _FUTURE
    for name in names:
        text = _OUR_IMPORT.sub("", files(PARTS[name]).joinpath(name).read_text().replace(_FUTURE, ""))
        program += text if name == names[-1] else text.partition('\nif __name__ == "__main__":')[0] + "\n"
    return program


def _command(*names: str) -> list[str]:
    return ["python3", "-I", "-S", "-B", "-c", _program(*names)]
