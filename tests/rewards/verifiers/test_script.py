"""Harbor's scripts in a sandbox of their own: rewards, broken graders, and whose doing it was."""

from collections.abc import Mapping
from typing import Any

import pytest

from bowerbird.rewards.verifiers import script
from bowerbird.rewards.verifiers.reward import BadReward
from bowerbird.rewards.verifiers.script import ScriptVerifier, check_script, one_writer
from bowerbird.sandbox import FakeSandbox
from bowerbird.sandbox.furnish import Letters
from bowerbird.sandbox.protocol import Sandbox
from bowerbird.types import (
    Executable,
    Facts,
    InfraError,
    SandboxError,
    SandboxUnavailable,
    TaskError,
    Verification,
    VerifierSpec,
)

SUM = b"a, b = map(int, input().split())\nprint(a + b)\n"
TEST = """#!/bin/sh
mkdir -p /logs/verifier
out=$(cat /tests/input | $CONFINE python3 solution.py)
[ "$out" = "$(cat /tests/expected)" ] && echo 1 > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt
"""


def spec(text: str = TEST, **changes: Any) -> VerifierSpec:
    files = {"tests/test.sh": text.encode(), "tests/input": b"3 4\n", "tests/expected": b"7\n"}
    fields: dict[str, Any] = {"timeout_s": 15.0, "files": files}
    return VerifierSpec("t", "script", "", (), **(fields | changes))


def grade(sandbox: Sandbox, text: str = TEST, source: bytes = SUM, **changes: Any) -> Verification:
    return ScriptVerifier(sandbox).verify(spec(text, **changes), {"solution.py": source})


@pytest.mark.parametrize(
    ("letters", "forged"),
    [
        (Letters((b"1",), 1), False),
        (Letters((b"0", b"1"), 1), True),
        (Letters((b"1",), 2), True),
        (Letters((b"0" * 4096, b"0" * 904), 1), False),  # one write: a pipe takes no more than 4096 bytes at once
        (Letters((b"0" * 4096, b"0" * 904), 2), True),
    ],
)
def test_one_writer_writes_once(letters: Letters, forged: bool) -> None:
    if not forged:
        assert one_writer(letters) == b"".join(letters.pieces)
        return
    with pytest.raises(BadReward) as bad:
        one_writer(letters)
    assert bad.value.failure == "forged_report"


@pytest.mark.sandbox
def test_a_right_answer_is_one_and_a_wrong_one_zero(sandbox: Sandbox) -> None:
    right = grade(sandbox)
    assert (right.reward, right.failure, right.passed, right.signs) == (1.0, None, 1, ())
    assert (right.facts.withheld_reads, right.facts.opened) == ((), ())
    wrong = grade(sandbox, source=b"print(8)\n")
    assert (wrong.reward, wrong.failure, wrong.passed) == (0.0, "test_failed", 0)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("last", "reward"),
    [
        ("echo 0.25 > /logs/verifier/reward.txt", 0.25),
        ("""echo '{"reward": 0.5, "other": 3}' > /logs/verifier/reward.json""", 0.5),
        ("""python3 -c "open('/logs/verifier/reward.txt', 'w').write('1')" """, 1.0),
        ("""python3 -c "import json; json.dump({'reward': 1.0}, open('/logs/verifier/reward.json', 'w'))" """, 1.0),
        ("echo 1 | tee /logs/verifier/reward.txt; echo {} > /logs/verifier/ctrf.json", 1.0),
        ("printf 1 > /tmp/r; cp /tmp/r /logs/verifier/reward.txt; exit 3", 1.0),
        ("#!/bin/bash\n[[ -f solution.py ]] && echo 1 > /logs/verifier/reward.txt", 1.0),
    ],
)
def test_rewards_come_through_however_they_are_written(sandbox: Sandbox, last: str, reward: float) -> None:
    assert grade(sandbox, last if last.startswith("#!") else f"#!/bin/sh\n{last}\n").reward == reward


