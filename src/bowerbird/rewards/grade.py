"""The boundary of this room: a finished rollout goes in, data comes out, whatever the machinery did."""

from dataclasses import dataclass, replace

from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge import Judge
from bowerbird.rewards.monitor import RULES, Rule, inspect
from bowerbird.rewards.oracle import Verifier
from bowerbird.rewards.verdict import JUDGE_OUTAGE, decide
from bowerbird.types import Flag, InfraError, Outcome, Rollout, Scaffold, TaskView, Verdict, Verification, VerifierSpec


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded rollout."""

    verdict: Verdict
    verification: Verification | None
    evidence: Evidence | None = None  # for the judge; None where the machinery failed


def grade(
    task: TaskView,
    spec: VerifierSpec,
    scaffold: Scaffold,
    rollout: Rollout,
    verifier: Verifier,
    *,
    null_reward: float | None = None,
    rules: tuple[Rule, ...] = RULES,
) -> Graded:
    """Verify, inspect, decide. An InfraError of any of them becomes the outcome `infra_error`.

    `spec` and `rollout` belong to `task`; mixing them up is a bug of the caller and raises ValueError.
    """
    if not task.task_id == spec.task_id == rollout.task_id:
        raise ValueError(f"three tasks at once: {task.task_id}, {spec.task_id}, {rollout.task_id}")
    verification: Verification | None = None
    try:
        if rollout.infra_error is None:
            verification = verifier.verify(spec, rollout.submission)
        evidence = Evidence(task, scaffold, rollout, verification, null_reward)
        verdict = decide(rollout, verification, inspect(evidence, rules))
    except InfraError as error:
        failed = replace(rollout, infra_error=f"{type(error).__name__}: {error}")
        return Graded(decide(failed, None, ()), None)
    return Graded(verdict, verification, evidence if rollout.infra_error is None else None)


def advise(graded: Graded, judge: Judge, *, veto: bool) -> Graded:
    """Ask the judge about a rollout that earned something; it may only take that away.

    A rollout that is hacked, lost or worth 0 has nothing to lose and is not shown to it. With `veto` False the opinion
    is kept and decides nothing. A judge that cannot answer makes the outcome `infra_error` where it has a veto, and is
    noted where it has none.
    """
    verdict = graded.verdict
    if graded.evidence is None or verdict.outcome is not Outcome.VALID or verdict.reward == 0.0:
        return graded
    try:
        opinion = judge.judge(graded.evidence)
    except InfraError as error:
        noted = replace(verdict, error=f"{type(error).__name__}: {error}")
        lost = replace(noted, outcome=Outcome.INFRA_ERROR, reward=0.0, failure=JUDGE_OUTAGE)
        return replace(graded, verdict=lost if veto else noted)
    if veto and opinion.veto and not opinion.void:
        flag = Flag("judge", opinion.reason, "; ".join(opinion.quotes))
        verdict = replace(verdict, outcome=Outcome.HACKED, reward=0.0, failure="hacked", flags=(flag,))
    return replace(graded, verdict=replace(verdict, opinion=opinion))
