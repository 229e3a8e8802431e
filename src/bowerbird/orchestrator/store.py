"""The run directory: what a run leaves, and all that it needs to go on.

config.toml   as resolved          metrics.jsonl   one row a step
run.db        records, SQLite      rollouts/N.jsonl   transcripts of step N with token ids
versions/N    weights              checkpoints/N      learner state
"""

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from bowerbird.config import Config, dump_config, load_config
from bowerbird.orchestrator.credit import Credited
from bowerbird.orchestrator.files import write_atomically
from bowerbird.orchestrator.ledger import Ledger
from bowerbird.orchestrator.progress import StepReport
from bowerbird.scaffold.archive import Entry
from bowerbird.types import (
    Completion,
    ConfigError,
    JsonValue,
    PolicyVersion,
    Rollout,
    RunError,
    Scaffold,
    TaskView,
    Verdict,
)

# Settings that say nothing about what a step does: a run may change them on its way.
LATER = ("steps", "checkpoint_every", "monitor.warn_above", "monitor.stop_above", "sampler.patience_s")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (task_id TEXT PRIMARY KEY, category TEXT, instruction TEXT, difficulty REAL);
CREATE TABLE IF NOT EXISTS scaffolds (
    scaffold_id TEXT PRIMARY KEY, step INTEGER, task_id TEXT, parent_id TEXT, tier TEXT, text TEXT, spec TEXT,
    invalid TEXT, version INTEGER, outcome TEXT, value REAL, advantage REAL, failure TEXT);
CREATE TABLE IF NOT EXISTS rollouts (
    rollout_id TEXT PRIMARY KEY, step INTEGER, scaffold_id TEXT, task_id TEXT, version INTEGER, tokens INTEGER,
    outcome TEXT, reward REAL, failure TEXT, infra_error TEXT, advantage REAL);
