"""The one boundary of this room: a finished rollout goes in, data comes out, whatever the machinery did."""

from dataclasses import dataclass, replace

from bowerbird.rewards.monitor import RULES, Evidence, Rule, inspect
from bowerbird.rewards.oracle import Verifier
from bowerbird.rewards.verdict import decide
from bowerbird.types import InfraError, Rollout, Scaffold, TaskView, Verdict, Verification, VerifierSpec


@dataclass(frozen=True, slots=True)
class Graded:
    """One graded rollout. `error` says what the machinery did, exactly where the outcome is `infra_error`."""

    verdict: Verdict
    verification: Verification | None
    error: str | None = None


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
        return Graded(decide(failed, None, ()), None, failed.infra_error)
    return Graded(verdict, verification, rollout.infra_error)
