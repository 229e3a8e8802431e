"""The fake behaves like the real thing wherever it claims to."""

import pytest

from bowerbird.sandbox import Execution, FakeCall, FakeSandbox, Limits, Sandbox, Workspace, run_calls, scripted
from bowerbird.types import Case, Executable, Facts, SandboxError


def test_it_fits_the_protocol():
    fake: Sandbox = FakeSandbox()
    workspace: Workspace = fake.open({"a.py": b"1"})
    assert workspace.run(["true"]).exit_code == 0
    assert fake.probe() == {"sandbox": "fake"}
    assert fake.name == "fake"


def test_scripts_see_the_call_and_change_files():
    def script(call: FakeCall) -> Execution:
        call.files["out.txt"] = call.stdin + call.files["in.txt"]
        return Execution(len(call.argv), b"x" * 50, b"")

    with FakeSandbox(script).open({"in.txt": b"b", "kept.txt": b"k"}, protected=["in.txt", "kept.txt"]) as workspace:
        done = workspace.run(["a", "b"], stdin=b"a", limits=Limits(output_bytes=10))
        assert (done.exit_code, done.stdout, done.truncated) == (2, b"x" * 10, True)
        assert workspace.calls[0].argv == ("a", "b")
        assert workspace.collect(["out.txt", "none"]).files == {"out.txt": b"ab"}
        workspace.write("in.txt", b"changed")
        workspace.read_decoy("/tests/test.sh")
        seen = workspace.watched()
    assert seen.protected_changes == ("in.txt",)
    assert seen.withheld_reads == ("/tests/test.sh",)
    with pytest.raises(SandboxError, match="closed"):
        workspace.run(["true"])


def test_scripted_plays_in_order_and_runs_out():
    line = b'{"loaded": true}\n{"call": 0, "value": 3}\n{"done": true}\n'
    workspace = FakeSandbox(scripted([Execution(0, line, b"")])).open({})
    report = run_calls(workspace, "solution.py", "f", [Case((1,), 3)], Limits())
    assert report.failure is None
    assert report.results[0].value == 3
    with pytest.raises(SandboxError, match="no scripted execution left"):
        workspace.run(["true"])


def test_anomalies_and_bad_paths():
    workspace = FakeSandbox(anomalies={"a.py": "symbolic link"}).open({"a.py": b"1", "big.py": b"12345"})
    got = workspace.collect(["a.py", "../b", "big.py"], max_bytes=4)
    assert got.anomalies == ("a.py: symbolic link", "../b: outside the workspace", "big.py: larger than 4 bytes")
    with pytest.raises(SandboxError):
        workspace.write("/etc/passwd", b"")
    with pytest.raises(SandboxError, match="protected"):
        FakeSandbox().open({}, protected=["a"])


def test_it_tells_the_facts_that_it_was_given():
    workspace = FakeSandbox().open({})
    workspace.note(Facts(("seccomp",), opened=("/tests/x",)))
    workspace.note(Facts(connected=("inet 192.0.2.1:80",), lost=2))
    told = workspace.watched()
    assert told.watchers == ("fake", "seccomp")
    assert (told.opened, told.connected, told.lost) == (("/tests/x",), ("inet 192.0.2.1:80",), 2)
    off = FakeSandbox(watch="off").open({})
    off.note(told)
    assert off.watched() == Facts()


def test_what_was_executable_stays_so():
    workspace = FakeSandbox().open({"tool": Executable(b"1"), "plain": b"1"})
    number = workspace.snapshot()
    for path in ("tool", "plain"):
        workspace.write(path, b"2")
    assert workspace.collect(["tool", "plain"]).files == {"tool": Executable(b"2"), "plain": b"2"}
    assert workspace.restore(number)
    assert workspace.files["tool"] == Executable(b"1")
