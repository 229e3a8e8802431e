"""Credit for both stages: returns to advantages to training samples. Pure functions on finished records."""

from collections.abc import Sequence
from dataclasses import dataclass

from bowerbird.algo.advantages import group_advantages
from bowerbird.rewards.verdict import ScaffoldReturn
from bowerbird.types import Advantage, Outcome, Rollout, Scaffold, Stage, TrainingSample, Verdict


@dataclass(frozen=True, slots=True)
class Trial:
    """One scaffold with its rollouts, all graded."""

    scaffold: Scaffold
    rollouts: tuple[Rollout, ...]
    verdicts: tuple[Verdict, ...]  # one for each rollout
    result: ScaffoldReturn
    elsewhere: float | None = None  # its reward on a sibling task, where that was tried


@dataclass(frozen=True, slots=True)
class Credited:
    """A trial with its advantages; None where a member takes no part in the update."""

    trial: Trial
    advantage: Advantage
    rollout_advantages: tuple[Advantage, ...]


def credit(task: Sequence[Trial]) -> list[Credited]:
    """Scaffold advantages compare the proposals of one task, rollout advantages the rollouts of one scaffold.

    Under a scaffold that takes no part no rollout does.
    """
    values = group_advantages([t.result.value for t in task], [t.result.outcome for t in task])
    found = []
    for trial, value in zip(task, values, strict=True):
        inner: list[float | None] = [None] * len(trial.verdicts)
        if trial.result.outcome is Outcome.VALID:
            inner = group_advantages([v.reward for v in trial.verdicts], [v.outcome for v in trial.verdicts])
        found.append(
            Credited(
                trial,
                Advantage(trial.scaffold.scaffold_id, Stage.SCAFFOLD, value),
                tuple(
                    Advantage(rollout.rollout_id, Stage.SOLVE, a)
                    for rollout, a in zip(trial.rollouts, inner, strict=True)
                ),
            )
        )
    return found


def samples(credited: Sequence[Credited], scaffold_weight: float = 1.0) -> list[TrainingSample]:
    """Every call of every member that takes part, those with advantage 0 included: their tokens count.

    The loss is linear in the advantage's size, so a scaffold's advantage times `scaffold_weight` weighs its tokens.
    """
    found = []
    for item in credited:
        completion = item.trial.scaffold.completion
        if completion is not None and completion.token_ids and item.advantage.value is not None:
            found.append(TrainingSample(completion, scaffold_weight * item.advantage.value, Stage.SCAFFOLD))
        for rollout, advantage in zip(item.trial.rollouts, item.rollout_advantages, strict=True):
            if advantage.value is not None:
                found += [
                    TrainingSample(call, advantage.value, Stage.SOLVE) for call in rollout.calls if call.token_ids
                ]
    return found


def signal(credited: Sequence[Credited]) -> float:
    """Share of the groups (one a task, one a scaffold with rollouts) that have any advantage."""
    groups = [[c.advantage for c in credited]]
    groups += [list(c.rollout_advantages) for c in credited if c.rollout_advantages]
    return sum(any(a.value for a in group) for group in groups) / len(groups)
