"""What a judge is."""

from typing import Protocol

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge.calibrated import Measured
from bowerbird.types import Opinion


class Judge(Protocol):
    """Looks at one finished rollout. Safe to share among threads; calls may wait on an endpoint side by side."""

    def judge(self, evidence: Evidence) -> Opinion:
        """Veto or abstain. Raises InfraError when no usable answer could be had: that is no pass and no 0."""
        ...


class OpenJudge(Judge, Measured, Protocol):
    """A judge that was opened for a run: it says which one it is, and is closed at the end."""

    def close(self) -> None: ...