CREATE TABLE IF NOT EXISTS flags (rollout_id TEXT, step INTEGER, rule TEXT, reason TEXT, evidence TEXT);
CREATE TABLE IF NOT EXISTS versions (number INTEGER PRIMARY KEY, step INTEGER, path TEXT);
CREATE INDEX IF NOT EXISTS scaffolds_by_task ON scaffolds (task_id);
"""


class RunStore:
    """One run directory, open for writing by one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.versions, self.checkpoints = folder / "versions", folder / "checkpoints"
        self._lock = _lock(folder)
        try:
            self._db = sqlite3.connect(folder / "run.db", isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
            self.ledger = Ledger(self._db, self._transaction)
        except sqlite3.Error as error:
            raise RunError(f"cannot open {folder / 'run.db'}: {error}. Free some disk, then resume") from error

    @classmethod
    def create(cls, runs: Path, config: Config) -> "RunStore":
        """A new directory `runs`/NAME. Raises RunError where there already is one."""
        folder = runs / config.name
        if (folder / "config.toml").exists():
            raise RunError(
                f"{folder} already holds a run: go on with --resume {folder}, or choose another with --set name=..."
            )
        try:
            (folder / "rollouts").mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "config.toml", dump_config(config))
        except OSError as error:
            raise RunError(f"cannot write to {folder}: {error}") from error
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> tuple["RunStore", Config]:
        """An existing directory and its configuration. Raises RunError when it is none."""
        if not (folder / "config.toml").is_file():
            raise RunError(f"{folder} is not a run directory: it has no config.toml")
        return cls(folder), load_config(folder / "config.toml")

    def close(self) -> None:
        self._db.close()
        os.close(self._lock)

    # -- writing -----------------------------------------------------------------------------------

    def add_tasks(self, tasks: Iterable[TaskView]) -> None:
        with self._transaction():
            self._db.executemany(
                "INSERT OR IGNORE INTO tasks VALUES (?, ?, ?, ?)",
                [(t.task_id, t.category, t.instruction, t.difficulty) for t in tasks],
            )

    def add_version(self, version: PolicyVersion, step: int) -> None:
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", (version.number, step, version.path))

    def add_step(self, step: int, credited: Sequence[Credited]) -> None:
        """The step's records in one transaction, its transcripts in one file."""
        lines = [json.dumps(line) for item in credited for line in _transcripts(item)]
        write_atomically(self.folder / "rollouts" / f"{step}.jsonl", "\n".join(lines) + "\n")
        with self._transaction():
            for item in credited:
                self._add_trial(step, item)

    def add_transcripts(self, step: int, lines: Sequence[tuple[Mapping[str, JsonValue], Verdict | None]]) -> None:
        """Those of another run, in the form of `_transcripts`. Rollouts without a verdict are in the file alone."""
        text = "".join(json.dumps(line) + "\n" for line, _ in lines)
        write_atomically(self.folder / "rollouts" / f"{step}.jsonl", text)
        with self._transaction():
            for line, verdict in lines:
                if verdict is not None:
                    versions = [version for call in line["calls"] for version in call["versions"]]
                    ids = line["id"], step, line["scaffold_id"], line["task_id"], max(versions, default=0)
                    self._add_rollout(ids, len(versions), verdict, None)

    def _add_trial(self, step: int, item: Credited) -> None:
        scaffold, result = item.trial.scaffold, item.trial.result
        spec = json.dumps(scaffold.spec) if scaffold.spec is not None else None
        self._db.execute(
            "INSERT OR REPLACE INTO scaffolds VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                scaffold.scaffold_id,
                step,
                scaffold.task_id,
                scaffold.parent_id,
                scaffold.tier,
                scaffold.text,
                spec,
                scaffold.invalid,
                scaffold.version,
                result.outcome.value,
                result.value,
                item.advantage.value,
                commonest_failure(item),
            ),
        )
        rows = zip(item.trial.rollouts, item.trial.verdicts, item.rollout_advantages, strict=True)
        for rollout, verdict, advantage in rows:
            ids = rollout.rollout_id, step, rollout.scaffold_id, rollout.task_id, scaffold.version
            self._add_rollout(ids, sum(len(c.token_ids) for c in rollout.calls), verdict, advantage.value)

    def _add_rollout(
        self, ids: tuple[str, int, str, str, int], tokens: int, verdict: Verdict, advantage: float | None
    ) -> None:
        """`ids`: the rollout, its step, scaffold and task, and the version that sampled it."""
        row = (*ids, tokens, verdict.outcome.value, verdict.reward, verdict.failure, verdict.error, advantage)
        self._db.execute("INSERT OR REPLACE INTO rollouts VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)
        self._db.executemany(
            "INSERT INTO flags VALUES (?, ?, ?, ?, ?)",
            [(ids[0], ids[1], f.rule, f.reason, f.evidence) for f in verdict.flags],
        )

    def add_metrics(self, report: StepReport) -> None:
        path = self.folder / "metrics.jsonl"
        try:
            with path.open("a") as file:
                file.write(json.dumps(report.row()) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RunError(f"cannot write {path}: {error}. Free some disk, then resume") from error

    # -- resuming ----------------------------------------------------------------------------------

    def rewind(self, step: int) -> None:
        """Forget everything after `step`: those steps will be run again, exactly as they were."""
        with self._transaction():
            for table in ("scaffolds", "rollouts", "flags", "versions"):
                self._db.execute(f"DELETE FROM {table} WHERE step > ?", (step,))
        for file in (self.folder / "rollouts").glob("*.jsonl"):
            if int(file.stem) > step:
                file.unlink()
        kept = [json.dumps(row) for row in self.metrics() if row["step"] <= step]
        write_atomically(self.folder / "metrics.jsonl", "".join(line + "\n" for line in kept))

    def metrics(self) -> list[dict[str, int]]:
        """The rows so far; a last line that was cut off by a kill is left out."""
        path, rows = self.folder / "metrics.jsonl", []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows

    def archived(self) -> Iterator[Entry]:
        """Every scaffold that counted, oldest first, for the archive."""
        return _archived(self._db)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise RunError(f"cannot write {self.folder / 'run.db'}: {error}. Free some disk, then resume") from error


def commonest_failure(item: Credited) -> str | None:
    """The class of failure that most of a scaffold's rollouts ended with; its own where it is invalid."""
    if item.trial.scaffold.invalid is not None:
        return "invalid"
    counts = Counter(v.failure for v in item.trial.verdicts if v.failure is not None)
    return counts.most_common(1)[0][0] if counts else None


def _transcripts(item: Credited) -> Iterator[dict[str, object]]:
    scaffold = item.trial.scaffold
    if scaffold.completion is not None:
        yield {"stage": "scaffold", "id": scaffold.scaffold_id, "calls": [_call(scaffold.completion)]}
    for rollout, verdict in zip(item.trial.rollouts, item.trial.verdicts, strict=True):
        yield {"stage": "solve", "id": rollout.rollout_id, "verdict": asdict(verdict), **_rollout(rollout)}


def _rollout(rollout: Rollout) -> dict[str, object]:
    return {
        "task_id": rollout.task_id,
        "scaffold_id": rollout.scaffold_id,
        "log": list(rollout.log),
        "submission": {path: data.decode("utf-8", "replace") for path, data in rollout.submission.items()},
        "calls": [_call(call) for call in rollout.calls],
    }


def _call(call: Completion) -> dict[str, object]:
    return asdict(call)


def _archived(db: sqlite3.Connection) -> Iterator[Entry]:
    query = (
        "SELECT s.scaffold_id, s.task_id, s.tier, s.text, s.spec, s.parent_id, s.version, s.value, s.failure, "
        "t.category FROM scaffolds s JOIN tasks t USING (task_id) WHERE s.outcome = 'valid' AND s.invalid IS NULL "
        "ORDER BY s.step, s.rowid"
    )
    for row in db.execute(query):
        scaffold = Scaffold(row[0], row[1], row[2], row[3], json.loads(row[4]), None, row[5], None, row[6])
        yield Entry(scaffold, row[9], row[7], row[8])


def archived(folder: Path) -> list[Entry]:
    """The archive of the run in `folder`, which may be under way. Raises RunError."""
    with _reading(folder) as db:
        return list(_archived(db))


def trained_tasks(folder: Path) -> set[str]:
    """Ids of the tasks that the run in `folder` was trained on, as far as it says. Raises RunError."""
    with _reading(folder) as db:
        return {task_id for (task_id,) in db.execute("SELECT DISTINCT task_id FROM scaffolds")}


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"file:{folder / 'run.db'}?mode=ro", uri=True)) as db:
            yield db
    except sqlite3.Error as error:
        raise RunError(f"cannot read {folder / 'run.db'}: {error}") from error


def reconfigure(folder: Path, overrides: Sequence[str]) -> None:
    """Change settings of the run in `folder`, those in `LATER` alone.

    Raises ConfigError for any other key or a wrong value, RunError where there is no run or it is under way.
    """
    for item in overrides:
        if item.partition("=")[0].strip() not in LATER:
            raise ConfigError(f"{item!r}: a run that goes on can only change {', '.join(LATER)}")
    store, _ = RunStore.open(folder)
    try:
        path = folder / "config.toml"
        write_atomically(path, dump_config(load_config(path, list(overrides))))
    finally:
        store.close()


def _lock(folder: Path) -> int:
    """Hold the directory for this process; the kernel lets go when the process ends, however it does."""
    import fcntl

    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise RunError(f"{folder} is in use by another process") from error
    return handle