@pytest.mark.sandbox
@pytest.mark.parametrize("text", ["true", "exit 1", "echo nan > /logs/verifier/reward.txt", "no_such_tool --grade"])
def test_a_script_that_gives_no_reward_to_anybody_is_broken(sandbox: Sandbox, text: str) -> None:
    with pytest.raises(InfraError, match=r"nor does it without a submission.*reward\.txt"):
        grade(sandbox, text)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("echo 2", "bad_reward"),
        ("echo True", "bad_reward"),
        ("echo", "no_reward"),
        ("head -c 5000 /dev/zero", "bad_reward"),
        ("kill -9 $PPID; sleep 9", "crash"),
        ("while :; do :; done", "timeout"),
        ("yes >&2", "flood"),
    ],
)
def test_a_submission_that_breaks_a_good_script_earns_zero(sandbox: Sandbox, code: str, failure: str) -> None:
    text = "[ -f solution.py ] && . ./solution.py > /logs/verifier/reward.txt || echo 0 > /logs/verifier/reward.txt\n"
    if failure == "crash":
        text = text.replace(". ./solution.py", "sh solution.py")
    result = grade(sandbox, text, code.encode(), timeout_s=4.0)
    assert (result.reward, result.failure) == (0.0, failure)


@pytest.mark.sandbox
def test_the_script_sees_the_tasks_own_files_as_the_author_left_them(sandbox: Sandbox) -> None:
    files = {"tests/test.sh": b"cat given.txt > /logs/verifier/reward.txt\n", "workspace/given.txt": b"1\n"}
    result = ScriptVerifier(sandbox).verify(spec(files=files), {"solution.py": b"x"})
    assert result.reward == 1.0


@pytest.mark.sandbox
def test_nothing_of_the_host_is_in_its_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SECRET_OF_THE_HOST", "s3cret")
    text = "env | grep -q SECRET && echo 0 > /logs/verifier/reward.txt || echo 1 > /logs/verifier/reward.txt\n"
    assert grade(sandbox, text).reward == 1.0


@pytest.mark.sandbox
def test_a_kernel_that_cannot_confine_is_no_wrong_answer(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "_confines", {})
    monkeypatch.setattr(script, "_confine", lambda: b"raise SystemExit(125)")
    with pytest.raises(SandboxUnavailable, match="Landlock"):
        grade(sandbox)
    assert grade(sandbox, "echo 1 > /logs/verifier/reward.txt").reward == 1.0, "only those that use it need it"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "oracle"}, "kind 'oracle'"),
        ({"isolation": "image"}, "image of its own"),
        ({"files": {"tests/run.sh": b""}}, r"tests/test\.sh is missing"),
    ],
)
def test_specs_that_cannot_be_graded_are_refused(changes: Mapping[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"kind": "script", "files": {"tests/test.sh": b""}}
    task = VerifierSpec("t", entry_point="", cases=(), **(fields | dict(changes)))
    with pytest.raises(TaskError, match=message):
        check_script(task)
    with pytest.raises(TaskError, match=message):
        ScriptVerifier(FakeSandbox()).verify(task, {"solution.py": b"x"})


def test_no_code_is_zero_and_starts_nothing() -> None:
    sandbox = FakeSandbox()
    result = ScriptVerifier(sandbox).verify(spec(), {"solution.py": b" \n"})
    assert (result.reward, result.failure, result.facts) == (0.0, "no_code", Facts())
    assert sandbox.workspaces == []


def test_a_back_end_that_cannot_do_it_is_the_machinerys_failure() -> None:
    with pytest.raises(SandboxError, match="script tasks"):
        ScriptVerifier(FakeSandbox()).verify(spec(), {"solution.py": SUM})


@pytest.mark.sandbox
def test_files_are_graded_with_the_modes_that_they_have(sandbox: Sandbox) -> None:
    """The task's own tool, one that the answer brings, one that it took the bit from."""
    run = "#!/bin/sh\n./own && ./new && ! ./taken && r=1 || r=0\necho $r > /logs/verifier/reward.txt\n"
    tool = Executable(b"#!/bin/sh\n")
    files = {"tests/test.sh": run.encode(), "workspace/own": tool, "workspace/taken": tool}
    many = {f"workspace/part/{n}": b"x" for n in range(40)}  # enough of them to be laid once and shared
    for given in (files, files | many):
        answer = {"new": tool, "taken": bytes(tool)}
        assert ScriptVerifier(sandbox).verify(spec(files=given), answer).reward == 1.0
        assert ScriptVerifier(sandbox).verify(spec(files=given), answer | {"new": bytes(tool)}).reward == 0.0
