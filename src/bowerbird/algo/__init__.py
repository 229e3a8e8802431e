"""Advantages, staleness and the policy loss: pure arithmetic, no I/O. Only the loss loads torch, once asked for."""

from typing import TYPE_CHECKING

from bowerbird.algo.advantages import group_advantages
from bowerbird.algo.staleness import staleness_weight

if TYPE_CHECKING:
    from bowerbird.algo.loss import PolicyLoss, policy_loss
else:

    def __getattr__(name):
        if name in ("PolicyLoss", "policy_loss"):
            from bowerbird.algo import loss

            return getattr(loss, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["PolicyLoss", "group_advantages", "policy_loss", "staleness_weight"]
