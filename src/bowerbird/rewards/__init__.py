"""Grading of finished records: verifier, monitor, verdict."""

from bowerbird.rewards.grade import Graded, grade
from bowerbird.rewards.monitor import RULES, Evidence, Rule, inspect
from bowerbird.rewards.oracle import OracleVerifier, Verifier
from bowerbird.rewards.verdict import ScaffoldReturn, decide, scaffold_return

__all__ = [
    "RULES",
    "Evidence",
    "Graded",
    "OracleVerifier",
    "Rule",
    "ScaffoldReturn",
    "Verifier",
    "decide",
    "grade",
    "inspect",
    "scaffold_return",
]
