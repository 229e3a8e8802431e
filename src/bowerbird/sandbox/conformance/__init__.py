"""What any sandbox must hold, as checks that anyone can run against any back end.

results = run_conformance(open_sandbox())
assert all(result.passed for result in results)
"""

from bowerbird.sandbox.conformance import files, leaks, limits, network, processes, submissions
from bowerbird.sandbox.conformance.check import AREAS, Check, CheckResult, Violation, run_check, run_conformance

checks: list[Check] = [
    *files.CHECKS,
    *network.CHECKS,
    *processes.CHECKS,
    *limits.CHECKS,
    *leaks.CHECKS,
    *submissions.CHECKS,
]

__all__ = ["AREAS", "Check", "CheckResult", "Violation", "checks", "run_check", "run_conformance"]
