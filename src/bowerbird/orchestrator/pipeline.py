"""The asynchronous loop: sampling, sandboxes, grading and learning overlap. Read it beside loop.py, its oracle.

        ┌─ capacity ◀───────────────────────── weights land ◀── version v+1 ◀─┐
        ▼                                                                     │
      draw ─▶ propose ─▶ solve ─▶ grade, credit ─▶ accepted (on disk) ─▶ batch ─▶ learner process
        ▲     (driver: one sampler,   (threads)                            │
        │      many sandboxes)                                             │
        └──────────────────── archive, success rates ◀─────────────────────┘

Nothing here waits for a whole wave: a group whose rollouts take long is trained with a later batch, at whatever age its
tokens have by then. At max_age 0 nothing overlaps that could differ, and the losses are the oracle's, bit for bit.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from bowerbird.config import Config
from bowerbird.inference.memory import give_back
from bowerbird.orchestrator.admission import Admission
from bowerbird.orchestrator.credit import credit, samples
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.frontier import Draw, Probe
from bowerbird.orchestrator.ledger import Group, Ledger
from bowerbird.orchestrator.loop import Step
from bowerbird.orchestrator.progress import Watcher
from bowerbird.orchestrator.reporting import Clock, report
from bowerbird.orchestrator.wave import Proposal, Stages, Wave
from bowerbird.rollout.driver import Driver
from bowerbird.trainer.process import Learned, Update
from bowerbird.types import Completion, Rollout, Scaffold, TaskView

_IDLE_S = 0.05  # how long to wait for one source of news before looking at the others


class Updates(Protocol):
    """What the pipeline needs of a learner: one update at a time, elsewhere."""

    busy: bool

    def begin(self, update: Update) -> None: ...

    def poll(self, seconds: float) -> Learned | None: ...


@dataclass(slots=True)
class _Draft:
    """A wave whose tasks are being chosen."""

    wave: Wave
    draw: Draw
    rewards: Future[dict[str, list[float]]] | None = None


@dataclass(slots=True)
class _Flight:
    """A group under way."""

    wave: Wave
    place: int
    scaffolds: list[Scaffold]
    order: list[str]  # rollout ids
    rollouts: dict[str, Rollout] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the learner is at work on."""

    number: int
    groups: Sequence[Group]
    update: Update


