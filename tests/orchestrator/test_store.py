"""The run directory: what is written comes back, what is half written does not."""

import sqlite3
from pathlib import Path

import pytest

from bowerbird.config import Config, load_config
from bowerbird.orchestrator.credit import credit
from bowerbird.orchestrator.files import write_atomically
from bowerbird.orchestrator.store import RunStore, reconfigure
from bowerbird.types import ConfigError, RunError, TaskView
from tests.orchestrator.test_credit import GROUP
from tests.viewer.runs import step_report

TASK = TaskView("t", "sums", "Do it.", "f", ())


def filled(folder: Path) -> RunStore:
    store = RunStore.create(folder, Config(name="r", steps=3))
    store.add_tasks([TASK])
    store.add_step(1, credit(GROUP))
    store.add_metrics(step_report(1))
    return store


def test_records_come_back(tmp_path: Path) -> None:
    store = filled(tmp_path)
    (entry,) = [e for e in store.archived() if e.scaffold.scaffold_id == "a"]
    assert (entry.category, entry.value) == ("sums", 0.5)
    assert {e.scaffold.scaffold_id for e in store.archived()} == {"a", "c"}
    assert load_config(tmp_path / "r" / "config.toml") == Config(name="r", steps=3)
    with sqlite3.connect(tmp_path / "r" / "run.db") as db:
        assert db.execute("SELECT count(*) FROM rollouts").fetchone() == (6,)


def test_rewinding_forgets_what_came_later(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.add_metrics(step_report(2))
    store.rewind(1)
    assert [row["step"] for row in store.metrics()] == [1]
    store.rewind(0)
    assert store.metrics() == []
    assert list(store.archived()) == []
    assert not (tmp_path / "r" / "rollouts" / "1.jsonl").exists()


def test_a_metrics_line_that_was_cut_off_is_dropped(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with (tmp_path / "r" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "rew')
    assert len(store.metrics()) == 1


def test_one_process_at_a_time_and_no_overwriting(tmp_path: Path) -> None:
    store = filled(tmp_path)
    with pytest.raises(RunError, match="in use"):
        RunStore.open(tmp_path / "r")
    store.close()
    with pytest.raises(RunError, match="--resume"):
        RunStore.create(tmp_path, Config(name="r"))
    again, config = RunStore.open(tmp_path / "r")
    assert config.name == "r"
    again.close()


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"config\.toml"):
        RunStore.open(tmp_path)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomically(target, "old")
    with pytest.raises(RunError, match="Free some disk"):
        write_atomically(Path("/dev/full") / "x", "new")
    assert target.read_text() == "old"


def test_a_run_changes_only_what_says_nothing_about_a_step(tmp_path: Path) -> None:
    filled(tmp_path).close()
    reconfigure(tmp_path / "r", ["steps=99", "monitor.stop_above=0.5"])
    again, config = RunStore.open(tmp_path / "r")
    assert (config.steps, config.monitor.stop_above) == (99, 0.5)
    with pytest.raises(RunError, match="in use"):
        reconfigure(tmp_path / "r", ["steps=1"])
    again.close()
    with pytest.raises(ConfigError, match="seed"):
        reconfigure(tmp_path / "r", ["steps=7", "seed=1"])
    again, config = RunStore.open(tmp_path / "r")
    assert config.steps == 99
    again.close()
