"""The oracle on ordinary submissions: the reward, the class of failure, and what it refuses to grade."""

from collections.abc import Collection, Mapping

import pytest

from bowerbird.rewards import OracleVerifier, grade
from bowerbird.sandbox.protocol import NO_BASE, Base, Sandbox, Workspace
from bowerbird.types import Case, Outcome, SandboxError, TaskError
from tests.rewards.records import ADD, CASES, rollout, scaffold, spec, task


class NoSandbox:
    """A back end that cannot start anything, and counts the attempts."""

    name = "none"

    def __init__(self) -> None:
        self.opened = 0

    def probe(self) -> Mapping[str, str]:
        raise SandboxError("there is none")

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> Workspace:
        self.opened += 1
        raise SandboxError("there is none")


@pytest.mark.sandbox
def test_a_right_answer_is_one(sandbox: Sandbox) -> None:
    result = OracleVerifier(sandbox).verify(spec(), {"solution.py": ADD})
    assert (result.reward, result.failure, result.passed, result.total) == (1.0, None, 3, 3)
    assert result.facts.withheld_reads == ()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "failure", "passed"),
    [
        ("def add(a, b):\n    return a - b\n", "wrong_answer", 1),
        ("def add(a, b):\n    return a // 0\n", "exception", 0),
        ("def add(a, b)\n    return a + b\n", "syntax_error", 0),
        ("import no_such_module\ndef add(a, b):\n    return a + b\n", "import_error", 0),
        ("raise ValueError('at import')\n", "import_error", 0),
        ("def plus(a, b):\n    return a + b\n", "missing_function", 0),
        ("add = 3\n", "missing_function", 0),
        ("def add(a, b):\n    while True: pass\n", "timeout", 0),
        ("import os\ndef add(a, b):\n    os.kill(os.getpid(), 9)\n", "crash", 0),
        ("def add(a, b):\n    while True: print('x' * 4096)\n", "flood", 0),
    ],
)
def test_every_class_of_failure(sandbox: Sandbox, code: str, failure: str, passed: int) -> None:
    result = OracleVerifier(sandbox).verify(spec(timeout_s=2.0), {"solution.py": code.encode()})
    assert (result.reward, result.failure, result.passed) == (0.0, failure, passed)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("import os\nos._exit(0)\n", ["exited"]),
        ("import os\ndef add(a, b): os._exit(0)\n", ["exited"]),
        ("import os\nos._exit(1)\n", []),
        ("import sys\nsys.exit(0)\n", []),
        ("def add(a, b): raise SystemExit(0)\n", []),
        ("import unittest\ndef add(a, b): raise unittest.SkipTest('later')\n", ["skipped"]),
        ("import unittest\nraise unittest.SkipTest('later')\n", ["skipped"]),
        ("def add(a, b): raise ValueError('SkipTest: quoted')\n", []),
        ("import os\nfor n in range(3, 40):\n    try: os.write(n, b'{}\\n')\n    except OSError: pass\n", ["forged"]),
        ("print('3 passed')\ndef add(a, b): return a + b\n", []),
        ("def add(a, b): return 0\n", []),
    ],
)
def test_what_is_done_to_the_caller_leaves_a_sign(sandbox: Sandbox, code: str, kinds: list[str]) -> None:
    result = OracleVerifier(sandbox).verify(spec(), {"solution.py": code.encode()})
    assert [sign.partition(":")[0] for sign in result.signs] == kinds


@pytest.mark.parametrize("submission", [{}, {"solution.py": b""}, {"solution.py": b" \n\t\n"}, {"a": b"x", "b": b"y"}])
def test_no_code_is_zero_and_starts_nothing(submission: Mapping[str, bytes]) -> None:
    sandbox = NoSandbox()
    result = OracleVerifier(sandbox).verify(spec(), submission)
    assert (result.reward, result.failure, result.total, sandbox.opened) == (0.0, "no_code", len(CASES), 0)


def test_a_sandbox_that_fails_is_never_a_zero() -> None:
    verifier = OracleVerifier(NoSandbox())
    with pytest.raises(SandboxError):
        verifier.verify(spec(), {"solution.py": ADD})
    assert grade(task(), spec(), scaffold(), rollout(), verifier).verdict.outcome is Outcome.INFRA_ERROR


def test_specs_that_anything_would_pass_are_refused() -> None:
    with pytest.raises(TaskError, match="no hidden cases"):
        OracleVerifier(NoSandbox()).verify(spec(cases=()), {"solution.py": ADD})
    with pytest.raises(TaskError, match="kind 'pytest'"):
        OracleVerifier(NoSandbox()).verify(spec(kind="pytest"), {"solution.py": ADD})


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("returned", "expected"),
    [("1", True), ("True", 1), ("1.0", 1), ("1", 1.0), ("'1'", 1), ("(1, 2)", [1, 2]), ("[1, 2]", [2, 1]), ("None", 0)],
)
def test_comparison_is_strict_in_type_and_value(sandbox: Sandbox, returned: str, expected: object) -> None:
    code = f"def f():\n    return {returned}\n".encode()
    strict = spec(entry_point="f", cases=(Case((), expected),))
    assert OracleVerifier(sandbox).verify(strict, {"solution.py": code}).reward == 0.0


@pytest.mark.sandbox
def test_keyword_arguments_cross(sandbox: Sandbox) -> None:
    keyword = spec(cases=(Case((1,), 3, {"b": 2}),))
    assert OracleVerifier(sandbox).verify(keyword, {"solution.py": ADD}).reward == 1.0


@pytest.mark.sandbox
def test_a_helper_file_may_stand_beside_the_solution(sandbox: Sandbox) -> None:
    files = {"helper.py": ADD, "solution.py": b"from helper import add\n"}
    assert OracleVerifier(sandbox).verify(spec(), files).reward == 1.0
