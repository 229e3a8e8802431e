"""The linear shell loop: turns, budgets, what is submitted, and the null test."""

from concurrent.futures import ThreadPoolExecutor

from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.rollout.driver import Driver, Job, run_null
from bowerbird.rollout.shell import run_shell
from bowerbird.sandbox import Sandbox
from bowerbird.types import Rollout, TaskView

CHAT = byte_chat()
TASK = TaskView(
    "t", "add", "Write add(a, b).", "add", (), workspace={"notes.txt": b"be kind\n", "solution.py": b"# here\n"}
)


def job(opening: tuple[str, ...] = (), turns: int = 4) -> Job:
    return Job(
        "r",
        TASK,
        "s",
        lambda n: run_shell(TASK, opening, CHAT, token_budget=4000, call_tokens=400, turns=turns, seed=n),
    )


def play(sandbox: Sandbox, *replies: str, opening: tuple[str, ...] = (), turns: int = 4) -> Rollout:
    left = iter(replies)
    with ThreadPoolExecutor(1) as pool:
        sampler = FakeSampler(CHAT, lambda _: next(left, "done"))
        (done,) = Driver(sampler, sandbox, pool).run([job(opening, turns)])
    return done


def test_actions_share_a_workspace_and_its_files_are_submitted(sandbox: Sandbox) -> None:
    first = "```sh\nprintf 'def add(a, b):\\n    return a + b\\n' > solution.py\n```"
    done = play(sandbox, first, "```sh\ncat solution.py notes.txt\n```", "Done.")
    assert done.submission == {"solution.py": b"def add(a, b):\n    return a + b\n"}
    assert [entry["by"] for entry in done.log] == ["model", "model"]
    assert "return a + b\nbe kind" in done.log[1]["result"]
    assert len(done.calls) == 3
    assert done.calls[1].prompt_ids[: len(done.calls[0].prompt_ids)] == done.calls[0].prompt_ids
    assert done.facts.protected_changes == ()


def test_a_changed_task_file_and_a_link_are_seen(sandbox: Sandbox) -> None:
    done = play(sandbox, "```sh\necho > notes.txt; ln -sf /etc/passwd solution.py\n```")
    assert done.facts.protected_changes == ("notes.txt",)
    assert done.submission == {}
    assert len(done.anomalies) == 1
    assert "link" in done.anomalies[0]


def test_turns_are_bounded(sandbox: Sandbox) -> None:
    assert len(play(sandbox, *["```sh\ntrue\n```"] * 9, turns=3).calls) == 3


def test_the_null_test_runs_what_the_scaffold_does_itself(sandbox: Sandbox) -> None:
    assert run_null(job(("echo 'x = 1' > solution.py",)), sandbox) == {"solution.py": b"x = 1\n"}
    assert run_null(job(), sandbox) == {}
