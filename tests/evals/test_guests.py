"""Agents that are not ours: what they are told, what they leave, and who is to blame. A script stands in for Harbor."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bowerbird.config import EvalConfig, HarborConfig
from bowerbird.evals.guests import Guest, run_guests, write_public
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.progress import Silent
from bowerbird.tasks.katas import generate as katas
from bowerbird.tasks.repos import generate as repos
from bowerbird.types import WHOLE, ConfigError, Executable, Rollout, RunError, TaskError, TaskView

CHAT = byte_chat()
KATA = katas(0, 1, families=["clamp"])[0]
REPO = repos(0, 1)[0]

# As the module `trials` does in Harbor's Python: reads the trials, and works on each with the model at its address.
AGENT = """#!{python}
import json, pathlib, sys, urllib.request, urllib.error
for trial in json.load(sys.stdin)["trials"]:
    task, error = pathlib.Path(trial["task"]["path"]), None
    folder = pathlib.Path(trial["trials_dir"]) / trial["trial_name"] / "artifacts" / "app"
    folder.mkdir(parents=True)
    ask = {{"messages": [{{"role": "user", "content": (task / "instruction.md").read_text()}}]}}
    question = urllib.request.Request(trial["agent"]["base_url"] + "/chat/completions", json.dumps(ask).encode())
    try:
{work}
    except urllib.error.HTTPError as refused:
        code = json.load(refused)["error"]["code"]
        error = "ContextLengthExceededError: full" if code == "context_length_exceeded" else code
    print(json.dumps({{"name": trial["trial_name"], "error": error}}), flush=True)
"""
ANSWER = """
        said = json.load(urllib.request.urlopen(question))["choices"][0]["message"]["content"]
        (folder / "solution.py").write_text(said)
"""


def harbor(folder: Path, work: str) -> HarborConfig:
    stand_in = folder / "python"
    stand_in.write_text(AGENT.format(python=sys.executable, work=work))
    stand_in.chmod(0o755)
    return HarborConfig(python=str(stand_in))


def guests(task: TaskView, count: int = 1, tokens: int = 4000) -> list[Guest]:
    return [Guest(f"g-{i}", f"s-{i}", task, "terminus-2", tokens, 1024, i) for i in range(count)]


def ran(settings: HarborConfig, wanted: list[Guest], reply: str) -> list[Rollout]:
    def answer(request: Request) -> str:
        return reply

    return run_guests(wanted, FakeSampler(CHAT, answer), settings, [], Silent())


def test_what_an_agent_leaves_is_a_rollout_with_the_calls_as_they_were_sampled(tmp_path: Path) -> None:
    found = ran(harbor(tmp_path, ANSWER), guests(KATA.view, 3), KATA.solution)
    assert [rollout.rollout_id for rollout in found] == ["g-0", "g-1", "g-2"]
    for rollout in found:
        assert rollout.submission == {"solution.py": KATA.solution.encode()}
        assert (rollout.infra_error, rollout.failure) == (None, None)
        assert [CHAT.decode(call.token_ids) for call in rollout.calls] == [KATA.solution]


def test_an_agent_is_told_the_public_half_and_nothing_else(tmp_path: Path) -> None:
    write_public(tmp_path / "kata", KATA.view)
    told = (tmp_path / "kata" / "instruction.md").read_text()
    assert KATA.view.instruction in told
    assert "`solution.py`" in told
    assert told.count("assert ") == len(KATA.view.examples)
    assert {path.name for path in (tmp_path / "kata").rglob("*") if path.is_file()} == {
        *("task.toml", "instruction.md", "Dockerfile", ".keep", "test.sh")
    }
    write_public(tmp_path / "repo", REPO.view)
    work = tmp_path / "repo" / "environment" / "workspace"
    assert {p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file()} == {*REPO.view.workspace, ".keep"}
    assert "python3 run_tests.py" in (tmp_path / "repo" / "instruction.md").read_text()


def test_what_it_was_told_at_the_end_of_its_budget_is_no_fault_of_the_machinery(tmp_path: Path) -> None:
    (found,) = ran(harbor(tmp_path, ANSWER + ANSWER), guests(KATA.view, tokens=20), KATA.solution)
    assert found.infra_error is None
    assert sum(len(call.token_ids) for call in found.calls) == 20
    assert found.log[0]["error"] == "ContextLengthExceededError: full"
    assert found.submission["solution.py"] == KATA.solution[:20].encode()


def test_a_trial_that_never_began_is_lost_and_one_that_left_nothing_is_not(tmp_path: Path) -> None:
    (lost,) = ran(harbor(tmp_path, "        error = 'AgentSetupTimeoutError: no tmux'"), guests(KATA.view), "")
    assert lost.infra_error == "terminus-2: AgentSetupTimeoutError: no tmux"
    late = ANSWER + "        error = 'EnvironmentError: it is gone'"
    (broken,) = ran(harbor(tmp_path, late), guests(KATA.view), "x")
    assert broken.infra_error == "terminus-2: EnvironmentError: it is gone"  # after a call, all the same
    (idle,) = ran(harbor(tmp_path, "        pass"), guests(KATA.view), "")
    assert (idle.infra_error, idle.failure, idle.submission) == (None, "no_code", {})


def test_links_and_what_did_not_change_are_not_taken(tmp_path: Path) -> None:
    whole = replace(REPO.view, submission=WHOLE)
    name, text = next(iter(whole.workspace.items()))
    work = f"""
        (folder / {name!r}).parent.mkdir(parents=True, exist_ok=True)
        (folder / {name!r}).write_bytes({text!r})
        (folder / "new.py").write_text("x = 1")
        (folder / "stolen.txt").symlink_to("/etc/passwd")
        (folder / "large.db").write_bytes(bytes(2 << 20))
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text("x")
"""
    (found,) = ran(harbor(tmp_path, work), guests(whole), "")
    assert found.submission == {"new.py": b"x = 1"}
    assert found.anomalies == ()  # as with our own agents: what cannot be taken counts as unchanged


def test_what_an_agent_makes_executable_is_so_and_what_was_stays_so(tmp_path: Path) -> None:
    tools = {"run": Executable(b"#!/bin/sh\n"), "tool": Executable(b"#!/bin/sh\n")}
    task = replace(REPO.view, submission=WHOLE, workspace=tools)
    work = """
        (folder / "run").write_text("#!/bin/sh\\n")
        (folder / "tool").write_text("#!/bin/sh\\necho 1\\n")
        (folder / "new").write_text("#!/bin/sh\\n")
        (folder / "new").chmod(0o755)
