"""The deterministic monitor."""

from bowerbird.rewards.monitor.rules import RULES, Rule, inspect

__all__ = ["RULES", "Rule", "inspect"]
