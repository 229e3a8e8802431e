"""Rollouts out as ATIF and back: no token is lost."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli import main
from bowerbird.rollout.atif import completions
from bowerbird.types import Completion, RunError, Sampling
from tests.viewer.runs import add_scaffold, open_database

SAMPLING = {"temperature": 0.6, "explore": 0.1, "max_tokens": 9, "seed": 5}
CALL = {
    "prompt_ids": [1, 2],
    "token_ids": [3, 4],
    "logprobs": [-0.5, 0.0],
    "versions": [0, 1],
    "sampled": [True, False],
    "choices": [[3, 9], None],
    "sampling": SAMPLING,
    "finish": "length",
    "text": "words",
}
FLAG = {"rule": "canary", "reason": "it looked", "evidence": "x", "of_scaffold": False}
LOG = [{"event": "answers", "count": 1}, {"event": "checks", "passed": [False]}, {"event": "answers", "count": 1}]


def verdict(name: str, outcome: str, reward: float = 0.0, **more: Any) -> dict[str, Any]:
    found = {"rollout_id": name, "outcome": outcome, "reward": reward, "failure": None, "flags": [], "opinion": None}
    return found | {"watchers": [], "error": None} | more


def rollout(name: str, graded: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stage": "solve",
        "id": name,
        "verdict": dict(graded),
        "task_id": "katas/a",
        "scaffold_id": name.rpartition("-")[0],
        "log": LOG,
        "submission": {"solution.py": "x"},
        "calls": [CALL, CALL],
    }


def made(folder: Path) -> Path:
    """A run of two steps: valid, hacked, and lost by the machinery before anything was sampled."""
    (folder / "rollouts").mkdir(parents=True)
    (folder / "config.toml").write_text('[model]\nname = "org/small"\n')
    with open_database(folder) as database:
        add_scaffold(database, "1-0-0")
    steps: dict[int, list[dict[str, Any]]] = {
        1: [
            {"stage": "scaffold", "id": "1-0-0", "calls": [CALL]},
            rollout("1-0-0-0", verdict("1-0-0-0", "valid", 1.0)),
            rollout("1-0-0-1", verdict("1-0-0-1", "hacked", flags=[FLAG])),
        ],
        2: [rollout("2-0-0-0", verdict("2-0-0-0", "infra_error", error="the sandbox was lost")) | {"calls": []}],
    }
    for step, lines in steps.items():
        (folder / "rollouts" / f"{step}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def rollouts(run: Path) -> dict[str, list[dict[str, Any]]]:
    """The lines of each step that are no proposals."""
    files = {file.name: file.read_text().splitlines() for file in sorted((run / "rollouts").iterdir())}
    return {
        name: [found for line in lines if (found := json.loads(line))["stage"] == "solve"]
        for name, lines in files.items()
    }


def test_the_folder_is_one_of_harbors_jobs(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    result = command("export", run)
    assert result.exit_code == 0, result.output
    jobs = run / "trajectories"
    assert sorted(str(file.relative_to(jobs)) for file in jobs.rglob("*.json")) == [
        "run-00001/1-0-0-0/agent/trajectory.json",
        "run-00001/1-0-0-0/result.json",
        "run-00001/1-0-0-1/agent/trajectory.json",
        "run-00001/1-0-0-1/result.json",
        "run-00001/config.json",
        "run-00001/result.json",
        "run-00002/2-0-0-0/agent/trajectory.json",
        "run-00002/2-0-0-0/result.json",
        "run-00002/config.json",
        "run-00002/result.json",
    ]
    found = [json.loads(file.read_text()) for file in sorted(jobs.glob("*/*/result.json"))]
    assert [trial["verifier_result"]["rewards"]["reward"] for trial in found] == [1.0, 0.0, 0.0]
    assert found[0]["exception_info"] is None
    assert found[1]["exception_info"]["exception_type"] == "hacked"
    assert found[1]["exception_info"]["exception_message"] == "canary: x"
    assert found[2]["exception_info"]["exception_message"] == "the sandbox was lost"
    assert found[0]["agent_info"]["model_info"] == {"name": "small", "provider": "org"}
    stats = json.loads((jobs / "run-00001" / "result.json").read_text())["stats"]
    (shares,) = stats["evals"].values()
    assert (stats["n_completed_trials"], stats["n_errored_trials"], shares["metrics"]) == (2, 1, [{"mean": 1.0}])


def test_every_call_comes_back_as_it_was_sampled(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    command("export", run)
    found = json.loads((run / "trajectories/run-00001/1-0-0-0/agent/trajectory.json").read_text())
    assert found["schema_version"].startswith("ATIF-v1.")
    assert [step["step_id"] for step in found["steps"]] == [1, 2, 3]
    assert found["steps"][0]["message"] == "Add."
    assert "checks" in found["steps"][1]["observation"]["results"][0]["content"]
    wanted = Completion(
        (1, 2), (3, 4), (-0.5, 0.0), (0, 1), (True, False), ((3, 9), None), Sampling(0.6, 0.1, 9, 5), "length", "words"
    )
    assert completions(found) == (wanted, wanted)


def test_a_damaged_transcript_is_named(tmp_path: Path) -> None:
    run = made(tmp_path / "run")
    (run / "rollouts" / "1.jsonl").write_text("no transcript\n")
    assert "no transcript" in command("export", run).output


def test_rollouts_that_were_exported_come_back_as_they_were(tmp_path: Path) -> None:
    run, jobs, copy = made(tmp_path / "run"), tmp_path / "jobs", tmp_path / "runs" / "copy"
    command("export", run, "--to", jobs)
    command("export", run, "--to", tmp_path / "proposals", "--stage", "scaffold")
    result = command("import", jobs, tmp_path / "proposals", "--to", copy)
    assert result.exit_code == 0, result.output
    assert "4 trajectories, 5 calls, 10 tokens of policy versions 0 to 1" in result.stdout
    assert "models: org/small" in result.stdout
    assert "1 valid, 1 hacked, 1 infra_error; mean reward of the valid 1.00" in result.stdout
    assert rollouts(copy) == rollouts(run)
    assert json.loads((copy / "rollouts" / "1.jsonl").read_text().splitlines()[-1])["stage"] == "scaffold"
    assert "1 of 3 rollouts flagged" in command("flags", copy).stdout
    command("export", copy, "--to", tmp_path / "again")
    again, before = ((tmp_path / name).rglob("trajectory.json") for name in ("again", "jobs"))
    assert sorted(map(Path.read_text, again)) == sorted(map(Path.read_text, before))
    assert "already holds a run" in command("import", jobs, "--to", copy).output


def theirs(name: str = "s", **metrics: Any) -> dict[str, Any]:
    """What another agent leaves, with words in parts, a step copied from before and one of no model."""
    sampled = {"prompt_token_ids": [7], "completion_token_ids": [8, 9], "logprobs": [-1.0, -2.0]} | metrics
    steps: list[dict[str, Any]] = [
        {"step_id": 1, "source": "user", "message": [{"type": "text", "text": "Do it."}]},
        {"step_id": 2, "source": "agent", "message": "before", "is_copied_context": True},
        {"step_id": 3, "source": "agent", "message": "ls", "llm_call_count": 0},
        {"step_id": 4, "source": "agent", "message": "done", "metrics": sampled},
    ]
    agent = {"name": "other", "version": "1", "model_name": "big"}
    return {"schema_version": "ATIF-v1.7", "session_id": name, "agent": agent, "steps": steps}


def test_what_others_left_is_read_where_it_has_token_ids(tmp_path: Path) -> None:
    ours = {"stage": "solve", "step": 1, "task_id": "t", "scaffold_id": "s", "log": [], "submission": {}}
    broken = {
        "ids.json": theirs("ids", prompt_token_ids=None),
        "lengths.json": theirs("lengths", logprobs=[-1.0]),
        "above.json": theirs("above", logprobs=[-1.0, 0.5]),
        "numbers.json": theirs("numbers", completion_token_ids=[8, "x"]),
        "twice.json": theirs("good"),
        "none.json": {"steps": [], "session_id": "none"},
        "list.json": [],
        "verdict.json": theirs("verdict") | {"extra": ours | {"verdict": {"reward": 1.0}}},
        "step.json": theirs("step") | {"extra": ours | {"verdict": None, "step": "../../elsewhere"}},
        "task.json": theirs("task") | {"extra": ours | {"verdict": None, "task_id": 5}},
        "name.json": theirs(".."),
        "part.json": theirs("part") | {"extra": {"stage": "solve", "step": 1}},
    }
    for name, found in {"good.json": theirs("good"), **broken}.items():
        (tmp_path / name).write_text(json.dumps(found))
    (tmp_path / "text.json").write_text("no JSON")
    files = [tmp_path / name for name in ("good.json", *broken, "text.json")]
    result = command("import", *files, "--to", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "1 trajectories, 1 calls, 2 tokens" in result.stdout
    assert "verdicts: none" in result.stdout
    for why in (
        "prompt_token_ids missing",
        "2 tokens with 1 log-probabilities",
        "a log-probability that is none",
        "no whole number",
        "another one is called 'good' too",
        "no call of a model in it",
        "no ATIF trajectory",
        "its verdict is none of ours",
        "cannot be read as JSON",
        "no number of one: '../../elsewhere'",
        "its task or its scaffold is no name",
        "'..' is no name",
    ):
        assert why in result.stderr
    ((line,),) = rollouts(tmp_path / "run").values()
    assert (line["id"], line["task_id"], line["verdict"]) == ("good", "good", None)
    assert line["calls"][0]["token_ids"] == [8, 9]
    assert command("export", tmp_path / "run").exit_code == 0
    (trajectory,) = tmp_path.glob("run/trajectories/*/*/agent/trajectory.json")
    assert json.loads(trajectory.read_text())["steps"][0]["message"] == "Do it."
    assert command("import", trajectory, "--to", tmp_path / "again").exit_code == 0
    assert rollouts(tmp_path / "again") == rollouts(tmp_path / "run")


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = command("import", tmp_path / "empty", "--to", tmp_path / "run")
    assert result.exit_code == 1
    assert "no trajectory with token ids" in result.stderr
    (tmp_path / "a.json").write_text(json.dumps(theirs()))
    assert "no name for a run" in command("import", tmp_path / "a.json", "--to", tmp_path / "a b").stderr
    assert not (tmp_path / "run").exists()


def test_a_trajectory_without_token_ids_is_no_training_data() -> None:
    with pytest.raises(RunError, match="no token ids"):
        completions({"steps": [{"step_id": 2, "source": "agent", "message": "x"}]})
    several = theirs()
    several["steps"][3]["llm_call_count"] = 2
    with pytest.raises(RunError, match="several calls"):
        completions(several)
