"""The boundary: what the machinery does becomes data, what we did wrong does not."""

from collections.abc import Mapping

import pytest

from bowerbird.rewards import grade
from bowerbird.types import Facts, InfraError, Outcome, SandboxError, Verification, VerifierSpec
from tests.rewards.records import rollout, scaffold, spec, task


class FixedVerifier:
    """Gives one answer, and counts how often it was asked."""

    def __init__(self, answer: Verification | Exception) -> None:
        self.answer = answer
        self.asked = 0

    def verify(self, spec: VerifierSpec, submission: Mapping[str, bytes]) -> Verification:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_passing_rollout() -> None:
    graded = grade(task(), spec(), scaffold(), rollout(), FixedVerifier(Verification(1.0, None, 3, 3)))
    assert (graded.verdict.outcome, graded.verdict.reward, graded.verdict.error) == (Outcome.VALID, 1.0, None)


@pytest.mark.parametrize("error", [SandboxError("lost"), InfraError("endpoint down")])
def test_failed_machinery_is_never_a_zero(error: InfraError) -> None:
    graded = grade(task(), spec(), scaffold(), rollout(), FixedVerifier(error))
    assert graded.verdict.outcome is Outcome.INFRA_ERROR
    assert graded.verification is None
    assert str(error) in str(graded.verdict.error)


def test_a_broken_grader_is_infra_error() -> None:
    graded = grade(task(), spec(), scaffold(), rollout(), FixedVerifier(Verification(float("nan"), None, 3, 3)))
    assert graded.verdict.outcome is Outcome.INFRA_ERROR


def test_a_lost_rollout_is_not_verified() -> None:
    verifier = FixedVerifier(Verification(1.0, None, 3, 3))
    graded = grade(task(), spec(), scaffold(), rollout(infra_error="sandbox lost"), verifier)
    assert (graded.verdict.outcome, graded.verdict.error, verifier.asked) == (Outcome.INFRA_ERROR, "sandbox lost", 0)


def test_other_errors_are_bugs_and_pass_through() -> None:
    with pytest.raises(ZeroDivisionError):
        grade(task(), spec(), scaffold(), rollout(), FixedVerifier(ZeroDivisionError()))


def test_what_the_verifier_saw_reaches_the_monitor() -> None:
    seen = Verification(1.0, None, 3, 3, Facts(withheld_reads=("/tests/hidden.py",)))
    graded = grade(task(), spec(), scaffold(), rollout(), FixedVerifier(seen))
    assert graded.verdict.outcome is Outcome.HACKED
    assert graded.verdict.reward == 0.0


def test_mixed_up_records_are_refused() -> None:
    with pytest.raises(ValueError, match="three tasks"):
        grade(task(), spec(task_id="other"), scaffold(), rollout(), FixedVerifier(Verification(1.0, None, 3, 3)))
