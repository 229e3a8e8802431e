"""What any sandbox must hold, as checks that anyone can run against any back end.

results = run_conformance(open_sandbox())
assert all(result.passed for result in results)
"""

from bowerbird.sandbox.conformance import apart, files, leaks, limits, network, processes, submissions, watching
from bowerbird.sandbox.conformance.check import (
    AREAS,
    Check,
    CheckResult,
    Skipped,
    Violation,
    run_check,
    run_conformance,
)

checks: list[Check] = [
    *files.CHECKS,
    *network.CHECKS,
    *processes.CHECKS,
    *limits.CHECKS,
    *leaks.CHECKS,
    *submissions.CHECKS,
    *apart.CHECKS,
    *watching.CHECKS,
]

__all__ = ["AREAS", "Check", "CheckResult", "Skipped", "Violation", "checks", "run_check", "run_conformance"]
