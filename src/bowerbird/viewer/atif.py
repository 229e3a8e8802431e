"""The rollouts of a run as ATIF trajectories (`rollout.atif`)."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter

from bowerbird.rollout.atif import trajectory
from bowerbird.types import Completion, RunError
from bowerbird.viewer.run_folder import RunFolder

_CALLS = TypeAdapter(tuple[Completion, ...])


def trajectories(run: RunFolder, model: str, stage: str = "solve") -> Iterator[tuple[str, dict[str, Any]]]:
    """The rollouts of a run with their ids, in the order they were trained in. `stage` "scaffold" gives the proposals.

    Raises RunError for a transcript that cannot be read.
    """
    tasks = run.instructions()
    for file in sorted((run.path / "rollouts").glob("*.jsonl"), key=lambda path: int(path.stem)):
        for number, text in enumerate(file.read_text().splitlines(), start=1):
            try:
                line = json.loads(text)
                if line["stage"] == stage:
                    asked = tasks.get(line.get("task_id", ""), "") or line["id"]
                    found = trajectory(
                        line["id"], asked, _CALLS.validate_python(line["calls"]), line.get("log", ()), model
                    )
                    kept = ("stage", "task_id", "scaffold_id", "submission", "verdict", "log")
                    yield line["id"], found | {"extra": {"step": int(file.stem)} | {k: line.get(k) for k in kept}}
            except (ValueError, LookupError, TypeError) as error:
                raise RunError(f"{file}, line {number}: no transcript ({type(error).__name__} {error})") from error
