"""Runs many rollouts together: the model is shared, the sandboxes run in threads.

    all runs ──Ask──▶ sampler (one batch) ──completions──▶ runs that were waiting for them
       ──Check, Act─▶ sandbox threads    ──results─────▶

A round of checks ends before the model moves on, unless `overlap` is asked for. That costs a little time and buys
exactness: the batches the model sees depend on what was sampled alone, so a run repeats bit for bit; and the model
never competes with a sandbox for the cores.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from operator import or_
from typing import Any, cast

from bowerbird.inference.protocol import AnswerLost, Request, Sampler
from bowerbird.rollout.checks import check_visible
from bowerbird.rollout.desk import Desk
from bowerbird.rollout.effects import Ask, AtDesk, Check, Checked, Draft, Effect, Reply, Run
from bowerbird.sandbox import Limits, Sandbox
from bowerbird.types import WHOLE, Completion, Facts, InfraError, Rollout, TaskView, mode_of, with_mode

CHECK_LIMITS = Limits(wall_s=3.0, cpu_s=3, output_bytes=1 << 16)


REFILLS = 2  # how often a rollout that the machinery lost is begun again


@dataclass(frozen=True, slots=True)
class Job:
    """One rollout to run: who it is, and how it starts. `start` is told how often it was lost before. `program` is the
    command that runs the scaffold, where that is a program."""

    rollout_id: str
    task: TaskView
    scaffold_id: str
    start: Callable[[int], Run]
    program: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Live:
    """A job under way."""

    job: Job
    run: Run
    attempt: int
    desk: Desk
    then: Callable[[Rollout], None]


@dataclass(slots=True)
class _Waiting:
    """Model calls under way, those that have come, and who wants them, or to know that one will not come."""

    tickets: tuple[int, ...]
    got: dict[int, Completion]
    then: Callable[[tuple[Completion, ...]], None]
    lost: Callable[[InfraError], None]


class Driver:
    """Drives rollouts over one sampler and one sandbox back end.

    With `overlap` the model moves on while sandboxes work: faster where they take long, but what it samples together
    then depends on the clock.
    """

    def __init__(self, sampler: Sampler, sandbox: Sandbox, pool: ThreadPoolExecutor, *, overlap: bool = False) -> None:
        self._sampler, self._sandbox, self._pool, self._overlap = sampler, sandbox, pool, overlap
        self._ready: list[tuple[_Live, Reply | None]] = []
        self._working: list[tuple[_Live, list[Future[Any]], Callable[[], Reply]]] = []
        self._asked: dict[int, _Waiting] = {}

    def run(self, jobs: Sequence[Job], on_done: Callable[[int], None] = lambda _: None) -> list[Rollout]:
        """All jobs to their end, results in the order given. `on_done` is told how many are finished. Other rollouts
        under way move on too.

        A rollout whose sandbox or answer is lost starts again; lost too often, it ends with `infra_error`. Nothing a
        model does raises.
        """
        on_done(0)
        done: dict[str, Rollout] = {}
        for job in jobs:
            self.start(job, lambda rollout: done.update({rollout.rollout_id: rollout}))
        while len(done) < len(jobs):
            self.advance()
            on_done(len(done))
        return [done[job.rollout_id] for job in jobs]

    def call(self, requests: Sequence[Request]) -> list[Completion]:
        """Model calls of no rollout to their end, in the order given. Rollouts under way move on too."""
        found: list[tuple[Completion, ...]] = []
        self.ask(requests, found.append)
        while not found:
            self.advance()
        return list(found[0])

    def start(self, job: Job, then: Callable[[Rollout], None]) -> None:
        """Begin a rollout. `then` gets it out of a later `advance`."""
        self._ready.append((self._begin(job, 0, then), None))

    def ask(self, requests: Sequence[Request], then: Callable[[tuple[Completion, ...]], None]) -> None:
        """Begin model calls. `then` gets all completions, in the order given, out of a later `advance`, which raises
        where one is lost."""
        self._ask(requests, then, _raise)

    def _ask(
        self,
        requests: Sequence[Request],
        then: Callable[[tuple[Completion, ...]], None],
        lost: Callable[[InfraError], None],
    ) -> None:
        waiting = _Waiting(tuple(self._sampler.submit(r) for r in requests), {}, then, lost)
        self._asked.update(dict.fromkeys(waiting.tickets, waiting))

    @property
    def busy(self) -> bool:
        """Whether there is anything for `advance` to do."""
        return bool(self._ready or self._working or self._asked)

    def advance(self, patience: float | None = None) -> None:
        """One turn: every rollout that has its reply goes on, and the model moves on by one token.

        With `overlap`, where only sandboxes are at work, the next to finish is waited for: `patience` seconds at most.
        """
        ready, self._ready = self._ready, []
        for live, reply in ready:
            effect = _resume(live.run, reply)
            if isinstance(effect, Ask):
                self._ask(effect.requests, partial(self._replied, live), partial(self._lose, live))
            elif isinstance(effect, Draft):
                live.then(_finish(live, effect))
            else:
                futures = self._submit(live, effect)
                self._working.append((live, futures, partial(_reply, effect, futures)))
        self._collect(patience)
        if not self._ready and self._asked:
            self._sample()

    def _replied(self, live: _Live, completions: tuple[Completion, ...]) -> None:
        self._ready.append((live, completions))

    def _sample(self) -> None:
        """One token for every running request; whoever has all it asked for gets it."""
        try:
            found = self._sampler.step()
        except AnswerLost as lost:
            self._miss(lost)
            return
        for ticket, completion in found:
            waiting = self._asked.pop(ticket, None)
            if waiting is None:  # it was asked for beside one that was lost
                continue
            waiting.got[ticket] = completion
            if len(waiting.got) == len(waiting.tickets):
                waiting.then(tuple(waiting.got[t] for t in waiting.tickets))

    def _miss(self, lost: AnswerLost) -> None:
        """Whoever wants this answer hears of it once, and of those that were asked for with it no more."""
        waiting = self._asked.get(lost.ticket)
        if waiting is not None:
            for ticket in waiting.tickets:
                self._asked.pop(ticket, None)
            waiting.lost(lost)

    def _collect(self, patience: float | None) -> None:
        """Take back what the sandboxes have finished: the whole round, or with `overlap` what there is."""
        if self._overlap and not (self._ready or self._asked):
            left = [[f for f in futures if not f.done()] for _, futures, _ in self._working]
            if all(left):  # nobody has all that it waits for
                wait(list(chain.from_iterable(left)), timeout=patience, return_when=FIRST_COMPLETED)
        working, self._working = self._working, []
        for live, futures, reply in working:
            if self._overlap and not all(future.done() for future in futures):
                self._working.append((live, futures, reply))
                continue
            try:
                self._ready.append((live, reply()))
            except InfraError as error:
                self._lose(live, error)

    def _lose(self, live: _Live, error: InfraError) -> None:
        live.run.close()
        live.desk.close()
        if live.attempt < REFILLS:
            self._ready.append((self._begin(live.job, live.attempt + 1, live.then), None))
        else:
            live.then(_lost(live.job, error))

    def _begin(self, job: Job, attempt: int, then: Callable[[Rollout], None]) -> _Live:
        return _Live(job, job.start(attempt), attempt, Desk(self._sandbox, job.task, job.program), then)

    def _submit(self, live: _Live, effect: Check | AtDesk) -> list[Future[Any]]:
        """Begin in the threads: one future for what is done at the desk, one for each source that is checked."""
        if not isinstance(effect, Check):
            return [self._pool.submit(live.desk.do, effect)]
        task = live.job.task
        return [self._pool.submit(check_visible, self._sandbox, task, s, CHECK_LIMITS) for s in effect.sources]


def _raise(error: InfraError) -> None:
    raise error


def _reply(effect: Check | AtDesk, futures: Sequence[Future[Any]]) -> Reply:
    """What the sandboxes found, once they have. Raises SandboxError when one was lost."""
    results = tuple(future.result() for future in futures)
    return cast(Reply, results if isinstance(effect, Check) else results[0])


def run_null(job: Job, sandbox: Sandbox) -> Mapping[str, bytes]:
    """The null test: every model call returns nothing. The files submitted all the same: these the scaffold knew.

    The scaffold's own actions run in earnest; visible checks fail. Raises SandboxError when the sandbox is lost.
    """
    desk = Desk(sandbox, job.task, job.program)
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
        elif not isinstance(effect, Draft):
            reply = desk.do(effect)
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
    if task.submission == WHOLE:  # one text is no file of a whole workspace
        return {}
    name = task.submission[0]
    return {name: with_mode(source.encode(), mode_of(task.workspace.get(name)))} if source.strip() else {}


def _no_code(draft: Draft) -> str:
    if any(call.finish == "too_long" for call in draft.calls):
        return "too_long"
    return "cut_off" if any(call.finish == "length" for call in draft.calls) else "no_code"


def _lost(job: Job, error: InfraError) -> Rollout:
    return Rollout(
        job.rollout_id, job.task.task_id, job.scaffold_id, (), {}, (), Facts(), None, f"{type(error).__name__}: {error}"
    )
