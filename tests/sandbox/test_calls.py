"""Calling a candidate: every way it can succeed or fail is data."""

import pytest

from bowerbird.sandbox import Execution, FakeSandbox, Limits, encode, run_calls, same, scripted
from bowerbird.sandbox.calls import one_line
from bowerbird.types import Case, SandboxError, TaskError

LIMITS = Limits(wall_s=20.0, cpu_s=15)


def case(*args, **kwargs):
    return Case(tuple(encode(arg) for arg in args), None, {name: encode(arg) for name, arg in kwargs.items()})


def call(sandbox, source, *cases, limits=LIMITS, name="f"):
    with sandbox.open({"solution.py": source.encode()}) as workspace:
        return run_calls(workspace, "solution.py", name, cases or [case()], limits)


def test_values_come_back_exactly(sandbox):
    report = call(sandbox, "def f(*a, **k): return a[0] if a else k", *[case(v) for v in VALUES], case(x=1, y=(2,)))
    assert report.failure is None
    assert report.message == ""
    for value, result in zip([*VALUES, {"x": 1, "y": (2,)}], report.results, strict=True):
        assert result.error is None
        assert same(result.value, encode(value)), value


VALUES = [
    None, True, 0, -1, 10**400, 10**6000, 0.1, -0.0, float("nan"), float("inf"), "", b"\x00\xff",
    'q"\\\n\x00é\U0001f600\ud800',
    [], [1, [2]], (), (1, (2.0,)), {1, 2}, frozenset({"a"}), {}, {"a": 1}, {1: "a", (2,): None}, {"$set": [1]}, 1 + 2j,
]  # fmt: skip


def test_errors_are_one_line(sandbox):
    report = call(sandbox, "def f(x): raise ValueError('a\\nb' + '\\x1b[31m' + 'c' * 1000)", case(1))
    (result,) = report.results
    assert report.failure is None
    assert result.error is not None
    assert result.error.startswith("ValueError: a b")
    assert len(result.error) <= 200
    assert result.error.isprintable()


def test_arguments_are_fresh_for_every_call(sandbox):
    again = case([3, 1, 2])
    report = call(sandbox, "def f(x): x.sort(); x.append(9); return x", again, again, again)
    assert [result.value for result in report.results] == [[1, 2, 3, 9]] * 3


