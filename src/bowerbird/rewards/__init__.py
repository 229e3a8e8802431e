"""Grading of finished records: verifier, monitor, verdict."""

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.grade import Graded, advise, grade
from bowerbird.rewards.judge import Judge
from bowerbird.rewards.monitor import RULES, Rule, inspect
from bowerbird.rewards.oracle import OracleVerifier, Verifier
from bowerbird.rewards.verdict import ScaffoldReturn, decide, scaffold_return

__all__ = [
    "RULES",
    "Evidence",
    "Graded",
    "Judge",
    "OracleVerifier",
    "Rule",
    "ScaffoldReturn",
    "Verifier",
    "advise",
    "decide",
    "grade",
    "inspect",
    "scaffold_return",
]
