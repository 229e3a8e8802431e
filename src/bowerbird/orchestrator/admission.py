"""How many groups may be under way: the bound on age that needs nothing thrown away."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Admission:
    """The capacity rule (DESIGN.md calls the unit a rollout; here it is a task's group, which is trained as a whole).

    With at most `(max_age + 1) * batch` groups admitted and not yet trained, a group that none overtakes is trained at
    most `max_age` updates after it began. One that takes longer than others is older by then, and its tokens weigh less
    (w(d)); it is not thrown away. A place is freed when weights land, not when a batch is taken.
    """

    batch: int  # groups a step trains on
    max_age: int  # 0: sampling waits for every update, as in the synchronous loop

    def capacity(self, version: int, accepted: int, running: int) -> int:
        """Groups that may start now, at least 0.

        `version`: the newest policy version that samplers have. `accepted`: groups finished since version 0, trained or
        not. `running`: groups begun and not finished.
        """
        return max(0, (self.max_age + version + 1) * self.batch - accepted - running)
