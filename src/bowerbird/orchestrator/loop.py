"""The synchronous loop: one step at a time, read from top to bottom. It is the oracle for every faster loop.

draw tasks ─▶ propose scaffolds ─▶ solve under each ─▶ verify, watch ─▶ credit ─▶ learn ─▶ publish ─┐
    ▲                                                                                               │
    └────────────── archive, success rates ◀───────────── sampler loads the new version ◀───────────┘
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Protocol

from bowerbird.config import Config
from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Sampler
from bowerbird.orchestrator.credit import Credited, Trial, credit, samples
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.frontier import Probe
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.jobs import card_job
from bowerbird.orchestrator.memory import give_back
from bowerbird.orchestrator.progress import StepReport, Watcher
from bowerbird.orchestrator.reporting import Clock, report
from bowerbird.orchestrator.store import commonest_failure
from bowerbird.rewards.verdict import scaffold_return
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.seeds import derive
from bowerbird.sandbox import Sandbox
from bowerbird.scaffold.archive import Archive, Entry
from bowerbird.scaffold.propose import proposal_request, read_proposal
from bowerbird.tasks import TaskSet
from bowerbird.trainer.learner import LearnerStats
from bowerbird.types import Outcome, PolicyVersion, Rollout, Scaffold, TaskView, TrainingSample


class Learns(Protocol):
    """What the loop needs of a learner."""

    def step(self, samples: Sequence[TrainingSample], version: int) -> LearnerStats: ...


@dataclass(frozen=True, slots=True)
class Stages:
    """The parts that a step goes through. Each knows nothing of the others."""

    tasks: TaskSet
    chat: Chat
    sampler: Sampler
    sandbox: Sandbox
    pool: ThreadPoolExecutor
    grader: Grader
    learner: Learns
    publish: Callable[[int], PolicyVersion]


@dataclass(frozen=True, slots=True)
class Step:
    """Everything one step produced."""

    report: StepReport
    version: PolicyVersion
    credited: tuple[Credited, ...]


class Loop:
    """Runs steps. All random draws are seeded by step and name, so `step(n)` depends on the state before it alone."""

    def __init__(self, config: Config, stages: Stages, archive: Archive, curriculum: Curriculum, watcher: Watcher):
        self._config, self._stages, self._watcher = config, stages, watcher
        self._driver = Driver(stages.sampler, stages.sandbox, stages.pool)
        self._probe = Probe(config, stages, self._driver, stages.grader, watcher)
        self.archive, self.curriculum = archive, curriculum

    def step(self, number: int) -> Step:
        """One whole step; `number` counts from 1. The learner's version before it is `number - 1`."""
        clock = Clock()
        seed = derive(self._config.seed, "step", number)
        tasks = self._probe.draw(self.curriculum, seed)
        clock.lap("draw")
        proposals = self._propose(seed, number, tasks)
        clock.lap("propose")
        rollouts = self._solve(seed, proposals)
        clock.lap("solve")
        trials = self._grade(seed, proposals, rollouts)
        audited = self._stages.grader.audit(rollouts)
        clock.lap("grade")
        credited = [
            item for task in tasks for item in credit([t for t in trials if t.scaffold.task_id == task.task_id])
        ]
        learned = samples(credited, self._config.algo.scaffold_weight)
        give_back()
        self._watcher.phase("learn", 0, 1)
        stats = self._stages.learner.step(learned, number - 1)
        give_back()
        clock.lap("learn")
        version = self._stages.publish(number)
        self._stages.sampler.load(version)
        clock.lap("publish")
        self._remember(credited)
        return Step(report(number, credited, learned, stats, clock, audited), version, tuple(credited))

    # -- stage 1 -----------------------------------------------------------------------------------

    def _propose(self, seed: int, number: int, tasks: Sequence[TaskView]) -> list[Scaffold]:
        """S scaffolds a task, each task's conditioned on one scaffold used before."""
        config, requests, previous = self._config.scaffold, [], []
        self._watcher.phase("propose", 0, len(tasks) * config.proposals)
        for place, task in enumerate(tasks):
            random = Random(derive(seed, "previous", task.task_id))
            before = self.archive.previous(task.task_id, task.category, random)
            for i in range(config.proposals):
                own = derive(seed, "scaffold", task.task_id, i)
                requests.append(proposal_request(task, before, self._stages.chat, config, own, explore=config.explore))
                previous.append((f"{number}-{place}-{i}", task, before))
        done = self._stages.sampler.generate(requests)
        return [read_proposal(*who, completion) for who, completion in zip(previous, done, strict=True)]

    # -- stage 2 -----------------------------------------------------------------------------------

    def _solve(self, seed: int, proposals: Sequence[Scaffold]) -> list[Rollout]:
        """K rollouts under each valid scaffold."""
        valid = [scaffold for scaffold in proposals if scaffold.invalid is None]
        jobs = [self._job(seed, s, k) for s in valid for k in range(self._config.rollout.per_scaffold)]
        return self._driver.run(jobs, lambda n: self._watcher.phase("solve", n, len(jobs)))

    def _job(self, seed: int, scaffold: Scaffold, k: int) -> Job:
        """Rollout k under every scaffold of a task draws from the same random numbers: luck that is shared cancels when
        scaffolds are compared, and no gradient is biased by it, since no scaffold knows the numbers."""
        own = derive(seed, "rollout", scaffold.task_id, k)
        return card_job(self._config, self._stages, scaffold, f"{scaffold.scaffold_id}-{k}", own, draw_all=True)

    # -- rewards -----------------------------------------------------------------------------------

    def _grade(self, seed: int, proposals: Sequence[Scaffold], rollouts: Sequence[Rollout]) -> list[Trial]:
        """Verdicts for all rollouts, then a return for each scaffold."""
        by_id = {s.scaffold_id: s for s in proposals}
        jobs = {s.scaffold_id: self._job(seed, s, 0) for s in proposals if s.invalid is None}
        grader = self._stages.grader
        found = grader.grade(
            by_id, rollouts, grader.nulls(jobs), lambda n: self._watcher.phase("grade", n, len(rollouts))
        )
        verdicts = {graded.verdict.rollout_id: graded.verdict for graded in found}
        trials = []
        for scaffold in proposals:
            own = tuple(r for r in rollouts if r.scaffold_id == scaffold.scaffold_id)
            judged = tuple(verdicts[r.rollout_id] for r in own)
            spent = sum(len(c.token_ids) for r in own for c in r.calls)
            price = self._config.scaffold.price_per_token
            result = scaffold_return(scaffold, judged, spent // (len(own) or 1), price)
            trials.append(Trial(scaffold, own, judged, result))
        return trials

    # -- memory ------------------------------------------------------------------------------------

    def _remember(self, credited: Sequence[Credited]) -> None:
        for item in credited:
            scaffold, result = item.trial.scaffold, item.trial.result
            if result.outcome is Outcome.INFRA_ERROR:
                continue
            category = self._stages.tasks.views[scaffold.task_id].category
            rewards = [v.reward for v in item.trial.verdicts if v.outcome is Outcome.VALID]
            self.curriculum.record(category, rewards)
            if result.outcome is Outcome.VALID and scaffold.invalid is None:
                self.archive.add(Entry(scaffold, category, result.value, commonest_failure(item)))
