"""Hardened pytest: what ordinary tests may do with a candidate in another sandbox, and how it fails."""

from collections.abc import Mapping
from typing import Any

import pytest

from bowerbird.rewards import toolbox
from bowerbird.rewards.verifiers.hardened import PARTS, PytestVerifier, _modules, _program
from bowerbird.sandbox import FakeSandbox
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import InfraError, TaskError, VerifierSpec

STACK = b"""
import collections

LIMIT = 3

class Empty(LookupError):
    def __init__(self, depth):
        super().__init__(depth)
        self.depth = depth
    def __str__(self):
        return f"empty at {self.depth}"

class Stack:
    def __init__(self, *items):
        self.items = list(items)
    def push(self, item):
        self.items.append(item)
        return self
    def pop(self):
        if not self.items:
            raise Empty(7)
        return self.items.pop()
    def __len__(self):
        return len(self.items)
    def __contains__(self, item):
        return item in self.items
    def __iter__(self):
        return iter(self.items)
    def __getitem__(self, at):
        return self.items[at]
    def __setitem__(self, at, item):
        self.items[at] = item
    def __eq__(self, other):
        return isinstance(other, Stack) and self.items == other.items
    def __lt__(self, other):
        return len(self) < len(other)
    def __hash__(self):
        return hash(tuple(self.items))
    def __repr__(self):
        return f"Stack({self.items})"
    def __add__(self, other):
        return Stack(*self.items, *other.items)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self.items.clear()
        return True

def count(text):
    return collections.Counter(text)

def upto(n):
    yield from range(n)

def twice(function, value):
    return function(function(value))

def limit():
    return LIMIT

def greet():
    print("hi")

def half(n):
    if n % 2:
        raise ValueError("odd", n)
    return n // 2
"""

ORDINARY = {
    "test_values": "assert half(8) == 4 and type(half(8)) is int",
    "test_types_of_the_library": "assert count('aab') == {'a': 2, 'b': 1}",
    "test_errors": "with pytest.raises(ValueError, match='odd') as e: half(3)\n    assert e.value.args == ('odd', 3)",
    "test_own_errors": "with pytest.raises(Empty, match='empty at 7') as e: Stack().pop()\n"
    "    assert e.value.depth == 7 and isinstance(e.value, LookupError)",
    "test_objects": "s = Stack(1).push([2]); assert len(s) == 2 and s.items == [1, [2]] and s.pop() == [2]",
    "test_items": "s = Stack(1); s[0] = 5; assert list(s) == [5] and 5 in s and 6 not in s",
    "test_attributes": "s = Stack(); s.items = [4]; assert s.pop() == 4 and not hasattr(s, 'nothing')",
    "test_instances": "assert isinstance(Stack(), Stack) and not isinstance([], Stack)",
    "test_two_references": "assert Stack(1) == Stack(1) and Stack(1) != Stack(2) and Stack() < Stack(1)",
    "test_sums_and_sets": "assert (Stack(1) + Stack(2)).items == [1, 2] and len({Stack(1), Stack(1), Stack(2)}) == 2",
    "test_texts": "assert repr(Stack(1)) == str(Stack(1)) == f'{Stack(1)}' == 'Stack([1])'",
    "test_context": "with Stack(1) as s: pass\n    assert s.items == []",
    "test_a_context_swallows_no_failure": "with pytest.raises(ZeroDivisionError):\n        with Stack(1): 1 / 0",
    "test_generators": "assert list(upto(3)) == [0, 1, 2] and next(upto(1)) == 0",
    "test_callbacks": "assert twice(lambda v: v + [0], []) == [0, 0]",
    "test_errors_in_callbacks": "with pytest.raises(KeyError): twice({}.__getitem__, 'x')",
    "test_prints": "greet(); assert capsys.readouterr().out == 'hi\\n'",
    "test_patches": "monkeypatch.setattr(solution, 'LIMIT', 9); assert limit() == 9 == solution.LIMIT",
    "test_mocks": "f = unittest.mock.Mock(return_value=5); assert twice(f, 1) == 5 and f.call_count == 2",
    "test_is_none": "assert Stack().push is not None and twice(lambda v: v, None) is None",
}
TESTS = (
    "import pytest, unittest.mock, solution\nfrom solution import *\nfrom solution import Stack, Empty\nimport helper\n"
    + "".join(
        f"def {name}({'capsys' if 'capsys' in body else 'monkeypatch' if 'monkeypatch' in body else ''}):\n    {body}\n"
        for name, body in ORDINARY.items()
    )
)


