"""Advantages, staleness and the policy loss: pure arithmetic, no I/O."""

from bowerbird.algo.advantages import group_advantages
from bowerbird.algo.loss import PolicyLoss, policy_loss
from bowerbird.algo.staleness import staleness_weight

__all__ = ["PolicyLoss", "group_advantages", "policy_loss", "staleness_weight"]
