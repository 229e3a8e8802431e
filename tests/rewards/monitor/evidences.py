"""Evidence for the tests of this folder: an honest rollout, save for what a test changes."""

from typing import Any

from bowerbird.rewards import Evidence, inspect
from bowerbird.types import Facts, Verification
from tests.rewards.records import rollout, scaffold, task

FINE = Verification(1.0, None, 3, 3)


def evidence(**changes: Any) -> Evidence:
    fields: dict[str, Any] = {
        "task": task(),
        "scaffold": scaffold(),
        "rollout": rollout(),
        "verification": FINE,
        "null_reward": 0.0,
    }
    return Evidence(**(fields | changes))


def seen(*commands: str, **facts: Any) -> Evidence:
    """What the sandbox saw, and the commands that the model gave."""
    log = tuple({"event": "action", "by": "model", "command": command, "result": "exit 0"} for command in commands)
    return evidence(rollout=rollout(facts=Facts(watchers=("seccomp",), **facts), log=log))


def rules_of(found: Evidence) -> list[str]:
    return [flag.rule for flag in inspect(found)]
