"""Admission: how many groups may be under way, so that what is trained next is not too old.

A group is one task with all its scaffolds and rollouts; `batch` groups make a learner step. With groups trained in the
order in which they were admitted, the one admitted under version v is trained before version v + max_age + 1 is
published: the oldest of its tokens has age max_age at most. Slow groups that finish out of order may be older. They are
not thrown away: the staleness weight of the loss decides what their old tokens still count.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Admission:
    """The capacity rule of AReaL (Fu et al. 2025, section 5.1), counted in groups."""

    batch: int  # groups a learner step
    max_age: int  # versions; 0: sampling waits for every update

    def capacity(self, version: int, accepted: int, running: int) -> int:
        """How many groups may be begun now; 0 or less: none.

        `version` is what the samplers have loaded, so a place is freed when weights land. `accepted` counts all groups
        that ever finished and count, trained or waiting; `running` those under way.
        """
        return (self.max_age + version + 1) * self.batch - accepted - running
