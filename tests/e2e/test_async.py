"""The asynchronous loop on a tiny random model, in the real sandbox, beside its oracle."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from bowerbird.evals.session import train_and_evaluate
from bowerbird.orchestrator.progress import Silent
from tests.e2e.books import check_balanced, groups, kill_role, steps_kept, trained_in
from tests.e2e.test_training import config, rows, settings

NO_EVAL = {"eval.before": "false", "eval.after": "false"}
ASYNC = NO_EVAL | {"loop": '"async"'}
OVERLAP = ASYNC | {"pipeline.max_age": "2", "steps": "5"}


def test_at_zero_staleness_the_losses_are_the_oracle_s_bit_for_bit(tiny: Path, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // 2))  # as the asynchronous loop has them
        oracle = train_and_evaluate(config(tiny, "oracle", **NO_EVAL), tmp_path, Silent())
        found = train_and_evaluate(config(tiny, "async", **ASYNC, **{"pipeline.max_age": "0"}), tmp_path, Silent())
    finally:
        torch.set_num_threads(threads)
    assert rows(found) == rows(oracle)
    assert (found / "rollouts" / "3.jsonl").read_text() == (oracle / "rollouts" / "3.jsonl").read_text()
    weights = "versions/3/model.safetensors"
    assert (found / weights).read_bytes() == (oracle / weights).read_bytes()


def calls_in(run: Path) -> list[tuple[int, int, list[int]]]:
    """Of each model call: the step that trained it, the wave it belongs to, and the versions of its tokens."""
    found = []
    for file in (run / "rollouts").glob("*.jsonl"):
        for line in map(json.loads, file.read_text().splitlines()):
            wave = int(line["id"].split("-")[0])
            found += [(int(file.stem), wave, call["versions"]) for call in line["calls"]]
    return found


def check_books(run: Path, steps: int, batch: int = 2) -> None:
    """All steps are there, each with its own batch, and every accepted group is trained or waits."""
    check_balanced(run, batch)
    assert steps_kept(run) == list(range(1, steps + 1))
    trained = [trained_in(run, step) for step in range(1, steps + 1)]
    assert len(set().union(*trained)) == sum(map(len, trained)) == steps * batch


def test_overlapping_steps_keep_ages_within_bounds_and_versions_true(tiny: Path, tmp_path: Path) -> None:
    run = train_and_evaluate(config(tiny, "overlap", **OVERLAP), tmp_path, Silent())
    check_books(run, 5)
    for step, wave, versions in calls_in(run):
        assert versions == sorted(versions), "versions never go back within a call"
        assert all(wave - 1 - 2 <= version < step for version in versions), "admission lets no wave begin earlier"


@pytest.mark.parametrize("victim", ["whole", "learner", "sampler", "bwrap"])
def test_a_killed_run_goes_on_and_the_books_balance(tiny: Path, tmp_path: Path, victim: str) -> None:
    """A sampler or a sandbox is started again by the run itself; the others end it, and it is resumed."""
    changes = OVERLAP | {"sampler.processes": "2"} if victim == "sampler" else OVERLAP
    arguments = [word for item in settings(tiny, "killed", **changes) for word in ("--set", item)]
    recipe = tmp_path / "empty.toml"
    recipe.write_text("")
    command = [sys.executable, "-m", "bowerbird", "train", "--plain", "--runs", str(tmp_path)]
    run = tmp_path / "killed"
    process = subprocess.Popen([*command, str(recipe), *arguments], start_new_session=True)
    while process.poll() is None and len(steps_kept(run)) < 2:
        time.sleep(0.02)
    killed = kill_role(process.pid, victim)
    while not killed and victim == "bwrap" and process.poll() is None:  # a sandbox lives for a moment
        time.sleep(0.002)
        killed = kill_role(process.pid, victim)
    assert killed
    if victim in ("sampler", "bwrap"):
        assert process.wait(300) == 0
    else:
        assert process.wait(120) != 0
        before = groups(run)
        subprocess.run([*command, "--resume", str(run)], check=True, timeout=300)
        assert before.keys() <= groups(run).keys()
    check_books(run, 5)
