"""The books of an asynchronous run: which groups were drawn, which were accepted, and which step trains them.

A group is a task of a wave, with its scaffolds and rollouts. It is accepted when it is graded and stored, whole; it
gets its step in the transaction before the learner sees it. So after a kill at any moment each accepted group is either
waiting or belongs to one step, and a step that has to be learned again is learned from the very same groups.
"""

import json
import sqlite3
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from bowerbird.orchestrator.credit import Credited
from bowerbird.types import Executable

SCHEMA = """
CREATE TABLE IF NOT EXISTS waves (wave INTEGER PRIMARY KEY, tasks TEXT);
CREATE TABLE IF NOT EXISTS groups (wave INTEGER, place INTEGER, step INTEGER, body BLOB, PRIMARY KEY (wave, place));
CREATE TABLE IF NOT EXISTS rates (id INTEGER PRIMARY KEY CHECK (id = 0), state TEXT);
"""
_MANY = TypeAdapter(tuple[Credited, ...])


@dataclass(frozen=True, slots=True)
class Group:
    """An accepted group."""

    wave: int
    place: int
    credited: tuple[Credited, ...]


class Ledger:
    """The books, in the run's database. `transaction` raises RunError when the disk is full."""

    def __init__(self, db: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._db, self._transaction = db, transaction
        db.executescript(SCHEMA)

    def draw(self, wave: int, tasks: Sequence[str], rates: Mapping[str, float]) -> None:
        """Wave `wave` consists of these tasks. `rates` is the curriculum's state after the draw."""
        with self._transaction():
            self._db.execute("INSERT INTO waves VALUES (?, ?)", (wave, json.dumps(list(tasks))))
            self._keep_rates(rates)

    def accept(self, group: Group) -> None:
        with self._transaction():
            self._db.execute(
                "INSERT INTO groups VALUES (?, ?, NULL, ?)", (group.wave, group.place, _packed(group.credited))
            )

    def assign(self, step: int, groups: Sequence[Group], rates: Mapping[str, float]) -> None:
        """These groups are what `step` learns from."""
        with self._transaction():
            for group in groups:
                self._db.execute(
                    "UPDATE groups SET step = ? WHERE wave = ? AND place = ? AND step IS NULL",
                    (step, group.wave, group.place),
                )
            self._keep_rates(rates)

    def forget_bodies(self, step: int) -> None:
        """Steps up to `step` are in a checkpoint: what they learned from is in the transcripts."""
        with self._transaction():
            self._db.execute("UPDATE groups SET body = NULL WHERE step <= ? AND body IS NOT NULL", (step,))

    def waves(self) -> dict[int, list[str]]:
        """Task ids by wave, in the order drawn."""
        return {wave: json.loads(tasks) for wave, tasks in self._db.execute("SELECT * FROM waves ORDER BY wave")}

    def accepted(self) -> set[tuple[int, int]]:
        """Wave and place of every accepted group."""
        return set(self._db.execute("SELECT wave, place FROM groups"))

    def waiting(self) -> list[Group]:
        """Accepted groups that no step has taken, in the order accepted."""
        return self._read("step IS NULL ORDER BY rowid")

    def steps_after(self, step: int) -> dict[int, list[Group]]:
        """What the steps after `step` were given, as far as that was decided."""
        rows = self._db.execute("SELECT DISTINCT step FROM groups WHERE step > ? ORDER BY step", (step,)).fetchall()
        return {number: self._read("step = ? ORDER BY wave, place", number) for (number,) in rows}

    def rates(self) -> dict[str, float]:
        """The curriculum's newest state; empty before the first wave."""
        row = self._db.execute("SELECT state FROM rates").fetchone()
        return {} if row is None else dict(json.loads(row[0]))

    def _read(self, where: str, *values: int) -> list[Group]:
        rows = self._db.execute(f"SELECT wave, place, body FROM groups WHERE {where}", values)
        return [Group(wave, place, _unpacked(body)) for wave, place, body in rows]

    def _keep_rates(self, rates: Mapping[str, float]) -> None:
        self._db.execute("INSERT OR REPLACE INTO rates VALUES (0, ?)", (json.dumps(dict(rates)),))


def _packed(credited: Sequence[Credited]) -> bytes:
    plain: list[Any] = [asdict(item) for item in credited]
    for item in plain:
        for rollout in item["trial"]["rollouts"]:
            rollout["submission"] = {path: _text(data) for path, data in rollout["submission"].items()}
    return zlib.compress(json.dumps(plain).encode(), 1)


def _unpacked(body: bytes) -> tuple[Credited, ...]:
    plain = json.loads(zlib.decompress(body))
    for item in plain:
        for rollout in item["trial"]["rollouts"]:
            rollout["submission"] = {path: _data(text) for path, text in rollout["submission"].items()}
    return _MANY.validate_python(plain)


def _text(data: bytes) -> str | list[str]:
    """In a list where it may be executed."""
    text = b64encode(data).decode()
    return [text] if isinstance(data, Executable) else text


def _data(text: str | list[str]) -> bytes:
    return Executable(b64decode(text[0])) if isinstance(text, list) else b64decode(text)
