"""Runs many rollouts together: the model is shared, the sandboxes run in threads.

    all runs ──Ask──▶ sampler (one batch) ──completions──▶ runs that were waiting for them
       ──Check, Act─▶ sandbox threads    ──results─────▶

A round of checks ends before the model moves on. That costs a little time and buys exactness: the batches the model
sees depend on what was sampled alone, so a run repeats bit for bit; and the model never competes with a sandbox for
the cores.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import or_

from bowerbird.inference.protocol import Sampler
from bowerbird.rollout.checks import check_visible
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.effects import Act, Ask, Check, Checked, Draft, Effect, Reply, Run
from bowerbird.sandbox import Limits, Sandbox
from bowerbird.types import Completion, Facts, InfraError, Rollout, TaskView

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
    desk: Desk


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
        on_done(0)
        done: dict[str, Rollout] = {}
        asked: dict[int, _Waiting] = {}
        ready: list[tuple[_Live, Reply | None]] = [(self._begin(job, 0), None) for job in jobs]
        while ready or asked:
            work: list[tuple[_Live, Check | Act]] = []
            for live, reply in ready:
                effect = _resume(live.run, reply)
                if isinstance(effect, Ask):
                    self._ask(live, effect, asked)
                elif isinstance(effect, Draft):
                    done[live.job.rollout_id] = _finish(live, effect)
                else:
                    work.append((live, effect))
            ready = self._work(work, done)
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

    def _begin(self, job: Job, attempt: int) -> _Live:
        return _Live(job, job.start(attempt), attempt, Desk(self._sandbox, job.task))

    def _work(
        self, work: Sequence[tuple[_Live, Check | Act]], done: dict[str, Rollout]
    ) -> list[tuple[_Live, Reply | None]]:
        """A round of checks and actions in the sandboxes, to its end."""
        started = [(live, self._start(live, effect)) for live, effect in work]
        ready: list[tuple[_Live, Reply | None]] = []
        for live, finished in started:
            try:
                ready.append((live, finished()))
            except InfraError as error:
                live.run.close()
                live.desk.close()
                again = live.attempt + 1
                if again <= REFILLS:
                    ready.append((self._begin(live.job, again), None))
                else:
                    done[live.job.rollout_id] = _lost(live.job, error)
        return ready

    def _start(self, live: _Live, effect: Check | Act) -> Callable[[], Reply]:
        """Begin in the threads; calling what this returns waits for the reply."""
        if isinstance(effect, Act):
            return self._pool.submit(live.desk.act, effect).result
        task = live.job.task
        checks = [self._pool.submit(check_visible, self._sandbox, task, s, CHECK_LIMITS) for s in effect.sources]
        return lambda: tuple(check.result() for check in checks)


def run_null(job: Job, sandbox: Sandbox) -> Mapping[str, bytes]:
    """The null test: every model call returns nothing. The files submitted all the same: these the scaffold knew.

    The scaffold's own actions run in earnest; visible checks fail. Raises SandboxError when the sandbox is lost.
    """
    desk = Desk(sandbox, job.task)
    try:
        return _null_files(job, desk)
    finally:
        desk.close()


def _null_files(job: Job, desk: Desk) -> Mapping[str, bytes]:
    run = job.start(0)
    reply: Reply | None = None
    while True:
        effect = _resume(run, reply)
        if isinstance(effect, Ask):
            reply = tuple(Completion(r.prompt_ids, (), (), (), (), (), r.sampling, "stop") for r in effect.requests)
        elif isinstance(effect, Check):
            reply = tuple(Checked(False, False, "", "no_code") for _ in effect.sources)
        elif isinstance(effect, Act):
            reply = desk.act(effect)
        else:
            return desk.leave()[0].files if effect.source is None else submission(job.task, effect)


def _resume(run: Run, reply: Reply | None) -> Effect | Draft:
    try:
        return next(run) if reply is None else run.send(reply)
    except StopIteration as stop:
        draft: Draft = stop.value
        return draft


def _finish(live: _Live, draft: Draft) -> Rollout:
    job = live.job
    try:
        collected, facts = live.desk.leave()
    except InfraError as error:
        return _lost(job, error)
    files = collected.files if draft.source is None else submission(job.task, draft)
    return Rollout(
        rollout_id=job.rollout_id,
        task_id=job.task.task_id,
        scaffold_id=job.scaffold_id,
        calls=draft.calls,
        submission=files,
        anomalies=collected.anomalies,
        facts=reduce(or_, (check.facts for check in draft.checks), facts),
        failure=None if any(data.strip() for data in files.values()) else _no_code(draft),
        infra_error=None,
        log=draft.log,
    )


def submission(task: TaskView, draft: Draft) -> Mapping[str, bytes]:
    """The declared file with the chosen source; nothing where there is none."""
    source = draft.source or ""
    return {task.submission[0]: source.encode()} if source.strip() else {}


def _no_code(draft: Draft) -> str:
    if any(call.finish == "too_long" for call in draft.calls):
        return "too_long"
    return "cut_off" if any(call.finish == "length" for call in draft.calls) else "no_code"


def _lost(job: Job, error: InfraError) -> Rollout:
    return Rollout(
        job.rollout_id, job.task.task_id, job.scaffold_id, (), {}, (), Facts(), None, f"{type(error).__name__}: {error}"
    )
