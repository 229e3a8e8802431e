"""What a run says while it works: events for whoever watches. A watcher only looks; it cannot change the run."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class StepReport:
    """One finished step, and one row of `metrics.jsonl`. Rates are shares in [0, 1], times are seconds."""

    step: int  # counted from 1
    version: int  # the policy version that the step published
    reward: float  # stage 2: mean reward of the valid rollouts
    scaffold_return: float  # stage 1: mean return of the scaffolds that count
    best_return: float  # mean over tasks of the best scaffold's return
    valid: int
    hacked: int
    infra_error: int
    scaffolds: int
    scaffolds_valid: int
    signal: float  # share of groups, of both kinds, with any variance
    tokens_sampled: int
    tokens_learned: int
    tokens_per_second: float  # sampled tokens per second of the whole step
    loss: float
    grad_norm: float
    ratio: float
    clip_fraction: float
    kl: float
    staleness_weight: float
    max_age: int
    seconds: float
    seconds_propose: float
    seconds_solve: float
    seconds_grade: float
    seconds_learn: float
    seconds_publish: float
    failures: Mapping[str, int] = field(default_factory=dict)  # class of failure -> rollouts
    flags: Mapping[str, int] = field(default_factory=dict)  # monitor rule -> rollouts
    choices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # card field -> value -> scaffolds
    audit: float | None = None  # mean reward by the tasks' own verifiers where the run trains on another
    opinions: Mapping[str, int] = field(default_factory=dict)  # veto, abstain, void or outage of the judge -> rollouts
    seconds_draw: float = 0.0  # choosing the tasks, probes included
    mean_age: float = 0.0  # updates between a token's version and the learner's, over the tokens learned from
    effective: float = 1.0  # effective sample size of the staleness weights over the tokens with a gradient
    mismatch: float | None = None  # mean |log-probability of learner - of sampler| where both have the same version
    transplant_drop: float | None = None  # mean return of scaffolds less their reward on a sibling task
    watchers: Sequence[str] = ()  # the mechanisms that watched sandboxed processes

    @property
    def flag_rate(self) -> float:
        """Share of the step's graded rollouts that were flagged."""
        graded = self.valid + self.hacked
        return self.hacked / graded if graded else 0.0

    def row(self) -> dict[str, Any]:
        return asdict(self)


class Watcher(Protocol):
    """Looks on. Every method is called from the run's own thread, `says` from any."""

    def says(self, text: str) -> None:
        """One line about set-up or the like."""
        ...

    def phase(self, name: str, done: int, total: int) -> None:
        """Inside a step or an evaluation: `done` of `total` pieces of phase `name`."""
        ...

    def stepped(self, report: StepReport, total_steps: int) -> None: ...


class Silent:
    """A watcher that ignores everything."""

    def says(self, text: str) -> None: ...

    def phase(self, name: str, done: int, total: int) -> None: ...

    def stepped(self, report: StepReport, total_steps: int) -> None: ...
