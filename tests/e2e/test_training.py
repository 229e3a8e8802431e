"""Whole runs on a tiny random model, in the real sandbox: killed, stopped, resumed, and without a model's sense."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bowerbird.config import Config, load_config
from bowerbird.evals.arms import FIXED
from bowerbird.evals.session import evaluate_run, train_and_evaluate, untrained
from bowerbird.orchestrator.progress import Silent
from bowerbird.orchestrator.store import archived
from bowerbird.scaffold.card import write_card
from bowerbird.types import ConfigError, ModelError, RunError, TaskError
from bowerbird.viewer.curves import draw_evaluation


def settings(model: Path, name: str, **changes: str) -> list[str]:
    chosen = {
        "name": name,
        "steps": "3",
        "checkpoint_every": "1",
        "model.name": f'"{model}"',
        "model.precision": "float32",
        "model.device": "cpu",
        "tasks.train": "6",
        "tasks.heldout": "4",
        "tasks.hardest": "0.2",
        "scaffold.proposals": "2",
        "rollout.per_scaffold": "2",
        "rollout.token_budget": "420",
        "rollout.call_tokens": "16",
        "scaffold.max_tokens": "400",
        "curriculum.tasks_per_step": "2",
        "curriculum.drawn_per_task": "2",
        "curriculum.probes": "2",
    } | changes
    return [f"{key}={value}" for key, value in chosen.items()]


def config(model: Path, name: str, **changes: str) -> Config:
    return load_config(None, settings(model, name, **changes))


def rows(run: Path) -> list[dict[str, object]]:
    """The metrics less what depends on the clock."""
    found = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if "second" not in k} for row in found]


@pytest.fixture(scope="module")
def whole(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_and_evaluate(config(tiny, "whole"), tmp_path_factory.mktemp("runs"), Silent())


def test_a_run_leaves_what_it_should(whole: Path) -> None:
    assert [row["step"] for row in rows(whole)] == [1, 2, 3]
    assert {p.name for p in (whole / "versions").iterdir()} == {"2", "3"}
    assert {p.name for p in (whole / "checkpoints").iterdir()} == {"2", "3"}
    report = json.loads((whole / "eval-after.json").read_text())
    assert [arm["name"] for arm in report["arms"]] == ["plain", "fixed", "own"]
    assert all(len(arm["trials"]) == 4 for arm in report["arms"])
    transcript = [json.loads(line) for line in (whole / "rollouts" / "2.jsonl").read_text().splitlines()]
    versions = {v for line in transcript for call in line["calls"] for v in call["versions"]}
    assert versions == {1}, "step 2 is sampled by the version that step 1 published"


def test_checkpoints_load_in_transformers(whole: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert AutoModelForCausalLM.from_pretrained(whole / "versions" / "3").num_parameters() > 0
    assert AutoTokenizer.from_pretrained(whole / "versions" / "3").chat_template


def test_every_sampled_log_probability_is_finite_and_on_policy(whole: Path) -> None:
    for row in rows(whole):
        assert row["ratio"] == pytest.approx(1.0, abs=1e-3)
        assert row["max_age"] == 0
        assert row["infra_error"] == 0


def test_a_run_repeats_exactly(tiny: Path, whole: Path, tmp_path: Path) -> None:
    again = train_and_evaluate(config(tiny, "whole"), tmp_path, Silent())
    assert rows(again) == rows(whole)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bowerbird.cli", "train", *arguments, "--plain"]


def wait_for_step(run: Path, step: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        if (run / "checkpoints" / str(step) / "COMPLETE").exists():
            return
        time.sleep(0.02)
    pytest.fail(f"step {step} never came; exit code {process.poll()}")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(
    tiny: Path, whole: Path, tmp_path: Path, how: signal.Signals
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("")
    overrides = [part for item in settings(tiny, "whole") for part in ("--set", item)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(command(str(recipe), *overrides, "--runs", str(tmp_path)), env=environment)
    wait_for_step(tmp_path / "whole", 1, process)
    process.send_signal(how)
    assert process.wait(timeout=300) != 0
    done = subprocess.run(command("--resume", str(tmp_path / "whole")), env=environment, timeout=600)
    assert done.returncode == 0
    assert rows(tmp_path / "whole") == rows(whole)
    assert (tmp_path / "whole" / "eval-after.json").read_text() == (whole / "eval-after.json").read_text()


def test_a_run_that_died_long_after_its_last_checkpoint_goes_on(tiny: Path, tmp_path: Path) -> None:
    chosen = {"steps": "4", "checkpoint_every": "2", "eval.before": "false", "eval.after": "false"}
    run = train_and_evaluate(config(tiny, "late", **chosen), tmp_path, Silent())
    before = rows(run)
    assert {p.name for p in (run / "versions").iterdir()} == {"3", "4"}
    shutil.rmtree(run / "checkpoints" / "4")  # as if killed before it: version 2 is gone, 3 and 4 are of no use
    train_and_evaluate(load_config(None), tmp_path, Silent(), resume=run)
    assert rows(run) == before


def test_a_model_that_writes_only_nonsense_scores_nothing_and_breaks_nothing(tiny: Path, tmp_path: Path) -> None:
    chosen = config(tiny, "free", steps="1", **{"scaffold.grammar": "false", "scaffold.max_tokens": "24"})
    run = train_and_evaluate(chosen, tmp_path, Silent())
    (row,) = rows(run)
    assert row["scaffolds_valid"] == 0
    assert (row["valid"], row["scaffold_return"], row["infra_error"]) == (0, 0.0, 0)
    own = json.loads((run / "eval-after.json").read_text())["arms"][2]
    assert {trial["failure"] for trial in own["trials"]} == {"invalid"}


def test_lora_trains_and_publishes(tiny: Path, tmp_path: Path) -> None:
    chosen = config(tiny, "lora", steps="2", **{"model.lora_rank": "4", "eval.before": "false"})
    assert len(rows(train_and_evaluate(chosen, tmp_path, Silent()))) == 2


def test_a_run_is_evaluated_from_its_newest_version(whole: Path) -> None:
    report = evaluate_run(whole, load_config(whole / "config.toml"), Silent())
    assert report.version == 3
    saved = json.loads((whole / "eval-after.json").read_text())
    assert [a.solved.mean for a in report.arms] == [a["solved"]["mean"] for a in saved["arms"]]


def test_a_resumed_run_is_evaluated_by_its_own_settings(whole: Path, tmp_path: Path) -> None:
    run = shutil.copytree(whole, tmp_path / "whole")
    kept = json.loads((run / "eval-before.json").read_text())
    (run / "eval-before.json").unlink()  # as if stopped before it
    train_and_evaluate(load_config(None), tmp_path, Silent(), resume=run)
    made = json.loads((run / "eval-before.json").read_text())
    assert [arm["trials"] for arm in made["arms"]] == [arm["trials"] for arm in kept["arms"]]


def test_the_best_of_the_archive_is_an_arm_of_a_run(whole: Path, tmp_path: Path) -> None:
    chosen = load_config(whole / "config.toml", ['eval.arms=["own", "archive"]'])
    report = evaluate_run(whole, chosen, Silent())
    trials = report.arm("archive").trials
    assert len(trials) == report.tasks
    known = {entry.scaffold.text for entry in archived(whole)}
    assert {trial.card for trial in trials} <= known
    assert draw_evaluation(report, tmp_path / "arms.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(RunError, match="archive is empty"):
        evaluate_run(None, chosen, Silent())
    with pytest.raises(ConfigError, match="no archive before training"):
        untrained(load_config(whole / "config.toml", ['eval.arms=["archive"]']))


def test_a_scaffold_in_a_file_is_an_arm(whole: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(write_card(FIXED))
    chosen = load_config(whole / "config.toml", [f'eval.arms=["own", "file:{file}"]'])
    report = evaluate_run(whole, chosen, Silent())
    trials = report.arm(f"file:{file}").trials
    assert len(trials) == report.tasks
    assert {trial.card for trial in trials} == {write_card(FIXED)}
    file.unlink()
    with pytest.raises(ConfigError, match=r"cannot read the scaffold .*mine\.json"):
        evaluate_run(whole, chosen, Silent())


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"model.name": '"/nowhere/model"'}, ModelError, "no model at"),
        ({"model.name": '"owner/unknown"'}, ModelError, "HF_HUB_OFFLINE"),
        ({"tasks.source": '"/nowhere"'}, TaskError, "no tasks"),
        ({"sandbox.backend": '"chroot"'}, ConfigError, "chroot"),
        ({"tasks.families": '["unheard_of"]'}, TaskError, "unheard_of"),
    ],
)
def test_bad_input_is_said_clearly(
    tiny: Path, tmp_path: Path, change: dict[str, str], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        train_and_evaluate(config(tiny, "bad", **change), tmp_path, Silent())
