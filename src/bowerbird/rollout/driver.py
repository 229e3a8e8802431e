"""Runs many rollouts together: the model is shared, the sandboxes run in threads.

    all runs ──Ask──▶ sampler (one batch) ──completions──▶ runs that were waiting for them
             ──Check─▶ sandbox threads    ──results─────▶

A round of checks ends before the model moves on. That costs a little time and buys exactness: the batches the model
sees depend on what was sampled alone, so a run repeats bit for bit; and the model never competes with a sandbox for
the cores.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bowerbird.inference.protocol import Sampler
from bowerbird.rollout.checks import check_visible
from bowerbird.rollout.effects import Ask, Check, Checked, Draft, Effect, Reply, Run
from bowerbird.sandbox import Limits, Sandbox
from bowerbird.types import Completion, InfraError, Rollout, TaskView

CHECK_LIMITS = Limits(wall_s=3.0, cpu_s=3, output_bytes=1 << 16)


REFILLS = 2  # how often a rollout that the machinery lost is begun again


@dataclass(frozen=True, slots=True)
class Job:
    """One rollout to run: who it is, and how it starts. `start` is told how often it was lost before."""

    rollout_id: str
    task: TaskView
    scaffold_id: str
    start: Callable[[int], Run]


@dataclass(frozen=True, slots=True)
class _Live:
    """A job under way."""

    job: Job
    run: Run
    attempt: int


@dataclass(slots=True)
class _Waiting:
    """A run that asked for completions, and those that have come."""

    live: _Live
    tickets: tuple[int, ...]
    got: dict[int, Completion]


class Driver:
    """Drives rollouts over one sampler and one sandbox back end."""

    def __init__(self, sampler: Sampler, sandbox: Sandbox, pool: ThreadPoolExecutor) -> None:
        self._sampler, self._sandbox, self._pool = sampler, sandbox, pool

    def run(self, jobs: Sequence[Job], on_done: Callable[[int], None] = lambda _: None) -> list[Rollout]:
        """All jobs to their end, results in the order given. `on_done` is told how many are finished.

        A rollout whose sandbox is lost starts again; lost too often, it ends with `infra_error`. Nothing a model does
        raises.
        """
        done: dict[str, Rollout] = {}
        asked: dict[int, _Waiting] = {}
        ready: list[tuple[_Live, Reply | None]] = [(_Live(job, job.start(0), 0), None) for job in jobs]
        while ready or asked:
            checks: list[tuple[_Live, Check]] = []
            for live, reply in ready:
                effect = _resume(live.run, reply)
                if isinstance(effect, Ask):
                    self._ask(live, effect, asked)
                elif isinstance(effect, Check):
                    checks.append((live, effect))
                else:
                    done[live.job.rollout_id] = _finish(live.job, effect)
            ready = self._check(checks, done)
            if not ready and asked:
                ready = self._sample(asked)
            on_done(len(done))
        return [done[job.rollout_id] for job in jobs]

    def _ask(self, live: _Live, effect: Ask, asked: dict[int, _Waiting]) -> None:
        waiting = _Waiting(live, tuple(self._sampler.submit(r) for r in effect.requests), {})
        asked.update(dict.fromkeys(waiting.tickets, waiting))

    def _sample(self, asked: dict[int, _Waiting]) -> list[tuple[_Live, Reply | None]]:
        """Move the model on until some run has all it asked for."""
        ready: list[tuple[_Live, Reply | None]] = []
        while not ready and asked:
            for ticket, completion in self._sampler.step():
                waiting = asked.pop(ticket)
                waiting.got[ticket] = completion
                if len(waiting.got) == len(waiting.tickets):
                    ready.append((waiting.live, tuple(waiting.got[t] for t in waiting.tickets)))
        return ready

    def _check(
        self, checks: Sequence[tuple[_Live, Check]], done: dict[str, Rollout]
    ) -> list[tuple[_Live, Reply | None]]:
        futures = [
            (live, [self._pool.submit(check_visible, self._sandbox, live.job.task, s, CHECK_LIMITS) for s in c.sources])
            for live, c in checks
        ]
        ready: list[tuple[_Live, Reply | None]] = []
        for live, runs in futures:
            try:
                ready.append((live, tuple(run.result() for run in runs)))
            except InfraError as error:
                live.run.close()
                again = live.attempt + 1
                if again <= REFILLS:
                    ready.append((_Live(live.job, live.job.start(again), again), None))
                else:
                    done[live.job.rollout_id] = _lost(live.job, error)
        return ready


def run_null(job: Job) -> Draft:
    """The null test: every model call returns nothing. What is submitted all the same, the scaffold knew."""
    run = job.start(0)
    reply: Reply | None = None
    while True:
        effect = _resume(run, reply)
        if isinstance(effect, Ask):
            reply = tuple(Completion(r.prompt_ids, (), (), (), (), (), r.sampling, "stop") for r in effect.requests)
        elif isinstance(effect, Check):
            reply = tuple(Checked(False, False, "", "no_code") for _ in effect.sources)
        else:
            return effect


def _resume(run: Run, reply: Reply | None) -> Effect | Draft:
    try:
        return next(run) if reply is None else run.send(reply)
    except StopIteration as stop:
        draft: Draft = stop.value
        return draft


def _finish(job: Job, draft: Draft) -> Rollout:
    reads = {path for check in draft.checks for path in check.withheld_reads}
    changes = {path for check in draft.checks for path in check.protected_changes}
    return Rollout(
        rollout_id=job.rollout_id,
        task_id=job.task.task_id,
        scaffold_id=job.scaffold_id,
        calls=draft.calls,
        submission=submission(job.task, draft),
        anomalies=(),
        withheld_reads=tuple(sorted(reads)),
        protected_changes=tuple(sorted(changes)),
        failure=None if draft.source.strip() else _no_code(draft),
        infra_error=None,
        log=draft.log,
    )


def submission(task: TaskView, draft: Draft) -> Mapping[str, bytes]:
    """The declared file with the chosen source; nothing where there is none."""
    return {task.submission[0]: draft.source.encode()} if draft.source.strip() else {}


def _no_code(draft: Draft) -> str:
    return "cut_off" if any(call.finish == "length" for call in draft.calls) else "no_code"


def _lost(job: Job, error: InfraError) -> Rollout:
    return Rollout(
        job.rollout_id, job.task.task_id, job.scaffold_id, (), {}, (), (), (), None, f"{type(error).__name__}: {error}"
    )
