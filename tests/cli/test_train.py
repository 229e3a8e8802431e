"""`bowerbird train` and `bowerbird eval` around a session that is played: what goes in, what is shown, how it ends."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bowerbird.cli import main
from bowerbird.evals.report import load_report
from bowerbird.types import ModelError, RunError, SandboxUnavailable
from tests.viewer.runs import add_evaluations, evaluation, make_run, rising_reports, step_report

RECIPE = 'name = "small"\nsteps = 2\n[tasks]\nheldout = 4\n'
Play = Callable[..., Any]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Stands in for `bowerbird.evals.session`, which loads torch and a model. A test sets what is called."""
    played = ModuleType("bowerbird.evals.session")
    monkeypatch.setitem(sys.modules, "bowerbird.evals.session", played)
    return played


def bowerbird(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def refused(result: Result, status: int, *words: str) -> None:
    assert result.exit_code == status, result.output
    assert not result.stdout
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_a_run_is_watched_and_ends_with_tables_and_curves(tmp_path: Path, recipe: Path, session: ModuleType) -> None:
    def play(config: Any, runs: Path, watcher: Any, resume: Path | None) -> Path:
        assert (config.name, config.steps, config.learner.learning_rate, resume) == ("small", 7, 1e-5, None)
        run = make_run(runs / config.name, rising_reports(7))
        watcher.says("loading the model")
        watcher.phase("evaluate own", 4, 4)
        watcher.stepped(step_report(7), 7)
        add_evaluations(run)
        return run

    session.train_and_evaluate = play  # type: ignore[attr-defined]
    overrides = ["--set", "steps=7", "--set", "learner.learning_rate=1e-5"]
    result = bowerbird("train", recipe, "--runs", tmp_path / "runs", *overrides)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "loading the model"
    assert lines[1].startswith("evaluate own: 4 of 4")
    assert lines[2].startswith("step 7/7  reward 0.410")
    assert "own after - own before" in result.stdout
    assert (tmp_path / "runs" / "small" / "curves.png").stat().st_size > 10_000
    assert lines[-1] == f"run:    {tmp_path / 'runs' / 'small'}"


def test_a_run_is_resumed_with_its_own_configuration(tmp_path: Path, session: ModuleType) -> None:
    run = make_run(tmp_path / "old", rising_reports(2))
    seen: list[Any] = []

    def play(*given: object) -> Path:
        seen.append(given)
        return run

    session.train_and_evaluate = play  # type: ignore[attr-defined]
    assert bowerbird("train", "--resume", run).exit_code == 0
    ((config, _, _, resume),) = seen
    assert (config.name, resume) == ("old", run)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RunError("the disk is full"), "error: the disk is full\n"),
        (ModelError("no model 'x'"), "error: no model 'x'\n"),
        (SandboxUnavailable("install bubblewrap"), "error: install bubblewrap\n"),
        (KeyboardInterrupt(), "error: stopped before the run began\n"),
    ],
)
def test_what_goes_wrong_is_one_line(
    recipe: Path, session: ModuleType, tmp_path: Path, error: BaseException, words: str
) -> None:
    def play(*_: object) -> Path:
        raise error

    session.train_and_evaluate = play  # type: ignore[attr-defined]
    result = bowerbird("train", recipe, "--runs", tmp_path)
    refused(result, 1)
    assert result.stderr == words


def test_a_second_interrupt_says_how_to_go_on(recipe: Path, session: ModuleType, tmp_path: Path) -> None:
    def play(config: Any, runs: Path, *_: object) -> Path:
        make_run(runs / config.name)
        raise KeyboardInterrupt

    session.train_and_evaluate = play  # type: ignore[attr-defined]
    result = bowerbird("train", recipe, "--runs", tmp_path / "runs")
    refused(result, 1, f"go on with: bowerbird train --resume {tmp_path / 'runs' / 'small'}")