"""
    (found,) = ran(harbor(tmp_path, work), guests(task), "")
    assert found.submission == {"tool": Executable(b"#!/bin/sh\necho 1\n"), "new": Executable(b"#!/bin/sh\n")}
    write_public(tmp_path / "public", task)
    assert (tmp_path / "public" / "environment" / "workspace" / "run").stat().st_mode & 0o111


def test_too_much_is_nothing(tmp_path: Path) -> None:
    work = "        for n in range(40): (folder / f'{n}.txt').write_text('x' * (1 << 20))"
    (found,) = ran(harbor(tmp_path, work), guests(replace(REPO.view, submission=WHOLE)), "")
    assert (found.submission, found.anomalies) == ({}, ())


def test_a_link_in_a_declared_files_place_is_an_anomaly(tmp_path: Path) -> None:
    work = "        (folder / 'solution.py').symlink_to('/etc/passwd')"
    (found,) = ran(harbor(tmp_path, work), guests(KATA.view), "")
    assert found.submission == {}
    assert found.anomalies == ("solution.py: symbolic link",)


def test_trouble_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"harbor\.python"):
        ran(HarborConfig(), guests(KATA.view), "")
    with pytest.raises(RunError, match="no module"):
        ran(harbor(tmp_path, "        sys.exit('no module named harbor')"), guests(KATA.view), "")
    with pytest.raises(ConfigError, match="cannot listen"):
        ran(HarborConfig(python=sys.executable, address="203.0.113.1"), guests(KATA.view), "")
    with pytest.raises(TaskError, match="container image"):
        ran(harbor(tmp_path, ANSWER), guests(replace(KATA.view, image="x")), "")
    with pytest.raises(ValueError, match=r"arms\.0"):
        EvalConfig(arms=("harbor:Terminus 2",))
