"""A run directory as records, read-only: a run that is still going on is not disturbed."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bowerbird.evals.report import EvalReport, load_report
from bowerbird.orchestrator.progress import StepReport
from bowerbird.types import JsonValue, RunError

_REPORT_FIELDS = tuple(field.name for field in fields(StepReport))


@dataclass(frozen=True, slots=True)
class ScaffoldRow:
    """One scaffold of a run with what it earned."""

    scaffold_id: str
    step: int
    task_id: str
    category: str
    parent_id: str | None
    text: str
    invalid: str | None
    outcome: str
    value: float
    failure: str | None
    spec: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True)
class FlagRow:
    """One objection to one rollout."""

    step: int
    rollout_id: str
    scaffold_id: str
    task_id: str
    rule: str
    reason: str
    evidence: str


class RunFolder:
    """Raises RunError when `path` is no run directory, and from every method when what it reads is damaged."""

    def __init__(self, path: Path) -> None:
        if not (path / "config.toml").is_file():
            raise RunError(f"{path} is not a run directory: it has no config.toml")
        self.path = path

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def metrics(self) -> list[StepReport]:
        """One report a step, in order. A last line that a kill cut off is left out."""
        path = self.path / "metrics.jsonl"
        lines = _text(path).splitlines() if path.is_file() else []
        reports = []
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                reports.append(_report(row))
            except (ValueError, TypeError, KeyError) as error:
                if number == len(lines):
                    break
                raise RunError(f"{path}, line {number}: not a row of metrics ({error})") from error
        return reports

    def evaluation(self, when: str) -> EvalReport | None:
        """The evaluation "before" or "after", or None where there is none."""
        path = self.path / f"eval-{when}.json"
        if not path.is_file():
            return None
        try:
            return load_report(path)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunError(f"{path}: not an evaluation ({error}); remove it and evaluate again") from error

    def scaffolds(self) -> list[ScaffoldRow]:
        """Every scaffold, oldest first."""
        query = (
            "SELECT s.scaffold_id, s.step, s.task_id, coalesce(t.category, ''), s.parent_id, s.text, s.invalid, "
            "s.outcome, s.value, s.failure, s.spec "
            "FROM scaffolds s LEFT JOIN tasks t USING (task_id) ORDER BY s.step, s.rowid"
        )
        return [ScaffoldRow(*(*row[:-1], _spec(row[-1]))) for row in self._rows(query)]

    def flags(self) -> list[FlagRow]:
        """Every objection, oldest first."""
        query = (
            "SELECT r.step, f.rollout_id, r.scaffold_id, r.task_id, f.rule, f.reason, f.evidence "
            "FROM flags f JOIN rollouts r USING (rollout_id) ORDER BY r.step, f.rowid"
        )
        return [FlagRow(*row) for row in self._rows(query)]

    def instructions(self) -> dict[str, str]:
        """Task id -> its words."""
        return dict(self._rows("SELECT task_id, instruction FROM tasks"))

    def outcomes(self) -> dict[str, int]:
        """Outcome -> rollouts."""
        return dict(self._rows("SELECT outcome, count(*) FROM rollouts GROUP BY outcome ORDER BY outcome"))

    def _rows(self, query: str) -> list[Any]:
        path = self.path / "run.db"
        if not path.is_file():
            return []
        try:
            with _opened(path) as database:
                return database.execute(query).fetchall()
        except sqlite3.Error as error:
            raise RunError(f"cannot read {path}: {error}") from error


def _report(row: Mapping[str, Any]) -> StepReport:
    """A row may be older than the newest fields. Raises KeyError, TypeError."""
    known = {name: row[name] for name in _REPORT_FIELDS if name in row}
    return StepReport(**known | {"watchers": tuple(row.get("watchers", ()))})


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Read-only; on a file system that is itself read-only SQLite must be told that nobody writes."""
    uri = path.resolve().as_uri()
    database = sqlite3.connect(f"{uri}?mode=ro", uri=True)
    try:
        database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        database.close()
        database = sqlite3.connect(f"{uri}?mode=ro&immutable=1", uri=True)
    with closing(database):
        yield database


def _spec(text: str | None) -> Mapping[str, JsonValue] | None:
    if text is None:
        return None
    try:
        spec = json.loads(text)
    except ValueError as error:
        raise RunError(f"run.db holds a scaffold that is not JSON: {text[:80]!r}") from error
    return spec if isinstance(spec, dict) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error