def test_a_bug_is_not_dressed_up(recipe: Path, session: ModuleType, tmp_path: Path) -> None:
    def play(*_: object) -> Path:
        raise ValueError("a bug")

    session.train_and_evaluate = play  # type: ignore[attr-defined]
    assert isinstance(bowerbird("train", recipe, "--runs", tmp_path).exception, ValueError)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["stepz=3"], "stepz: unknown key"),
        (["learner.rate=3"], "learner.rate: unknown key"),
        (["steps=0"], "steps: Input should be greater than or equal to 1"),
        (["steps"], "'steps' is not an override: write section.key=value"),
        (["name=../up"], "name:"),
    ],
)
def test_wrong_settings_are_named(recipe: Path, overrides: list[str], words: str) -> None:
    refused(bowerbird("train", recipe, *(part for each in overrides for part in ("--set", each))), 2, "error: ", words)


def test_wrong_configurations_are_named(tmp_path: Path, recipe: Path) -> None:
    refused(bowerbird("train", tmp_path / "none.toml"), 2, "error: no configuration at", "none.toml")
    recipe.write_text("steps = = 3")
    refused(bowerbird("train", recipe), 2, "small.toml", "line 1")
    recipe.write_text("[lerner]\nx = 1\n")
    refused(bowerbird("train", recipe), 2, "lerner: unknown key")
    refused(bowerbird("train"), 2, "name a configuration to train, or a run to --resume")


def test_a_resumed_run_takes_few_settings(tmp_path: Path, recipe: Path) -> None:
    run = make_run(tmp_path / "old")
    refused(bowerbird("train", recipe, "--resume", run), 2, "keeps its own configuration")
    refused(bowerbird("train", "--resume", run, "--set", "seed=9"), 2, "can only change steps")
    refused(bowerbird("train", "--resume", tmp_path), 1, "not a run directory")


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from bowerbird.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("command", ["train", "eval"])
def test_without_torch_it_says_what_to_install(recipe: Path, tmp_path: Path, command: str) -> None:
    arguments = ["train", str(recipe), "--runs", str(tmp_path)] if command == "train" else ["eval", "--model", "x"]
    result = subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *arguments], capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("error: this command needs the extra 'train': pip install 'bowerbird[train]'")


def test_an_evaluation_of_a_model(tmp_path: Path, session: ModuleType) -> None:
    def play(run: Path | None, config: Any, watcher: Any) -> object:
        assert (run, config.model.name, config.tasks.heldout) == (None, "some/model", 12)
        return evaluation(0, [("plain", 0.25), ("fixed", 0.5), ("own", 0.75)])

    session.evaluate_run = play  # type: ignore[attr-defined]
    out = tmp_path / "report.json"
    result = bowerbird("eval", "--model", "some/model", "--set", "tasks.heldout=12", "--out", out)
    assert result.exit_code == 0, result.output
    assert "own after - plain after  +50.0" in result.stdout
    assert [arm.name for arm in load_report(out).arms] == ["plain", "fixed", "own"]


def test_an_evaluation_of_a_run(tmp_path: Path, session: ModuleType, recipe: Path) -> None:
    run = make_run(tmp_path / "old")
    seen: list[Any] = []

    def play(*given: object) -> object:
        seen.append(given)
        return evaluation(4, [("own", 0.75)])

    session.evaluate_run = play  # type: ignore[attr-defined]
    assert bowerbird("eval", run).exit_code == 0
    assert bowerbird("eval", run, "--config", recipe, "--set", "seed=3").exit_code == 0
    assert [(given[0], given[1].name, given[1].seed) for given in seen] == [(run, "old", 0), (run, "small", 3)]


def test_an_evaluation_of_nothing_or_two_things_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "old")
    refused(bowerbird("eval"), 2, "name a run directory, or a model with --model")
    refused(bowerbird("eval", run, "--model", "x"), 2, "not both")
    refused(bowerbird("eval", tmp_path), 1, "not a run directory")
    refused(bowerbird("eval", run, "--out", tmp_path / "no" / "where.json"), 2, "there is no folder")
    refused(bowerbird("eval", "--model", "x", "--set", "model.nam=3"), 2, "error: --set: model.nam: unknown key")
