"""The deterministic monitor."""

from bowerbird.rewards.monitor.rule import Rule, objection
from bowerbird.rewards.monitor.rules import (
    HINTS,
    RULES,
    inspect,
    load_rules,
)

__all__ = [
    "HINTS",
    "RULES",
    "Rule",
    "inspect",
    "load_rules",
    "objection",
]
