"""What a judge is."""

from typing import Protocol

from bowerbird.rewards.evidence import Evidence
from bowerbird.types import Opinion


class Judge(Protocol):
    """Looks at one finished rollout. Safe to share among threads; calls may wait on an endpoint side by side."""

    def judge(self, evidence: Evidence) -> Opinion:
        """Veto or abstain. Raises InfraError when no usable answer could be had: that is no pass and no 0."""
        ...
