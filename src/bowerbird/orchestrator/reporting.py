"""One finished step as one row of metrics."""

from collections import Counter
from collections.abc import Sequence
from time import perf_counter

from bowerbird.orchestrator.credit import Credited, Trial, signal
from bowerbird.orchestrator.progress import StepReport
from bowerbird.rewards.verdict import JUDGE_OUTAGE
from bowerbird.trainer.learner import LearnerStats
from bowerbird.types import Opinion, Outcome, TrainingSample, Verdict

_PHASES = ("draw", "propose", "solve", "grade", "learn", "publish")
_MISMATCH, _CLIPPED, _EFFECTIVE = 0.05, 0.3, 0.5  # beyond these a step's numbers are doubtful


class Clock:
    """Seconds by phase."""

    def __init__(self) -> None:
        self._start = self._last = perf_counter()
        self.laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.laps[name] = now - self._last
        self._last = now

    @property
    def total(self) -> float:
        return self._last - self._start


def report(
    number: int,
    credited: Sequence[Credited],
    learned: Sequence[TrainingSample],
    stats: LearnerStats,
    clock: Clock,
    audited: Sequence[float] = (),
) -> StepReport:
    """Count what happened in step `number`. `audited` are the rewards of a second verifier, if one was asked.

    Phases that have no lap of their own, because they overlap, count as 0 seconds.
    """
    trials = [item.trial for item in credited]
    verdicts = [v for t in trials for v in t.verdicts]
    outcomes = Counter(v.outcome for v in verdicts)
    returns: dict[str, list[float]] = {}
    for trial in trials:
        if trial.result.outcome is Outcome.VALID:
            returns.setdefault(trial.scaffold.task_id, []).append(trial.result.value)
    calls = [c for t in trials for r in t.rollouts for c in r.calls]
    calls += [t.scaffold.completion for t in trials if t.scaffold.completion is not None]
    sampled = sum(sum(c.sampled) for c in calls)
    ages = [number - 1 - v for s in learned for v in s.completion.versions]
    return StepReport(
        step=number,
        version=number,
        reward=_mean([v.reward for v in verdicts if v.outcome is Outcome.VALID]),
        scaffold_return=_mean([r for group in returns.values() for r in group]),
        best_return=_mean([max(group) for group in returns.values()]),
        valid=outcomes[Outcome.VALID],
        hacked=outcomes[Outcome.HACKED],
        infra_error=outcomes[Outcome.INFRA_ERROR],
        scaffolds=len(trials),
        scaffolds_valid=sum(t.scaffold.invalid is None for t in trials),
        signal=_signal(credited),
        tokens_sampled=sampled,
        tokens_learned=stats.tokens,
        tokens_per_second=sampled / clock.total,
        loss=stats.loss,
        grad_norm=stats.grad_norm,
        ratio=stats.ratio,
        clip_fraction=stats.clip_fraction,
        kl=stats.kl,
        staleness_weight=stats.weight,
        max_age=max(ages, default=0),
        mean_age=_mean(ages),
        effective=stats.effective,
        mismatch=stats.mismatch,
        seconds=clock.total,
        **{f"seconds_{phase}": clock.laps.get(phase, 0.0) for phase in _PHASES},
        failures=dict(Counter(v.failure for v in verdicts if v.failure is not None)),
        flags=dict(Counter(f.rule for v in verdicts for f in v.flags)),
        choices=_choices(credited),
        audit=_mean(audited) if audited else None,
        opinions=_opinions(verdicts),
        transplant_drop=_drop(trials),
        watchers=tuple(sorted({name for v in verdicts for name in v.watchers})),
    )


def doubts(report: StepReport) -> list[str]:
    """What is wrong with a step's numbers, each with what to do about it."""
    found = []
    if report.mismatch is not None and report.mismatch > _MISMATCH:
        found.append(
            f"sampler and learner disagree by {report.mismatch:.3f} a log-probability under the same weights: sample "
            "and learn in the same precision (model.precision)"
        )
    if report.clip_fraction > _CLIPPED:
        found.append(
            f"{report.clip_fraction:.0%} of the tokens are clipped: lower learner.learning_rate or pipeline.max_age"
        )
    if report.effective < _EFFECTIVE:
        found.append(
            f"the staleness weights leave {report.effective:.0%} of the tokens' worth: lower pipeline.max_age, or "
            "raise algo.k1"
        )
    return found


def _drop(trials: Sequence[Trial]) -> float | None:
    """What scaffolds that were tried on a sibling task, and count, earned less there; None where none was."""
    tried = [(t.result.value, t.elsewhere) for t in trials if t.result.outcome is Outcome.VALID]
    drops = [own - elsewhere for own, elsewhere in tried if elsewhere is not None]
    return _mean(drops) if drops else None


def _opinions(verdicts: Sequence[Verdict]) -> dict[str, int]:
    counts = Counter(_said(v.opinion) for v in verdicts if v.opinion is not None)
    out = sum(v.failure == JUDGE_OUTAGE or (v.outcome is Outcome.VALID and v.error is not None) for v in verdicts)
    return dict(counts) | ({"outage": out} if out else {})


def _said(opinion: Opinion) -> str:
    return "void" if opinion.void else "veto" if opinion.veto else "abstain"


def _choices(credited: Sequence[Credited]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for item in credited:
        scaffold = item.trial.scaffold
        for name, value in (scaffold.spec or {}).items() if scaffold.tier == "card" else ():
            counts.setdefault(name, Counter())[str(value)] += 1
    return {name: dict(counter) for name, counter in counts.items()}


def _signal(credited: Sequence[Credited]) -> float:
    by_task: dict[str, list[Credited]] = {}
    for item in credited:
        by_task.setdefault(item.trial.scaffold.task_id, []).append(item)
    return _mean([signal(group) for group in by_task.values()])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
