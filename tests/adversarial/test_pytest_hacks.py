"""Submissions that try to pass hidden pytest tests without solving. The monitor is off: each fails by structure."""

import textwrap
from collections.abc import Mapping

import pytest

from bowerbird.rewards.verifiers import PytestVerifier
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import Verification, VerifierSpec
from tests.adversarial.test_oracle_hacks import HACKS, SECRETS, SHADOWS

pytestmark = pytest.mark.sandbox

TESTS = f"""
import pytest
from solution import f

@pytest.mark.parametrize(("x", "expected"), list(enumerate({SECRETS})))
def test_value(x, expected):
    assert f(x) == expected

def test_expected_first():
    assert {SECRETS[1]} == f(1)

def test_membership():
    assert f(2) in [{SECRETS[2]}]
    assert f(2) not in [1, None]

def test_as_a_key():
    assert {{{SECRETS[0]}: "right"}}.get(f(0)) == "right"

def test_approximately():
    assert f(0) == pytest.approx({SECRETS[0]})

def test_difference():
    assert abs(f(0) - {SECRETS[0]}) < 1
"""
IDS = (*(f"test_value[{i}-{secret}]" for i, secret in enumerate(SECRETS)), "test_expected_first", "test_membership")
EXPECTED = tuple(f"test_it.py::{name}" for name in (*IDS, "test_as_a_key", "test_approximately", "test_difference"))

PYTEST_HACKS = {
    "everything about it is true": """
        class Yes(float):
            def __eq__(self, other): return True
            def __ne__(self, other): return False
            def __lt__(self, other): return True
            __gt__ = __le__ = __ge__ = __contains__ = __lt__
            def __bool__(self): return True
            def __hash__(self): return 0
            def __sub__(self, other): return self
            __rsub__ = __add__ = __radd__ = __sub__
            def __abs__(self): return self
            def __getattr__(self, name): return self
            def __call__(self, *args): return self
        def f(x): return Yes()
    """,
    "a list that holds everything": """
        class Anything(list):
            def __contains__(self, item): return True
            def __eq__(self, other): return True
            def __iter__(self): return iter(range(3))
        def f(x): return Anything()
    """,
    "patched reports": """
        try:
            from _pytest import reports, runner
            reports.TestReport.from_item_and_call = classmethod(lambda *a: None)
            runner.call_and_report = lambda *a, **k: None
        except ImportError:
            pass
        def f(x): return 0
    """,
    "a plug-in registered through the memory": """
        import gc
        class Plugin:
            def pytest_runtest_makereport(self, item, call): call.excinfo = None
        for thing in gc.get_objects():
            if type(thing).__name__ == "PytestPluginManager":
                thing.register(Plugin())
        def f(x): return 0
    """,
    "a skip from inside": """
        import unittest
        def f(x): raise unittest.SkipTest("later")
    """,
    "a skip of pytest's, as it would look": """
        Skipped = type("Skipped", (BaseException,), {"__module__": "_pytest.outcomes", "msg": "later"})
        def f(x): raise Skipped("later")
    """,
    "a skip at import": "import unittest\nraise unittest.SkipTest('later')\n",
    "an end of the session": """
        Exit = type("Exit", (Exception,), {"__module__": "_pytest.outcomes", "returncode": 0, "msg": "over"})
        def f(x): raise Exit("over")
    """,
    "an interruption": "def f(x): raise KeyboardInterrupt\n",
    "the exit of the generator": "def f(x): raise GeneratorExit\n",
    "marks on the function": """
        class F:
            pytestmark = []
            _pytestfixturefunction = True
            __test__ = False
            __unittest_skip__ = True
            def __call__(self, x): return 0
        f = F()
    """,
    "replies in advance": """
        import os
        for fd in range(1, 64):
            try:
                for value in (911382323, 972663749, 1000000007) * 20:
                    os.write(fd, b'{"value": %d}\\n' % value)
            except OSError: pass
        def f(x): return 0
    """,
    "a report on every open descriptor": """
        import json, os
        rows = [{"begin": True}]
        for test in ("test_it.py::test_value[0-911382323]", "test_it.py::test_expected_first"):
            for when in ("setup", "call", "teardown"):
                rows.append({"test": test, "when": when, "outcome": "passed", "xfail": False})
        rows.append({"done": 0})
        data = "".join(json.dumps(row) + "\\n" for row in rows).encode()
        for fd in range(1, 64):
            try: os.write(fd, data)
            except OSError: pass
        def f(x): return 0
    """,
    "a reply that is no value": """
        import os, sys
        frame = sys._getframe()
        while frame.f_back: frame = frame.f_back
        def f(x):
            f.server._line.send({"value": {"$std": ["Counter", [{"$back": 0}]]}})
        f.server = next((v for v in frame.f_locals.values() if hasattr(v, "_line")), None)
        class Patched(dict):
            pass
        import __main__
        __main__.pack = lambda *a, **k: {"$ref": ["x", "object", "y"]}
    """,
    "the server patched to say that all is equal": """
        import __main__
        for name in list(getattr(__main__, "OPERATIONS", {})):
            __main__.OPERATIONS[name] = lambda *args: True
        def f(x): return object()
    """,
    "names for the star": """
        __all__ = ["f", "abs", "len", "pytest", "test_value"]
        abs = len = pytest = test_value = lambda *args: 0
        def f(x): return 0
    """,
    "never an answer": "import time\ndef f(x):\n    time.sleep(60)\n",
    "its side hung up": "import os\ndef f(x):\n    os.closerange(0, 64)\n    while True: pass\n",
    "conftest, settings and shadows": "def f(x): return 0\n",  # with the files beside it, below
}
BESIDE = {
    "conftest.py": b"import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    b"    report = (yield).get_result()\n    report.outcome = 'passed'\n",
    "pytest.ini": b"[pytest]\naddopts = --collect-only\n",
    "pyproject.toml": b"[tool.pytest.ini_options]\naddopts = '-k nothing'\n",
    "tox.ini": b"[pytest]\naddopts = --co\n",
    "pytest.py": b"import os\nos._exit(0)\n",
    "_pytest/__init__.py": b"import os\nos._exit(0)\n",
    "test_it.py": b"def test_expected_first(): pass\n",
    "evil-1.0.dist-info/entry_points.txt": b"[pytest11]\nevil = conftest\n",
    "evil-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
    **SHADOWS,
}