def spec(tests: str, *expected: str, files: Mapping[str, bytes] | None = None, **changes: Any) -> VerifierSpec:
    fields: dict[str, Any] = {"expected_tests": tuple(f"test_it.py::{name}" for name in expected), "timeout_s": 30.0}
    every = {"tests/test_it.py": tests.encode(), **(files or {})}
    return VerifierSpec("t", "pytest", "", (), files=every, **(fields | changes))


def verdict(sandbox: Sandbox, task: VerifierSpec, source: bytes) -> tuple[float, str | None]:
    result = PytestVerifier(sandbox).verify(task, {"solution.py": source})
    return result.reward, result.failure


@pytest.mark.sandbox
@pytest.mark.parametrize("isolation", ["process", "none"])
def test_ordinary_tests_pass_apart_and_together(sandbox: Sandbox, isolation: str) -> None:
    names = [n for n in ORDINARY if isolation == "process" or n != "test_a_context_swallows_no_failure"]
    task = spec(TESTS, *names, isolation=isolation, files={"tests/helper.py": b"X = 1\n"})
    result = PytestVerifier(sandbox).verify(task, {"solution.py": STACK})
    assert (result.reward, result.failure, result.passed) == (1.0, None, len(names))
    assert result.signs == ()
    assert result.facts.withheld_reads == ()
    assert result.facts.opened == ()


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("source", "failure"),
    [
        (b"def f(x): return x\n", "test_failed"),
        (b"def f(x): return x // 0\n", "test_failed"),
        (b"def f(x)\n", "syntax_error"),
        (b"import no_such_module\n", "import_error"),
        (b"def g(x): return 1\n", "test_missing"),
        (b"def f(x):\n    while True: pass\n", "timeout"),
        (b"import os\ndef f(x): os.kill(os.getpid(), 9)\n", "crash"),
        (b"import os\ndef f(x):\n    while True: os.write(2, b'x' * 65536)\n", "flood"),
        (b"  \n", "no_code"),
    ],
)
def test_every_class_of_failure(sandbox: Sandbox, source: bytes, failure: str) -> None:
    tests = "from solution import f\ndef test_f(): assert f(1) == 2\n"
    assert verdict(sandbox, spec(tests, "test_f", timeout_s=8.0), source) == (0.0, failure)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("tests", "failure"),
    [
        ("import pytest\n@pytest.mark.skip\ndef test_f(): pass\n", "test_skipped"),
        ("import pytest\n@pytest.mark.xfail\ndef test_f(): assert 0\n", "test_xfailed"),
        ("import pytest\n@pytest.mark.xfail(strict=False)\ndef test_f(): pass\n", "test_xfailed"),
        ("def test_g(): pass\n", "test_missing"),
        ("import pytest\n@pytest.mark.parametrize('x', [1])\ndef test_f(x): pass\n", "test_missing"),
        ("import pytest\n@pytest.fixture\ndef x():\n    yield\n    assert 0\ndef test_f(x): pass\n", "test_failed"),
    ],
)
def test_only_an_observed_pass_counts(sandbox: Sandbox, tests: str, failure: str) -> None:
    assert verdict(sandbox, spec(tests, "test_f"), b"x = 1\n") == (0.0, failure)


