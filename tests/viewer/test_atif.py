"""Rollouts out as ATIF and back: no token is lost."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bowerbird.cli import main
from bowerbird.rollout.atif import completions
from bowerbird.types import Completion, RunError, Sampling


def test_a_trajectory_without_token_ids_is_no_training_data() -> None:
    with pytest.raises(RunError, match="no token ids"):
        completions({"steps": [{"step_id": 2, "source": "agent", "message": "x"}]})


def test_every_call_comes_back_as_it_was_sampled(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "rollouts").mkdir(parents=True)
    (run / "config.toml").write_text("")
    sampling = {"temperature": 0.6, "explore": 0.1, "max_tokens": 9, "seed": 5}
    call = {
        "prompt_ids": [1, 2],
        "token_ids": [3, 4],
        "logprobs": [-0.5, 0.0],
        "versions": [0, 1],
        "sampled": [True, False],
        "choices": [[3, 9], None],
        "sampling": sampling,
        "finish": "length",
        "text": "words",
    }
    log = [{"event": "answers", "count": 1}, {"event": "checks", "passed": [False]}, {"event": "answers", "count": 1}]
    lines = [
        {"stage": "scaffold", "id": "1-0-0", "calls": [call]},
        {"stage": "solve", "id": "1-0-0-0", "task_id": "t", "scaffold_id": "1-0-0", "log": log, "calls": [call] * 2,
         "submission": {"solution.py": "x"}, "verdict": {"reward": 1.0}},
    ]  # fmt: skip
    (run / "rollouts" / "1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    result = CliRunner().invoke(main, ["export", str(run)])
    assert result.exit_code == 0, result.output
    (file,) = (run / "trajectories").glob("*.json")
    found = json.loads(file.read_text())
    assert found["schema_version"].startswith("ATIF-v1.")
    assert [step["step_id"] for step in found["steps"]] == [1, 2, 3]
    assert "checks" in found["steps"][1]["observation"]["results"][0]["content"]
    assert found["extra"]["verdict"] == {"reward": 1.0}
    wanted = Completion(
        (1, 2), (3, 4), (-0.5, 0.0), (0, 1), (True, False), ((3, 9), None), Sampling(0.6, 0.1, 9, 5), "length", "words"
    )
    assert completions(found) == (wanted, wanted)
    (run / "rollouts" / "1.jsonl").write_text("no transcript\n")
    assert "no transcript" in CliRunner().invoke(main, ["export", str(run)]).output
