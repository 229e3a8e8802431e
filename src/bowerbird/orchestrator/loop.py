"""The synchronous loop: one step at a time, read from top to bottom. It is the oracle for every faster loop.

draw tasks ─▶ propose scaffolds ─▶ solve under each ─▶ verify, watch ─▶ credit ─▶ learn ─▶ publish ─┐
    ▲                                                                                               │
    └────────────── archive, success rates ◀───────────── sampler loads the new version ◀───────────┘
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bowerbird.config import Config
from bowerbird.inference.memory import give_back
from bowerbird.orchestrator.credit import Credited, credit, samples
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.frontier import Probe
from bowerbird.orchestrator.progress import StepReport, Watcher
from bowerbird.orchestrator.reporting import Clock, report
from bowerbird.orchestrator.wave import Stages, Wave
from bowerbird.rollout.driver import Driver
from bowerbird.trainer.learner import LearnerStats
from bowerbird.types import PolicyVersion, TrainingSample


class Learns(Protocol):
    """What the loop needs of a learner."""

    def step(self, samples: Sequence[TrainingSample], version: int) -> LearnerStats: ...


@dataclass(frozen=True, slots=True)
class Step:
    """Everything one step produced."""

    report: StepReport
    version: PolicyVersion
    credited: tuple[Credited, ...]


class Loop:
    """Runs steps. All random draws are seeded by step and name, so `step(n)` depends on the state before it alone."""

    def __init__(
        self,
        config: Config,
        stages: Stages,
        learner: Learns,
        publish: Callable[[int], PolicyVersion],
        experience: Experience,
        watcher: Watcher,
    ) -> None:
        self._config, self._stages, self._watcher = config, stages, watcher
        self._learner, self._publish = learner, publish
        self._driver = Driver(stages.sampler, stages.sandbox, stages.pool)
        self._probe = Probe(config, stages, self._driver, stages.grader, watcher)
        self.experience = experience

    def step(self, number: int) -> Step:
        """One whole step; `number` counts from 1. The learner's version before it is `number - 1`."""
        clock, wave = Clock(), Wave(self._config, self._stages, number)
        tasks = self._probe.draw(self.experience.curriculum, wave.seed)
        clock.lap("draw")
        proposals = wave.proposals(enumerate(tasks), self.experience.archive)
        self._watcher.phase("propose", 0, len(proposals))
        found = self._driver.call([p.request for p in proposals])
        scaffolds = wave.scaffolds(proposals, found)
        clock.lap("propose")
        jobs = wave.jobs(scaffolds)
        rollouts = self._driver.run(jobs, lambda n: self._watcher.phase("solve", n, len(jobs)))
        clock.lap("solve")
        trials = wave.trials(scaffolds, rollouts, lambda n: self._watcher.phase("grade", n, len(jobs)))
        audited = self._stages.grader.audit([rollout for trial in trials for rollout in trial.rollouts])
        clock.lap("grade")
        credited = [
            item for task in tasks for item in credit([t for t in trials if t.scaffold.task_id == task.task_id])
        ]
        learned = samples(credited, self._config.algo.scaffold_weight)
        give_back()
        self._watcher.phase("learn", 0, 1)
        stats = self._learner.step(learned, number - 1)
        give_back()
        clock.lap("learn")
        version = self._publish(number)
        self._stages.sampler.load(version)
        clock.lap("publish")
        self.experience.remember(credited)
        return Step(report(number, credited, learned, stats, clock, audited), version, tuple(credited))
