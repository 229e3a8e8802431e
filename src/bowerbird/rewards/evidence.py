"""All that the monitor's rules and the judge may look at: finished records of one rollout."""

from collections.abc import Iterator
from dataclasses import dataclass

from bowerbird.sandbox.decoys import CANARY
from bowerbird.types import Facts, JsonValue, Rollout, Scaffold, TaskView, Verification


@dataclass(frozen=True, slots=True)
class Evidence:
    """One rollout with what was measured on it.

    `verification` is None where the submission was not graded. `null_reward` is what the scaffold earned when every
    model call returned nothing (None: not tested). `canaries` are strings that stand in withheld files only.
    """

    task: TaskView
    scaffold: Scaffold
    rollout: Rollout
    verification: Verification | None = None
    null_reward: float | None = None
    canaries: tuple[str, ...] = (CANARY,)

    @property
    def facts(self) -> Facts:
        """What was seen while solving and while verifying."""
        if self.verification is None:
            return self.rollout.facts
        return self.rollout.facts | self.verification.facts

    def log_texts(self) -> Iterator[tuple[str, str]]:
        """(where, text) for every string in the log, whoever wrote it."""
        for number, entry in enumerate(self.rollout.log):
            for key, text in strings_in(entry):
                yield f"log {number} {key}", text

    def commands(self, by: str | None = None) -> list[str]:
        """Commands that ran in the workspace, of the scaffold or of the model only where `by` says so."""
        found = []
        for entry in self.rollout.log:
            command = entry.get("command")
            if isinstance(command, str) and (by is None or entry.get("by") == by):
                found.append(command)
        return found


def strings_in(entry: JsonValue) -> Iterator[tuple[str, str]]:
    """(path of keys, text) of every string in a JSON value, without recursion: its depth is not ours."""
    waiting: list[tuple[str, JsonValue]] = [("", entry)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, dict):
            waiting += [(f"{key[:80]}.{name}" if key else str(name), item) for name, item in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(key, item) for item in value]
