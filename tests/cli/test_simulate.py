"""`bowerbird simulate`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from matplotlib.image import imread

from bowerbird.cli import main
from tests.viewer.runs import make_run, rising_reports

# A group takes 10 / 8 s of an engine at its best and 10 s of a learner: of 12 GPUs 2 sample and 10 learn.
FILE = """
name = "small"
gpus = [1, 2, 12]
warm_up = 4
steps = 4
group = { scaffolds = 1, per_scaffold = 1, per_gpu = 1.0 }
learner = { least_gpus = 1, fixed_s = 0, token_us = 1e6 }
transfer = { publish_s = 0, load_s = 0 }
[rollout]
scaffold_prompt = 0
scaffold_tokens = 1
prompt = 0
turns = 1
tokens = 9
output = 0
tool_s = 5
grading_s = 0
[engine]
gpus = 1
places = 8
step_ms = [[1, 1000]]
prefill_us = 0
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(FILE)
    return path


def simulate(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["simulate", *map(str, arguments)])


def test_tables(file: Path) -> None:
    result = simulate(file)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("small: one line a cluster")
    assert lines[1].split()[:4] == ["GPUs", "sample+learn", "batch", "step"]
    # one GPU: 15 s of sampling, 10 s of learning, 10 tokens: less than one a second
    assert lines[2].split() == ["1", *["–"] * 12, "0", "–"]
    assert lines[4].split()[:4] == ["12", "2+10", "12", "12"], "12 groups of 10 s over 10 learners: they never wait"
    assert "1 GPU: no room for both roles, so they take turns: the synchronous loop alone" in lines
    assert "large clusters" not in result.stdout


def test_json_and_a_picture(file: Path, tmp_path: Path) -> None:
    picture = tmp_path / "small.png"
    result = simulate(file, "--gpus", "2,12", "--json", "--picture", picture, "--set", "seed=3")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["settings"]["seed"] == 3
    assert [row["gpus"] for row in found["rows"]] == [2, 12]
    assert found["rows"][0]["synchronous"]["step_s"] == pytest.approx(25)
    assert set(found["rows"][1]["asynchronous"]["sampler_waits"]) == {"weights", "tools", "capacity"}
    assert imread(picture).shape[:2] == (990, 1650)
    assert f"picture: {picture}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "engine.gpu=2"], "engine.gpu: unknown key"),
        (["--gpus", "many"], "gpus"),
        (["--set", "learner={least_gpus=1, fixed_s=0}"], "learner.token_us is not given"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(file: Path, arguments: list[str], told: str) -> None:
    result = simulate(file, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_run_without_rollouts_is_an_error(file: Path, tmp_path: Path) -> None:
    result = simulate(file, "--run", make_run(tmp_path / "run", rising_reports(2)))
    assert result.exit_code == 1
    assert "no finished step with rollouts" in result.stderr


def test_lengths_come_from_a_run(file: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(1))
    (run / "rollouts").mkdir(exist_ok=True)
    call = {"prompt_ids": [1], "token_ids": [2] * 19, "sampled": [True] * 19}
    log = [{"event": "answers", "count": 1, "tokens": [19]}, {"event": "checks", "passed": [True]}]
    solve = {"stage": "solve", "id": "1-0-0-0", "scaffold_id": "1-0-0", "calls": [call], "log": log}
    (run / "rollouts" / "1.jsonl").write_text(json.dumps(solve) + "\n")
    result = simulate(file, "--run", run, "--gpus", "1", "--json")
    assert result.exit_code == 0, result.output
    # 19 tokens, the tool of FILE, then 20 tokens carried by the learner of FILE
    assert json.loads(result.stdout)["rows"][0]["synchronous"]["step_s"] == pytest.approx(19 + 5 + 20)


def test_it_runs_without_torch(file: Path) -> None:
    code = (
        "import sys\nsys.modules['torch'] = None\nfrom bowerbird.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)"
    )
    command = [sys.executable, "-c", code, "simulate", str(file), "--gpus", "2"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "one line a cluster" in result.stdout
