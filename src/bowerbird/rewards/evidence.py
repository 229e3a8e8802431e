"""All that the monitor's rules and the judge may look at: finished records of one rollout."""

from dataclasses import dataclass

from bowerbird.sandbox.decoys import CANARY
from bowerbird.types import Rollout, Scaffold, TaskView, Verification


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