class Pipeline:
    """Runs the steps after version `done`, going on from what `ledger` holds."""

    def __init__(
        self,
        config: Config,
        stages: Stages,
        learner: Updates,
        experience: Experience,
        ledger: Ledger,
        watcher: Watcher,
        done: int,
    ) -> None:
        self._config, self._stages, self._learner = config, stages, learner
        self._experience, self._ledger = experience, ledger
        exact = config.pipeline.max_age == 0
        self._driver = Driver(stages.sampler, stages.sandbox, stages.pool, overlap=not exact)
        self._probe = Probe(config, stages, self._driver, stages.grader, watcher)
        self._watcher = watcher
        self._batch = min(config.curriculum.tasks_per_step, len(stages.tasks.views))
        self._admission = Admission(self._batch, config.pipeline.max_age)
        self._clock = Clock()
        self._version = done
        self._given: _Given | None = None
        self._draft: _Draft | None = None
        self._again = ledger.steps_after(done)  # decided before a kill: learned again, from the same groups
        self._ready = ledger.waiting()
        waves, accepted = ledger.waves(), ledger.accepted()
        self._accepted, self._running = len(accepted), 0
        self._waves = max(waves, default=0)
        self._drawn = deque(_left(waves, accepted, config, stages))
        self._grading: dict[Future[Group], None] = {}  # in the order begun

    def steps(self) -> Iterator[Step]:
        """Each step as its weights have landed in the sampler."""
        with ThreadPoolExecutor(self._batch, thread_name_prefix="grading") as graders:
            self._graders = graders
            while self._version < self._config.steps:
                self._hand_over()
                self._admit()
                if self._driver.busy:
                    self._driver.advance(_IDLE_S)
                self._accept()
                step = self._land()
                if step is not None:
                    yield step

    # -- sampling: waits for capacity; unblocked by weights that land --------------------------------

    def _admit(self) -> None:
        while (room := self._room()) > 0:
            if not self._drawn and not self._draw():
                return
            wave = self._drawn[0][0]
            lot: list[tuple[int, TaskView]] = []
            while self._drawn and self._drawn[0][0] is wave and len(lot) < room:
                _, place, task = self._drawn.popleft()
                lot.append((place, task))
            self._running += len(lot)
            proposals = wave.proposals(lot, self._experience.archive)
            self._driver.ask([p.request for p in proposals], partial(self._proposed, wave, lot, proposals))

    def _room(self) -> int:
        """Groups that may start now, none beyond the run's end."""
        left = self._config.steps * self._batch - self._accepted - self._running
        return min(left, self._admission.capacity(self._version, self._accepted, self._running))

    def _draw(self) -> bool:
        """Whether the next wave's tasks are there. The samples that choose them come while all else goes on."""
        curriculum = self._experience.curriculum
        if self._draft is None:
            wave = Wave(self._config, self._stages, self._waves + 1)
            self._draft = _Draft(wave, self._probe.begin(curriculum, wave.seed))
        draft = self._draft
        if not draft.draw.sampled:
            return False
        if draft.rewards is None:
            draft.rewards = self._graders.submit(self._probe.rewards, draft.draw)
        if not draft.rewards.done() and (self._driver.busy or self._grading or self._learner.busy):
            return False
        tasks = self._probe.choose(draft.draw, draft.rewards.result(), curriculum)
        self._waves, self._draft = draft.wave.number, None
        self._ledger.draw(self._waves, [t.task_id for t in tasks], curriculum.state())
        self._drawn.extend((draft.wave, place, task) for place, task in enumerate(tasks))
        return True

    def _proposed(
        self,
        wave: Wave,
        lot: Sequence[tuple[int, TaskView]],
        proposals: Sequence[Proposal],
        completions: Sequence[Completion],
    ) -> None:
        scaffolds = wave.scaffolds(proposals, completions)
        for place, task in lot:
            own = [s for s in scaffolds if s.task_id == task.task_id]
            jobs = wave.jobs(own)
            flight = _Flight(wave, place, own, [job.rollout_id for job in jobs])
            for job in jobs:
                self._driver.start(job, partial(self._solved, flight))
            if not jobs:
                self._grade(flight)

    def _solved(self, flight: _Flight, rollout: Rollout) -> None:
        flight.rollouts[rollout.rollout_id] = rollout
        if len(flight.rollouts) == len(flight.order):
            self._grade(flight)

    # -- grading: waits for a group's last rollout; unblocked by the driver --------------------------

    def _grade(self, flight: _Flight) -> None:
        self._grading[self._graders.submit(_graded, flight)] = None

    def _accept(self) -> None:
        idle = not (self._driver.busy or self._learner.busy)
        if self._grading and idle:
            wait(self._grading, timeout=_IDLE_S, return_when=FIRST_COMPLETED)
        for future in [f for f in self._grading if f.done()]:
            del self._grading[future]
            group = future.result()
            self._ledger.accept(group)
            self._ready.append(group)
            self._accepted, self._running = self._accepted + 1, self._running - 1
            self._watcher.phase("groups for a step", min(len(self._ready), self._batch), self._batch)

    # -- learning: waits for a full batch and an idle learner; unblocked by acceptance and landing -----

    def _hand_over(self) -> None:
        number = self._version + 1
        if self._learner.busy:
            return
        if number in self._again:
            self._give(number, self._again.pop(number))
        elif len(self._ready) >= self._batch:
            taken, self._ready = self._ready[: self._batch], self._ready[self._batch :]
            taken.sort(key=lambda group: (group.wave, group.place))
            for group in taken:
                self._experience.remember(group.credited)
            self._ledger.assign(number, taken, self._experience.curriculum.state())
            self._give(number, taken)

    def _give(self, number: int, groups: Sequence[Group]) -> None:
        credited = [item for group in groups for item in group.credited]
        update = Update(number, tuple(samples(credited, self._config.algo.scaffold_weight)))
        self._given = _Given(number, groups, update)
        self._learner.begin(update)

    def _land(self) -> Step | None:
        """New weights, taken by the sampler between two tokens; rollouts under way go on under them."""
        if self._given is None:
            return None
        idle = not (self._driver.busy or self._grading)
        learned = self._learner.poll(_IDLE_S if idle else 0.0)
        if learned is None:
            return None
        given, self._given = self._given, None
        self._stages.sampler.load(learned.version)
        self._version = given.number
        give_back()
        self._clock.laps = {"learn": learned.stats.seconds}
        self._clock.lap("step")
        credited = [item for group in given.groups for item in group.credited]
        audited = self._stages.grader.audit([r for item in credited for r in item.trial.rollouts])
        found = report(given.number, credited, given.update.samples, learned.stats, self._clock, audited)
        self._clock = Clock()
        return Step(found, learned.version, tuple(credited))


def _graded(flight: _Flight) -> Group:
    rollouts = [flight.rollouts[rollout_id] for rollout_id in flight.order]
    credited = credit(flight.wave.trials(flight.scaffolds, rollouts))
    return Group(flight.wave.number, flight.place, tuple(credited))


def _left(
    waves: Mapping[int, Sequence[str]], accepted: set[tuple[int, int]], config: Config, stages: Stages
) -> Iterator[tuple[Wave, int, TaskView]]:
    """Tasks that were drawn and whose groups a kill has lost before they were accepted."""
    for number, tasks in waves.items():
        wave = Wave(config, stages, number)
        for place, task_id in enumerate(tasks):
            if (number, place) not in accepted:
                yield wave, place, stages.tasks.views[task_id]
