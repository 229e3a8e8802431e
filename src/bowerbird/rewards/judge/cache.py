"""Opinions already given, by a hash of all that they depend on: in a SQLite file, or in memory."""

import json
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bowerbird.types import Opinion, RunError


class OpinionCache:
    """Safe to share among threads, and among processes that use the same file."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises RunError when the file cannot be used."""
        self._lock = threading.Lock()
        self._path = path
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=30.0
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS opinions (key TEXT PRIMARY KEY, opinion TEXT NOT NULL)")
        except sqlite3.Error as error:
            raise RunError(f"cannot keep the judge's opinions in {path}: {error}") from error

    def get(self, key: str) -> Opinion | None:
        with self._lock:
            row = self._execute("SELECT opinion FROM opinions WHERE key = ?", (key,))
        return None if row is None else read_opinion(json.loads(row[0]))

    def put(self, key: str, opinion: Opinion) -> None:
        """Keep an opinion. The first one stays if there is one already."""
        text = json.dumps(write_opinion(opinion))
        with self._lock:
            self._execute("INSERT OR IGNORE INTO opinions VALUES (?, ?)", (key, text))

    def __len__(self) -> int:
        with self._lock:
            (count,) = self._execute("SELECT count(*) FROM opinions", ())
        return int(count)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _execute(self, statement: str, values: tuple[str, ...]) -> Any:
        try:
            return self._db.execute(statement, values).fetchone()
        except sqlite3.Error as error:
            raise RunError(f"cannot keep the judge's opinions in {self._path}: {error}") from error


def write_opinion(opinion: Opinion) -> dict[str, Any]:
    """An opinion as JSON."""
    return {
        "veto": opinion.veto,
        "reason": opinion.reason,
        "quotes": list(opinion.quotes),
        "model_hash": opinion.model_hash,
        "prompt_hash": opinion.prompt_hash,
        "settings": dict(opinion.settings),
        "void": opinion.void,
    }


def read_opinion(raw: Mapping[str, Any]) -> Opinion:
    """The reverse of `write_opinion`."""
    return Opinion(**{**raw, "quotes": tuple(raw["quotes"])})
