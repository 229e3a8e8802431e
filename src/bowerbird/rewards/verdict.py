"""From what was measured and what was objected to, to one outcome per rollout and one return per scaffold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bowerbird.types import Flag, InfraError, Outcome, Rollout, Scaffold, Verdict, Verification

JUDGE_OUTAGE = "judge_outage"  # the failure of a rollout that earned something and that nobody could judge


@dataclass(frozen=True, slots=True)
class ScaffoldReturn:
    """What a scaffold earned. `value` is meaningless, and 0, unless the outcome is valid."""

    scaffold_id: str
    outcome: Outcome
    value: float


def checked_reward(reward: object) -> float:
    """`reward` if it is a finite float in [0, 1].

    Raises TypeError for anything but a float (a bool too: True is a pass only by accident), and InfraError for a
    float out of range, NaN included: the grader is broken, and that is never the model's failure.
    """
    if not isinstance(reward, float):
        raise TypeError(f"a reward is a float in [0, 1]; the verifier gave {type(reward).__name__} {reward!r}")
    if not math.isfinite(reward) or not 0.0 <= reward <= 1.0:
        raise InfraError(f"a reward is a finite float in [0, 1]; the verifier gave {reward!r}")
    return reward


def decide(rollout: Rollout, verification: Verification | None, flags: Sequence[Flag]) -> Verdict:
    """The outcome of one rollout: a failure of the machinery beats an objection, and an objection beats the reward.

    `verification` may be None only where it does not count: the machinery failed, or there is a flag.
    Raises what `checked_reward` raises, and ValueError for an unflagged rollout that nobody verified.
    """
    facts = rollout.facts if verification is None else rollout.facts | verification.facts
    watchers = facts.watchers
    if rollout.infra_error is not None:
        return Verdict(
            rollout.rollout_id,
            Outcome.INFRA_ERROR,
            0.0,
            "infra_error",
            tuple(flags),
            watchers=watchers,
            error=rollout.infra_error,
        )
    if flags:
        return Verdict(rollout.rollout_id, Outcome.HACKED, 0.0, "hacked", tuple(flags), watchers=watchers)
    if verification is None:
        raise ValueError(f"rollout {rollout.rollout_id} was neither verified nor flagged")
    reward = checked_reward(verification.reward)
    failure = verification.failure
    if failure == "no_code" and rollout.failure is not None:
        failure = rollout.failure  # why there is no code says more than that there is none
    return Verdict(rollout.rollout_id, Outcome.VALID, reward, failure, watchers=watchers)


def scaffold_return(
    scaffold: Scaffold, verdicts: Sequence[Verdict], tokens: int, price_per_token: float
) -> ScaffoldReturn:
    """Mean reward of the scaffold's valid rollouts, less `price_per_token * tokens`.

    An invalid scaffold has no rollouts and returns 0, which counts. It is `hacked` if it is itself the attack or if
    no rollout is valid and some are hacked. It is `infra_error` if the machinery failed for every one, or if the judge
    was out for any: only rollouts that earned something are shown to it, so the mean of the rest would be too low.
    Neither takes part in the advantages.
    """
    if scaffold.invalid is not None:
        if verdicts:
            raise ValueError(f"scaffold {scaffold.scaffold_id} is invalid and yet has {len(verdicts)} rollouts")
        return ScaffoldReturn(scaffold.scaffold_id, Outcome.VALID, 0.0)
    if any(flag.of_scaffold for verdict in verdicts for flag in verdict.flags):
        return ScaffoldReturn(scaffold.scaffold_id, Outcome.HACKED, 0.0)
    if any(verdict.failure == JUDGE_OUTAGE for verdict in verdicts):
        return ScaffoldReturn(scaffold.scaffold_id, Outcome.INFRA_ERROR, 0.0)
    rewards = [verdict.reward for verdict in verdicts if verdict.outcome is Outcome.VALID]
    if rewards:
        # never below 0, what an invalid scaffold returns: failing honestly must not cost more than abstaining
        value = max(math.fsum(rewards) / len(rewards) - price_per_token * tokens, 0.0)
        return ScaffoldReturn(scaffold.scaffold_id, Outcome.VALID, value)
    hacked = any(verdict.outcome is Outcome.HACKED for verdict in verdicts)
    return ScaffoldReturn(scaffold.scaffold_id, Outcome.HACKED if hacked else Outcome.INFRA_ERROR, 0.0)
