"""The deterministic monitor."""

from bowerbird.rewards.monitor.rule import Rule, objection
from bowerbird.rewards.monitor.rules import (
    HINTS,
    RULES,
    SCAFFOLD_RULES,
    RuleRow,
    describe_rules,
    inspect,
    inspect_scaffold,
    load_rules,
)

__all__ = [
    "HINTS",
    "RULES",
    "SCAFFOLD_RULES",
    "Rule",
    "RuleRow",
    "describe_rules",
    "inspect",
    "inspect_scaffold",
    "load_rules",
    "objection",
]