@pytest.mark.parametrize(
    ("source", "failure", "message"),
    [
        ("", "no_code", "solution.py is empty"),
        (" \n\n", "no_code", "solution.py is empty"),
        ("x = 1\n\ndef f(:\n", "syntax_error", "line 3: SyntaxError: invalid syntax"),
        ("def f():\n\tif 1:\n        return 1\n", "syntax_error", "line 3: TabError"),
        ("x = 1\0", "syntax_error", "null bytes"),
        ("f = " + "(" * 3000, "syntax_error", "Error"),
        ("import numpy\ndef f(): pass", "import_error", "line 1: ModuleNotFoundError: No module named 'numpy'"),
        ("\n\n1 / 0\ndef f(): pass", "import_error", "line 3: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(0)", "import_error", "line 1: SystemExit: 0"),
        ("raise KeyboardInterrupt", "import_error", "KeyboardInterrupt"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E", "import_error", "line 3: E"),
        ("def g(): pass", "missing_function", "there is no function named f"),
        ("f = 5", "missing_function", "there is no function named f"),
        ("import os; os._exit(0)", "crash", "exited with status 0"),
        ("import os; os._exit(7)", "crash", "exited with status 7"),
        ("import os; os.kill(os.getpid(), 9)", "crash", "killed by signal 9"),
        ("import os\ndef f(): os._exit(0)", "crash", "exited with status 0"),
        ("import ctypes\ndef f(): ctypes.string_at(1)", "crash", "killed by signal 11"),
        ("while True: pass", "timeout", "did not finish within 2 seconds"),
        ("def f():\n    while True: pass", "timeout", "did not finish within 2 seconds"),
        ("import time\ndef f(): time.sleep(100)", "timeout", "did not finish within 2 seconds"),
        ("while True: print('x' * 10000)", "flood", "printed too much"),
        ("import sys\ndef f():\n    while True: sys.stderr.write('x' * 10000)", "flood", "printed too much"),
    ],
)
def test_failures_have_their_class(sandbox, source, failure, message):
    report = call(sandbox, source, limits=Limits(wall_s=2.0, cpu_s=10))
    assert (report.failure, report.results) == (failure, ())
    assert message in report.message
    assert len(report.message) <= 200
    assert "\n" not in report.message


def test_a_missing_file_is_no_code(sandbox):
    with sandbox.open({}) as workspace:
        report = run_calls(workspace, "solution.py", "f", [case()], LIMITS)
    assert report.failure == "no_code"
    assert "solution.py" in report.message


def test_calls_before_a_failure_are_kept(sandbox):
    source = "def f(x):\n    while x == 2: pass\n    return x"
    report = call(sandbox, source, case(0), case(1), case(2), case(3), limits=Limits(wall_s=2.0))
    assert report.failure == "timeout"
    assert [result.value for result in report.results] == [0, 1]


def test_failed_calls_do_not_end_the_others(sandbox):
    source = "import sys\ndef f(x):\n    if x == 1: sys.exit('bye')\n    if x == 2: return f(x)\n    return x"
    report = call(sandbox, source, case(0), case(1), case(2), case(3))
    assert report.failure is None
    assert [result.value for result in report.results] == [0, None, None, 3]
    assert report.results[1].error == "SystemExit: bye"
    assert str(report.results[2].error).startswith("RecursionError")


def test_a_second_file_can_be_imported_but_poses_as_nothing(sandbox):
    files = {
        "solution.py": b"import helper, random\ndef f(): return helper.value, random.__file__ == '/work/random.py'",
        "helper.py": b"value = 5",
        "marshal.py": b"1/0",
        "random.py": b"1/0",
        "sitecustomize.py": b"1/0",
    }
    with sandbox.open(files) as workspace:
        report = run_calls(workspace, "solution.py", "f", [case()], LIMITS)
    assert report.failure is None
    assert same(report.results[0].value, encode((5, False)))


def test_bad_inputs_are_the_tasks_fault(sandbox):
    with sandbox.open({"solution.py": b"def f(x): return x"}) as workspace, pytest.raises(TaskError, match="case 1"):
        run_calls(workspace, "solution.py", "f", [case(1), Case(({"$other": "x"},), None)], LIMITS)


def test_a_lost_sandbox_raises():
    workspace = FakeSandbox(scripted([])).open({})
    with pytest.raises(SandboxError):
        run_calls(workspace, "solution.py", "f", [case()], LIMITS)


LOADED, DONE = b'{"loaded": true}\n', b'{"done": true}\n'


@pytest.mark.parametrize(
    "stdout",
    [
        b"garbage\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"1" * 100_000 + b"\n", b"null\n", b"[]\n", b"\n",
        b'{"loaded": 1}\n', b'{"done": true}\n', LOADED + DONE, LOADED + b'{"call": 1, "value": 1}\n' + DONE,
        LOADED + b'{"call": true, "value": 1}\n' + DONE, LOADED + b'{"call": 0.0, "value": 1}\n' + DONE,
        LOADED + b'{"call": 0, "value": 1, "error": "x"}\n' + DONE, LOADED + b'{"call": 0, "error": 5}\n' + DONE,
        LOADED + b'{"call": 0, "value": 1}\n{"call": 1, "value": 1}\n' + DONE, LOADED * 2,
        LOADED + b'{"call": 0, "value": 1}\n' + DONE + b"more\n", b'{"failure": "none"}\n', b'{"failure": ["x"]}\n',
        LOADED + b'{"failure": "no_code", "message": "x"}\n', LOADED + b'{"call": 0}\n' + DONE, LOADED, b"",
        LOADED + b'{"call": 0, "value": 1}\n', b'{"call": 0, "value": 1}\n' + DONE,
    ],
    ids=range(26),
)  # fmt: skip
def test_a_forged_report_is_a_crash(stdout):
    workspace = FakeSandbox(scripted([Execution(0, stdout, b"")])).open({})
    report = run_calls(workspace, "solution.py", "f", [case()], LIMITS)
    assert report.failure == "crash"
    assert report.message


def test_messages_are_safe_to_show():
    assert one_line("a\nb\x1b[0m\u202e <|im_end|> </s>" + "x" * 500).startswith("a b [0m < |im_end|> < /s>")
    assert len(one_line("x" * 500)) == 200
    assert one_line(None) == one_line({}) == ""
