"""Reading run directories: whole ones, half-written ones, damaged ones, none."""

import json
from pathlib import Path

import pytest

from bowerbird.types import RunError
from bowerbird.viewer.run_folder import RunFolder
from tests.viewer.runs import (
    CARD,
    add_evaluations,
    add_flag,
    add_rollout,
    add_scaffold,
    evaluation,
    make_run,
    open_database,
    rising_reports,
)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not a run directory"):
        RunFolder(tmp_path)


def test_a_run_that_has_only_begun_is_empty(tmp_path: Path) -> None:
    folder = RunFolder(make_run(tmp_path / "new"))
    (folder.path / "metrics.jsonl").unlink()
    assert folder.name == "new"
    assert folder.metrics() == []
    assert folder.evaluation("before") is None
    assert folder.scaffolds() == []
    assert folder.flags() == []
    assert folder.outcomes() == {}


def test_metrics_come_back_as_reports(tmp_path: Path) -> None:
    reports = rising_reports(4)
    assert RunFolder(make_run(tmp_path / "run", reports)).metrics() == reports


def test_a_cut_off_last_line_is_left_out_and_any_other_is_an_error(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(3))
    path = run / "metrics.jsonl"
    whole = path.read_text()
    path.write_text(whole[:-50])
    assert len(RunFolder(run).metrics()) == 2
    lines = whole.splitlines()
    path.write_text("\n".join([lines[0], lines[1][:40], lines[2]]) + "\n")
    with pytest.raises(RunError, match="line 2"):
        RunFolder(run).metrics()


def test_metrics_of_a_later_version_may_say_more(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(1))
    row = json.loads((run / "metrics.jsonl").read_text())
    (run / "metrics.jsonl").write_text(json.dumps(row | {"new": 1}) + "\n")
    assert len(RunFolder(run).metrics()) == 1


def test_evaluations(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    add_evaluations(run)
    assert RunFolder(run).evaluation("before") == evaluation(0, [("plain", 0.25), ("fixed", 0.375), ("own", 0.125)])
    (run / "eval-after.json").write_text('{"version": 1}')
    with pytest.raises(RunError, match=r"eval-after\.json"):
        RunFolder(run).evaluation("after")


def test_scaffolds_and_flags_while_the_run_writes(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    database = open_database(run)
    add_scaffold(database, "2-0-0", step=2, parent="1-0-0", value=0.75, candidates=3)
    add_scaffold(database, "1-0-0", value=0.25)
    add_scaffold(database, "1-0-1", value=0.0, invalid="not JSON", text="hm")
    add_rollout(database, "1-0-0-0", "1-0-0")
    add_rollout(database, "1-0-0-1", "1-0-0", outcome="hacked")
    add_flag(database, "1-0-0-1", "canary", "opened /tests/answers")
    database.execute("BEGIN IMMEDIATE")  # the run holds its lock
    folder = RunFolder(run)
    rows = folder.scaffolds()
    assert [row.scaffold_id for row in rows] == ["1-0-0", "1-0-1", "2-0-0"]
    assert rows[2].spec == CARD | {"candidates": 3}
    assert (rows[2].parent_id, rows[2].category, rows[2].value) == ("1-0-0", "adding", 0.75)
    assert (rows[1].spec, rows[1].invalid, rows[1].text) == (None, "not JSON", "hm")
    (flag,) = folder.flags()
    assert (flag.rollout_id, flag.scaffold_id, flag.rule) == ("1-0-0-1", "1-0-0", "canary")
    assert folder.outcomes() == {"hacked": 1, "valid": 1}
    database.execute("COMMIT")
    database.close()


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    (run / "run.db").write_bytes(b"no database " * 200)
    with pytest.raises(RunError, match=r"cannot read .*run\.db"):
        RunFolder(run).scaffolds()


def test_reading_changes_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(2))
    database = open_database(run)
    add_scaffold(database, "1-0-0")
    database.close()
    before = (run / "run.db").read_bytes()
    RunFolder(run).scaffolds()
    assert (run / "run.db").read_bytes() == before
