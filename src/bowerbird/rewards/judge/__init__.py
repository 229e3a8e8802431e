"""The frozen judge: it may veto or abstain, never raise a reward."""

from bowerbird.rewards.judge.protocol import Judge

__all__ = ["Judge"]
