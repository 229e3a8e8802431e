"""Run directories made up for tests, in the form that real runs leave."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from bowerbird.config import Config, dump_config
from bowerbird.evals.report import EvalReport, Trial, arm_result, save_report
from bowerbird.orchestrator.progress import StepReport
from bowerbird.orchestrator.store import _SCHEMA
from bowerbird.viewer.text import STEP_PHASES

CARD = {"decompose": "none", "candidates": 1, "select": "first", "tools": "none"}


def step_report(step: int = 1, **changes: Any) -> StepReport:
    """A report in which every number is different from every other."""
    base = StepReport(
        step=step, version=step, reward=0.41, scaffold_return=0.35, best_return=0.62, valid=45, hacked=2, infra_error=1,
        scaffolds=16, scaffolds_valid=15, signal=0.58, tokens_sampled=4100, tokens_learned=3900,
        tokens_per_second=141.6, loss=0.0123, grad_norm=0.77, ratio=1.01, clip_fraction=0.03, kl=0.001,
        staleness_weight=1.0, max_age=0, seconds=29.4, seconds_draw=3.1, seconds_propose=2.2, seconds_solve=13.3,
        seconds_grade=1.1, seconds_learn=11.5, seconds_publish=1.3,
        failures={"wrong_answer": 12, "exception": 3}, flags={"canary": 2},
        choices={"candidates": {"1": 10, "3": 5}, "select": {"first": 9, "vote": 6}, "tools": {"none": 15}},
    )  # fmt: skip
    return replace(base, **changes)


def rising_reports(steps: int, seed: int = 0) -> list[StepReport]:
    """A run that learns, with noise."""
    rng, found = Random(seed), []
    for step in range(1, steps + 1):
        share = step / steps
        wide = round(2 + 12 * share)
        hacked, infra = rng.randrange(3), rng.random() < 0.2
        seconds = [3 + rng.random(), 2 + rng.random(), 12 + 4 * rng.random(), 1.5, 9 + 2 * rng.random(), 1.2]
        found.append(
            step_report(
                step,
                reward=min(0.25 + 0.4 * share + rng.gauss(0, 0.06), 1.0),
                scaffold_return=min(0.2 + 0.42 * share + rng.gauss(0, 0.07), 1.0),
                best_return=min(0.4 + 0.45 * share + rng.gauss(0, 0.05), 1.0),
                hacked=hacked,
                infra_error=int(infra),
                valid=64 - hacked - int(infra),
                scaffolds_valid=16 if rng.random() < 0.8 else 15,
                tokens_per_second=130 + rng.gauss(0, 8),
                seconds=sum(seconds),
                **{f"seconds_{name}": value for name, value in zip(STEP_PHASES, seconds, strict=True)},
                choices={
                    "candidates": {"1": 16 - wide, "3": wide - 1, "4": 1},
                    "select": {"first": 15 - wide, "visible_pass": wide, "vote": 1},
                    "decompose": {"none": 8, "tests_first": 4, "localize_edit": 2, "stubs_then_fill": 2},
                    "tools": {"none": 16 - wide, "run": wide},
                },
            )
        )
    return found


def evaluation(version: int, solved: Sequence[tuple[str, float]], tasks: int = 96) -> EvalReport:
    """Arms of which the first share of the tasks is solved."""
    arms = []
    for name, share in solved:
        trials = [Trial(f"t{i}", "c", float(i < share * tasks), 100 + len(name), "valid", None) for i in range(tasks)]
        arms.append(arm_result(name, trials))
    return EvalReport(version, 256, tasks, tuple(arms))


def make_run(folder: Path, reports: Sequence[StepReport] = ()) -> Path:
    """A directory with a configuration and metrics, and nothing else."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(dump_config(Config(name=folder.name)))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(r.row()) + "\n" for r in reports))
    return folder


def add_evaluations(folder: Path) -> None:
    before = [("plain", 0.25), ("fixed", 0.375), ("own", 0.125)]
    after = [("plain", 0.375), ("fixed", 0.5), ("own", 0.625)]
    save_report(evaluation(0, before), folder / "eval-before.json")
    save_report(evaluation(16, after), folder / "eval-after.json")


def open_database(folder: Path) -> sqlite3.Connection:
    """run.db with the tables of a real run, empty, in the journal mode of a real run."""
    database = sqlite3.connect(folder / "run.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.executescript(_SCHEMA)
    return database


def add_scaffold(
    database: sqlite3.Connection,
    scaffold_id: str,
    *,
    step: int = 1,
    task_id: str = "katas/a",
    parent: str | None = None,
    value: float = 0.5,
    outcome: str = "valid",
    invalid: str | None = None,
    text: str = "",
    **fields: object,
) -> None:
    """One scaffold; `fields` are what its card has other than CARD."""
    spec = None if invalid is not None else json.dumps(CARD | fields)
    database.execute("INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, ?)", (task_id, "adding", "Add.", 0.5))
    database.execute(
        "INSERT INTO scaffolds VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (scaffold_id, step, task_id, parent, "card", text or spec, spec, invalid, step, outcome, value, 0.1, None),
    )


def add_rollout(
    database: sqlite3.Connection, rollout_id: str, scaffold_id: str, *, step: int = 1, outcome: str = "valid"
) -> None:
    database.execute(
        "INSERT INTO rollouts VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (rollout_id, step, scaffold_id, "katas/a", step, 120, outcome, 0.0, None, None, None),
    )


def add_flag(database: sqlite3.Connection, rollout_id: str, rule: str, evidence: str, step: int = 1) -> None:
    database.execute("INSERT INTO flags VALUES (?,?,?,?,?)", (rollout_id, step, rule, "it looked", evidence))
