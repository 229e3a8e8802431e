"""The deterministic monitor."""

from bowerbird.rewards.monitor.rule import Rule, objection
from bowerbird.rewards.monitor.rules import (
    HINTS,
    RULES,
    RuleRow,
    describe_rules,
    inspect,
    load_rules,
)

__all__ = [
    "HINTS",
    "RULES",
    "Rule",
    "RuleRow",
    "describe_rules",
    "inspect",
    "load_rules",
    "objection",
]