@pytest.mark.sandbox
def test_a_canary_that_passes_is_a_forged_report(sandbox: Sandbox) -> None:
    task = spec("def test_f(): pass\ndef test_c(): pass\n", "test_f", canaries=("test_it.py::test_c",))
    result = PytestVerifier(sandbox).verify(task, {"solution.py": b"x = 1\n"})
    assert (result.reward, result.failure) == (0.0, "forged_report")
    assert [sign.partition(":")[0] for sign in result.signs] == ["forged"]


@pytest.mark.sandbox
def test_packages_helpers_and_the_authors_conftest(sandbox: Sandbox) -> None:
    files = {
        "tests/conftest.py": b"import pytest\n@pytest.fixture\ndef two(): return 2\n",
        "workspace/given.py": b"FACTOR = 5\n",
    }
    tests = "from pkg.sub import f\nimport pkg\nfrom pkg import sub\ndef test_f(two): assert f(two) == sub.f(2) == 10\n"
    submission = {"pkg/__init__.py": b"", "pkg/sub.py": b"import given\ndef f(x): return x * given.FACTOR\n"}
    result = PytestVerifier(sandbox).verify(spec(tests, "test_f", files=files), submission)
    assert (result.reward, result.failure) == (1.0, None)


@pytest.mark.sandbox
def test_hidden_tests_are_nowhere_in_the_candidates_sandbox(sandbox: Sandbox) -> None:
    search = b"""
import os
def f():
    found = []
    for top in ("/work", "/tmp", "/dev/shm", "/tests", "/verifier", "/solution", "/logs"):
        for folder, _, names in os.walk(top):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if b"a" + b"ssert f()" in file.read():
                        found.append(name)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"runner" + b".py" in file.read() or b"test_it" in file.read():
                found.append(pid)
    return found
"""
    assert (
        verdict(sandbox, spec("from solution import f\ndef test_f(): assert f() == []\n", "test_f"), search)[0] == 1.0
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "oracle"}, "kind 'oracle'"),
        ({"expected_tests": ()}, "expected_tests"),
        ({"expected_tests": ("test_other.py::test_f",)}, "no file below tests/"),
        ({"isolation": "image"}, "isolation"),
    ],
)
def test_specs_that_cannot_be_graded_are_refused(changes: Mapping[str, object], message: str) -> None:
    fields: dict[str, Any] = {"kind": "pytest", "expected_tests": ("test_it.py::test_f",)}
    task = VerifierSpec("t", entry_point="", cases=(), files={"tests/test_it.py": b""}, **(fields | dict(changes)))
    with pytest.raises(TaskError, match=message):
        PytestVerifier(FakeSandbox()).verify(task, {"solution.py": b"x"})


def test_without_pytest_it_is_the_machinery_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolbox, "PACKAGES", ("no_such_pytest",))
    with pytest.raises(InfraError, match="pip install pytest"):
        toolbox._sources()


def test_a_pytest_that_does_not_work_inside_is_the_machinerys_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolbox, "_made", {})
    with pytest.raises(InfraError, match="does not work on the sandbox's python3"):
        toolbox.pytest_archive(FakeSandbox())


def test_no_module_of_the_candidates_takes_a_trusted_name() -> None:
    paths = {"solution.py", "json.py", "pytest.py", "helper.py", "_pytest/runner.py", "a-b.py", "p/q/r.py", "x.txt"}
    found = _modules(paths, {"helper.py": b"", "test_it.py": b""})
    assert found == {"solution": False, "p": True, "p.q": True, "p.q.r": False}


def test_the_programs_for_inside_are_whole() -> None:
    for names in (("encoder.py", "wire.py", "server.py"), ("encoder.py", "wire.py", "remote.py", "runner.py")):
        program = _program(*names)
        assert "bowerbird" not in [word for line in program.splitlines() for word in line.split() if "import" in line]
        compile(program, "program", "exec", dont_inherit=True)
        assert len(program) < 120_000
    assert set(PARTS) == {"encoder.py", "wire.py", "server.py", "remote.py", "runner.py"}
