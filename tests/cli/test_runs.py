"""The commands that look at a run directory: scaffolds, flags, view."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli import main
from tests.viewer.runs import (
    add_evaluations,
    add_flag,
    add_rollout,
    add_scaffold,
    make_run,
    open_database,
    rising_reports,
)


def bowerbird(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = make_run(tmp_path / "run", rising_reports(3))
    database = open_database(folder)
    add_scaffold(database, "1-0-0", value=0.25)
    add_scaffold(database, "1-0-1", value=0.0, invalid="not JSON", text="I would rather \x1b[31mnot")
    add_scaffold(database, "2-0-0", step=2, parent="1-0-0", value=1.0, candidates=3)
    add_scaffold(database, "3-0-0", step=3, parent="2-0-0", value=0.75, candidates=3, select="vote")
    add_scaffold(database, "3-1-0", step=3, task_id="katas/b", value=0.0, outcome="hacked")
    for i in range(3):
        add_rollout(database, f"1-0-0-{i}", "1-0-0")
    add_rollout(database, "3-1-0-0", "3-1-0", step=3, outcome="hacked")
    add_flag(database, "3-1-0-0", "canary", "opened /tests/\x1b[2Janswers", step=3)
    add_flag(database, "3-1-0-0", "null_test", "passes without a model", step=3)
    database.close()
    return folder


def test_best_cards_and_the_lineage_of_the_best(run: Path) -> None:
    result = bowerbird("scaffolds", run)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "5 scaffolds, 3 different cards, 1 invalid, 1 hacked"
    assert [line.split()[:4] for line in lines[2:5]] == [
        ["1.00", "1", "2-2", "2-0-0"], ["0.75", "1", "3-3", "3-0-0"], ["0.25", "1", "1-1", "1-0-0"],
    ]  # fmt: skip
    assert "decompose none, candidates 3, select first, tools none" in lines[2]
    assert lines[6] == "Lineage of 2-0-0"
    assert [line.split("  step")[0] for line in lines[7:]] == [
        "1-0-0  return 0.25", "└─ * 2-0-0  return 1.00", "  └─ 3-0-0  return 0.75",
    ]  # fmt: skip


def test_number_task_and_lineage_are_chosen(run: Path) -> None:
    assert len(bowerbird("scaffolds", run, "--best", "1").stdout.split("\n\n")[0].splitlines()) == 3
    other = bowerbird("scaffolds", run, "--task", "katas/b").stdout
    assert other.startswith("1 scaffolds, 0 different cards, 0 invalid, 1 hacked")
    lineage = bowerbird("scaffolds", run, "--lineage", "1-0-1").stdout
    assert lineage.splitlines()[1].startswith("* 1-0-1  invalid (not JSON)")
    assert r"\x1b[31mnot" in lineage


def test_scaffolds_that_are_not_there(run: Path, tmp_path: Path) -> None:
    for result, words in (
        (bowerbird("scaffolds", run, "--lineage", "9"), "no scaffold '9'"),
        (bowerbird("scaffolds", run, "--task", "x"), "no scaffold for task 'x'"),
        (bowerbird("scaffolds", tmp_path), "not a run directory"),
        (bowerbird("scaffolds", make_run(tmp_path / "new")), "no scaffolds yet"),
    ):
        assert (result.exit_code, result.stdout) == (1, "")
        assert words in result.stderr


def test_flags_with_their_evidence(run: Path) -> None:
    result = bowerbird("flags", run)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "1 of 4 rollouts flagged"
    assert lines[4:6] == ["", "Share of rollouts by rule"]
    assert lines[6].split() == ["rule", "all", "steps", "first", "quarter", "last", "quarter"]
    assert r"canary     it looked  opened /tests/\x1b[2Janswers" in lines[2]
    assert "\x1b" not in result.stdout
    assert "canary" not in bowerbird("flags", run, "--rule", "null_test").stdout


def test_a_clean_run_has_no_flags(run: Path) -> None:
    assert bowerbird("flags", run, "--rule", "hash").stdout == "no flag on 4 rollouts by the rule hash\n"


def test_view_shows_steps_evaluations_and_curves(run: Path) -> None:
    add_evaluations(run)
    result = bowerbird("view", run)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("3 steps, the last 3\n")
    assert "own after - own before" in result.stdout
    assert result.stdout.endswith(f"curves: {run / 'curves.png'}\n")
    assert (run / "curves.png").is_file()


def test_view_of_nothing(tmp_path: Path) -> None:
    result = bowerbird("view", make_run(tmp_path / "new"))
    assert result.exit_code == 1
    assert "nothing to draw yet" in result.stderr
