"""A sandboxed command that talks with the host, and snapshots of a workspace."""

import pytest

from bowerbird.sandbox import Dialogue, FakeSandbox, Limits, LocalSandbox
from bowerbird.types import SandboxError

ECHO = ("python3", "-u", "-c", "import sys\nfor line in sys.stdin: print('heard', line.strip())")


def test_lines_go_both_ways_and_waiting_costs_nothing(sandbox: LocalSandbox) -> None:
    import time

    with sandbox.open({}) as workspace:
        dialogue = Dialogue(workspace, ECHO, Limits(wall_s=2.0))
        assert dialogue.turn(b"one") == b"heard one"
        time.sleep(2.5)
        assert dialogue.turn(b"two") == b"heard two"
        done = dialogue.close()
        assert not done.timed_out
        assert done.wall_s < 2.0
        assert workspace.run(["true"]).exit_code == 0, "the workspace is free again"


def test_an_end_is_told_with_its_status(sandbox: LocalSandbox) -> None:
    with sandbox.open({}) as workspace:
        dialogue = Dialogue(workspace, ("/bin/sh", "-c", "echo first; echo why >&2; printf rest; exit 3"), Limits())
        assert dialogue.turn() == b"first"
        assert dialogue.turn() is None
        done = dialogue.close()
    assert (done.exit_code, done.stderr) == (3, b"why\n")


@pytest.mark.parametrize(
    ("code", "limits"),
    [
        ("while True: pass", Limits(wall_s=0.5)),
        ("print('x' * 10**6, end='')\nwhile True: pass", Limits(wall_s=5.0, output_bytes=1000)),
        ("import sys\nwhile True: sys.stderr.write('x' * 1000)", Limits(wall_s=5.0, output_bytes=1000)),
    ],
)
def test_limits_end_it(sandbox: LocalSandbox, code: str, limits: Limits) -> None:
    with sandbox.open({}) as workspace:
        dialogue = Dialogue(workspace, ("python3", "-c", code), limits)
        assert dialogue.turn() is None
        done = dialogue.close()
    assert done.exit_code is None
    assert done.timed_out or done.truncated


def test_another_back_end_is_refused() -> None:
    with pytest.raises(SandboxError, match="back end"):
        Dialogue(FakeSandbox().open({}), ECHO, Limits())


def test_a_snapshot_brings_back_files_links_and_modes(sandbox: LocalSandbox) -> None:
    with sandbox.open({"a.txt": b"one", "deep/er/b.txt": b"two"}) as workspace:
        workspace.run(["/bin/sh", "-c", "ln -s a.txt link; chmod 755 a.txt; mkfifo pipe"])
        first = workspace.snapshot()
        workspace.run(["/bin/sh", "-c", "rm -rf deep a.txt; echo new > c.txt; mkdir -p .hidden/x"])
        second = workspace.snapshot()
        assert workspace.restore(first)
        shown = workspace.run(["/bin/sh", "-c", "find . | sort; readlink link; test -x a.txt && cat a.txt"])
        assert shown.stdout.split() == [
            *(b".", b"./a.txt", b"./deep", b"./deep/er", b"./deep/er/b.txt", b"./link", b"./pipe", b"a.txt", b"one"),
        ]
        assert workspace.restore(second)
        assert workspace.collect(["c.txt"]).files == {"c.txt": b"new\n"}
        assert not workspace.restore(99)
        assert workspace.run(["ls", "/snapshot"]).exit_code != 0, "no command sees where they lie"
