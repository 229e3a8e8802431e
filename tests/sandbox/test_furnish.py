"""Read-only folders at fixed places, and mailboxes that can be written to and nothing else."""

import json
import os

import pytest

from bowerbird.sandbox import FakeSandbox, Limits
from bowerbird.sandbox.furnish import Letters, furnished
from bowerbird.sandbox.protocol import Execution, Sandbox
from bowerbird.types import SandboxError
from tests.sandbox.test_unprivileged import as_ordinary_user

pytestmark = pytest.mark.sandbox
BOX = "/logs/verifier/reward.txt"
FOLDERS = {"/tests": {"deep/in.txt": b"given"}}


def run(sandbox: Sandbox, command: str) -> tuple[Execution, Letters]:
    with sandbox.open({}) as workspace:
        with furnished(workspace, FOLDERS, (BOX,)) as boxes:
            done = workspace.run(["sh", "-c", command], limits=Limits(wall_s=20.0, cpu_s=20))
        return done, boxes.letters(BOX)


def test_one_writer_is_one_opening_and_one_piece(sandbox: Sandbox) -> None:
    done, letters = run(sandbox, f"cat /tests/deep/in.txt > {BOX}; echo free > /logs/verifier/other")
    assert (done.exit_code, letters) == (0, Letters((b"given",), 1))


def test_two_writers_are_seen_however_they_do_it(sandbox: Sandbox) -> None:
    for command in (
        f"echo 0 > {BOX}; sleep 0.1; echo 1 > {BOX}",
        f"exec 3> {BOX}; sleep 0.1; echo 1 > {BOX}",
        f"(echo 0; sleep 0.1; echo 1) > {BOX}",
    ):
        _, letters = run(sandbox, command)
        assert letters.openings > 1 or len(letters.pieces) > 1, command


ATTEMPTS = [
    f"cat {BOX}",
    f"cat < {BOX}",
    f"exec 3<> {BOX}",
    f"chmod 666 {BOX}",
    f"rm {BOX}",
    f"mv {BOX} /tmp/x",
    f"echo 1 > /tmp/x; mv -f /tmp/x {BOX}",
    f"ln -sf /work/x {BOX}",
    f"exec 3> {BOX}; cat /proc/self/fd/3",
    "echo 1 > /tests/deep/in.txt",
    "chmod 777 /tests/deep; rm /tests/deep/in.txt",
]


@pytest.mark.parametrize("command", ATTEMPTS)
def test_what_is_there_cannot_be_read_taken_or_replaced(sandbox: Sandbox, command: str) -> None:
    done, letters = run(sandbox, command)
    assert done.exit_code not in (0, None)
    assert letters.pieces == ()


def test_the_folders_are_gone_with_the_block_and_decoys_tell_nothing_of_them(sandbox: Sandbox) -> None:
    with sandbox.open({}) as workspace:
        with furnished(workspace, FOLDERS):
            assert workspace.run(["cat", "/tests/deep/in.txt"]).stdout == b"given"
        assert workspace.watched().withheld_reads == ()


def test_a_back_end_that_cannot_do_it_says_so() -> None:
    with (
        FakeSandbox().open({}) as workspace,
        pytest.raises(SandboxError, match="script tasks"),
        furnished(workspace, FOLDERS),
    ):
        pass


AS_USER = """
import json
from bowerbird.sandbox import LocalSandbox
from bowerbird.sandbox.furnish import furnished
box, attempts = json.loads(REQUEST)
sandbox, failed = LocalSandbox(), []
for command in [*attempts, f"echo 1 > {box}"]:
    with sandbox.open({}) as workspace:
        with furnished(workspace, {"/tests": {"deep/in.txt": b"given"}}, (box,)) as boxes:
            done = workspace.run(["sh", "-c", command])
        letters = boxes.letters(box)
    honest = command.startswith("echo 1 > /logs")
    if (done.exit_code == 0) != honest or letters.pieces != ((b"1\\n",) if honest else ()):
        failed.append([command, done.exit_code, letters.openings])
print(json.dumps(failed))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="not root: the other tests here already ran as an ordinary user")
def test_it_holds_for_an_ordinary_user_who_owns_the_mailbox() -> None:
    assert as_ordinary_user(f"REQUEST = {json.dumps([BOX, ATTEMPTS])!r}\n{AS_USER}") == []