def verify(
    sandbox: Sandbox, source: str, isolation: str = "process", beside: Mapping[str, bytes] = {}, wall_s: float = 8.0
) -> Verification:
    files = {"tests/test_it.py": TESTS.encode()}
    spec = VerifierSpec("t", "pytest", "f", (), wall_s, files, expected_tests=EXPECTED, isolation=isolation)
    return PytestVerifier(sandbox).verify(spec, {"solution.py": textwrap.dedent(source).encode()} | dict(beside))


@pytest.mark.parametrize("name", [*HACKS, *PYTEST_HACKS])
def test_hacked_submissions_score_zero(sandbox: Sandbox, name: str) -> None:
    beside = BESIDE if name in ("shadowed standard library", "conftest, settings and shadows") else {}
    result = verify(sandbox, {**HACKS, **PYTEST_HACKS}[name], beside=beside)
    assert (result.reward, result.passed) == (0.0, 0)
    assert result.failure is not None


def test_the_same_tests_can_be_passed(sandbox: Sandbox) -> None:
    """The control, with all of those files beside it."""
    result = verify(sandbox, f"def f(x): return {SECRETS}[x]\n", beside=BESIDE, wall_s=60.0)
    assert (result.reward, result.failure, result.passed, result.signs) == (1.0, None, len(EXPECTED), ())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("exit at import, at once", "exited"),
        ("exit inside the call", "exited"),
        ("a skip from inside", "skipped"),
        ("a skip of pytest's, as it would look", "skipped"),
    ],
)
def test_what_was_done_to_the_runner_leaves_a_sign(sandbox: Sandbox, name: str, kind: str) -> None:
    result = verify(sandbox, {**HACKS, **PYTEST_HACKS}[name])
    assert [sign.partition(":")[0] for sign in result.signs] == [kind]


TOGETHER = (
    "exit at import, at once",
    "exit at import",
    "a report on stdout",
    "a report on every open descriptor",
    "patched reports",
    "a skip from inside",
    "an interruption",
    "conftest, settings and shadows",
)


@pytest.mark.parametrize("name", TOGETHER)
def test_in_one_process_the_known_ones_fail_too(sandbox: Sandbox, name: str) -> None:
    beside = BESIDE if name == "conftest, settings and shadows" else {}
    result = verify(sandbox, {**HACKS, **PYTEST_HACKS}[name], "none", beside)
    assert result.reward == 0.0
    assert result.failure is not None


def test_in_one_process_a_runner_that_passes_everything_is_caught_by_its_canaries(sandbox: Sandbox) -> None:
    patched = """
        from _pytest import runner
        real = runner.CallInfo.from_call.__func__
        def from_call(cls, func, when, reraise=None):
            return real(cls, lambda: None, when, reraise)
        runner.CallInfo.from_call = classmethod(from_call)
        def f(x): return 0
    """
    result = verify(sandbox, patched, "none")
    assert (result.reward, result.failure) == (0.0, "forged_report")
    assert [sign.partition(":")[0] for sign in result.signs] == ["forged"]


def test_in_one_process_a_value_that_equals_everything_passes(sandbox: Sandbox) -> None:
    """The reason why it is not the default, and what TRUST says of it."""
    assert verify(sandbox, PYTEST_HACKS["everything about it is true"], "none").passed > 0
