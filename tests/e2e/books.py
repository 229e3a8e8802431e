"""What must hold of an asynchronous run's directory at any moment, whatever was killed."""

import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from safetensors import safe_open

Group = tuple[int, int]  # wave and place


def groups(run: Path) -> dict[Group, int | None]:
    """The accepted groups, each with the step that trains it; None while it waits."""
    with closing(sqlite3.connect(f"file:{run / 'run.db'}?mode=ro", uri=True)) as db:
        return {(wave, place): step for wave, place, step in db.execute("SELECT wave, place, step FROM groups")}


def steps_kept(run: Path) -> list[int]:
    """A last line that a kill has cut off is none."""
    metrics = run / "metrics.jsonl"
    text = metrics.read_text() if metrics.exists() else ""
    return [json.loads(line)["step"] for line in text.split("\n")[:-1]]


def check_balanced(run: Path, batch: int) -> None:
    """Steps are whole and without a gap, each kept step has trained just the groups it was given, none twice,
    versions are true, and whatever has the marker of a complete version or checkpoint is one."""
    found = groups(run)
    taken = Counter(step for step in found.values() if step is not None)
    assert taken == dict.fromkeys(range(1, len(taken) + 1), batch)
    kept = steps_kept(run)
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) <= len(taken)
    for step in kept:
        given = {group for group, trained in found.items() if trained == step}
        assert trained_in(run, step) <= given
    check_versions(run)
    for folder in [*(run / "versions").glob("[0-9]*"), *(run / "checkpoints").glob("[0-9]*")]:
        assert (folder / "COMPLETE").is_file()
        with safe_open(folder / "model.safetensors", framework="pt") as tensors:
            assert len(list(tensors.keys())) > 0


def check_versions(run: Path) -> None:
    """Each token of each stored rollout is of a version that was published before its step; versions never go back,
    within a call or from one round of a rollout to the next."""
    with closing(sqlite3.connect(f"file:{run / 'run.db'}?mode=ro", uri=True)) as db:
        published = {0} | {number for (number,) in db.execute("SELECT number FROM versions")}
    for step in steps_kept(run):
        for line in (run / "rollouts" / f"{step}.jsonl").read_text().splitlines():
            record = json.loads(line)
            for call in record["calls"]:
                assert call["versions"] == sorted(call["versions"])
                assert set(call["versions"]) <= {number for number in published if number < step}
            newest = 0
            for calls in rounds(record):
                versions = [version for call in calls for version in call["versions"]]
                assert all(version >= newest for version in versions)
                newest = max(versions, default=newest)


def rounds(record: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The calls of a card's rollout that were made together, in order."""
    left = list(record["calls"])
    for event in record.get("log", []):
        if event["event"] == "answers":
            yield left[: event["count"]]
            del left[: event["count"]]


def trained_in(run: Path, step: int) -> set[Group]:
    """The groups whose rollouts are in a step's transcripts."""
    lines = (run / "rollouts" / f"{step}.jsonl").read_text().splitlines()
    names = [json.loads(line)["id"].split("-") for line in lines]
    return {(int(name[0]), int(name[1])) for name in names}


def kill_role(run_pid: int, role: str) -> bool:
    """SIGKILL one process of a run: `whole`, `learner`, `sampler` or `bwrap` (a sandbox). False where there is none."""
    victims = [run_pid] if role == "whole" else [pid for pid in children(run_pid) if name_of(pid) == role]
    for pid in victims[:1]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
    return bool(victims)


def children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
