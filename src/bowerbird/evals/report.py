"""Results of an evaluation: arms side by side, with intervals, as records, JSON and a table."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bowerbird.evals.stats import Estimate, clustered_mean, paired_difference, pass_all, pass_at
from bowerbird.orchestrator.files import write_atomically


@dataclass(frozen=True, slots=True)
class Trial:
    """One rollout of one arm on one held-out task. A rollout the machinery lost is no trial."""

    task_id: str
    category: str
    reward: float
    tokens: int  # sampled and forced, the scaffold's own included
    outcome: str
    failure: str | None
    card: str = ""
    patch: str = ""  # what became of a task's workspace, as git takes it
    read: int = 0  # tokens of the prompts of all calls, the proposal's included, as an endpoint would count them


@dataclass(frozen=True, slots=True)
class ArmResult:
    """One arm: `solved` is the mean reward with a 95% interval clustered by task."""

    name: str
    solved: Estimate
    tokens: float  # mean per rollout
    trials: tuple[Trial, ...]
    lost: int = 0  # rollouts that the machinery lost: they are no trials


@dataclass(frozen=True, slots=True)
class EvalReport:
    """All arms under one policy version, on the same tasks and the same token budget."""

    version: int
    token_budget: int
    tasks: int
    arms: tuple[ArmResult, ...]
    trust: Mapping[str, str] = field(default_factory=dict)  # kind of verifier that graded -> how far it can be trusted

    def arm(self, name: str) -> ArmResult:
        return next(a for a in self.arms if a.name == name)


def arm_result(name: str, trials: Sequence[Trial], lost: int = 0) -> ArmResult:
    values = [t.reward for t in trials]
    tokens = sum(t.tokens for t in trials) / max(len(trials), 1)
    return ArmResult(name, clustered_mean(values, [t.task_id for t in trials]), tokens, tuple(trials), lost)


def difference(a: ArmResult, b: ArmResult) -> Estimate:
    """Mean of a minus b over the tasks both tried, with its 95% interval: tasks are paired."""
    return paired_difference(_by_task(a), _by_task(b))


def passing(arm: ArmResult, k: int) -> tuple[Estimate, Estimate]:
    """pass@k and pass^k, each with its interval over the tasks that have k samples or more. Solved is a reward of 1."""
    counts: dict[str, list[int]] = {}
    for trial in arm.trials:
        found = counts.setdefault(trial.task_id, [0, 0])
        found[0] += 1
        found[1] += trial.reward == 1.0
    enough = {task: (n, c) for task, (n, c) in counts.items() if n >= k}
    once, always = ([f(n, c, k) for n, c in enough.values()] for f in (pass_at, pass_all))
    return clustered_mean(once, list(enough)), clustered_mean(always, list(enough))


def samples_of(arm: ArmResult) -> int:
    """Samples of the task that has the fewest."""
    return min(Counter(trial.task_id for trial in arm.trials).values(), default=0)


def tokens_per_solved(arm: ArmResult) -> tuple[float, float]:
    """All tokens over solved trials, read and written: what one solution cost; infinite where nothing was solved."""
    solved = sum(trial.reward == 1.0 for trial in arm.trials)
    read, written = sum(trial.read for trial in arm.trials), sum(trial.tokens for trial in arm.trials)
    return (read / solved, written / solved) if solved else (math.inf, math.inf)


def _by_task(arm: ArmResult) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for trial in arm.trials:
        found.setdefault(trial.task_id, []).append(trial.reward)
    return {task: sum(values) / len(values) for task, values in found.items()}


def save_report(report: EvalReport, path: Path) -> None:
    write_atomically(path, json.dumps(asdict(report), indent=1) + "\n")


def load_report(path: Path) -> EvalReport:
    raw: dict[str, Any] = json.loads(path.read_text())
    arms = tuple(_arm(a) for a in raw["arms"])
    return EvalReport(raw["version"], raw["token_budget"], raw["tasks"], arms, raw.get("trust", {}))


def _arm(raw: dict[str, Any]) -> ArmResult:
    trials = tuple(Trial(**t) for t in raw["trials"])
    return ArmResult(raw["name"], Estimate(**raw["solved"]), raw["tokens"], trials, raw.get("lost", 0))
