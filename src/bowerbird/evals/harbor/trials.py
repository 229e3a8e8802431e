"""Runs trials for whoever started it, which lives in another Python: `python -m bowerbird.evals.harbor.trials`.

    stdin   one JSON object: at_once, and trials, each a TrialConfig of Harbor's
    stdout  a JSON line for each that ended: name, and error (null, or what the agent or the machinery raised)

The rest of what happens is in Harbor's own files, below each trial's `trials_dir`.
"""

import asyncio
import json
import os
import sys
from typing import Any

from harbor import Trial, TrialConfig


async def run_all(trials: list[dict[str, Any]], at_once: int, told: int) -> None:
    turn = asyncio.Semaphore(at_once)

    async def one(raw: dict[str, Any]) -> None:
        async with turn:
            error = await _outcome(TrialConfig.model_validate(raw))
        os.write(told, (json.dumps({"name": raw["trial_name"], "error": error}) + "\n").encode())

    await asyncio.gather(*map(one, trials))


async def _outcome(config: TrialConfig) -> str | None:
    """A trial that cannot even be made is one trial's failure, not everybody's."""
    try:
        found = (await (await Trial.create(config)).run()).exception_info
    except Exception as error:  # noqa: BLE001 - the boundary: an agent and an environment of anybody's making
        return f"{type(error).__name__}: {error}"
    return f"{found.exception_type}: {found.exception_message}" if found is not None else None


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    lines = os.dup(1)
    os.dup2(2, 1)  # whatever an agent prints is no line of ours
    asyncio.run(run_all(asked["trials"], asked["at_once"], lines))
