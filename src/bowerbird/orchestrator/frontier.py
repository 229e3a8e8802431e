"""Finding the frontier: a few plain samples of more tasks than a step needs, and those it can learn most from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from bowerbird.config import Config
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.jobs import SolvingParts, no_scaffold, plain_job
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rollout.driver import Driver, Job
from bowerbird.rollout.seeds import derive
from bowerbird.types import Rollout, TaskView


@dataclass(slots=True)
class Draw:
    """Tasks that were drawn, with the samples of them that have come."""

    tasks: list[TaskView]
    order: list[str]  # rollout ids
    rollouts: dict[str, Rollout] = field(default_factory=dict)

    @property
    def sampled(self) -> bool:
        return len(self.rollouts) == len(self.order)


class Probe:
    """Draws a step's tasks.

    A category's success rate says little about one task of it: most are always solved or never. So more tasks than
    needed are drawn, each is sampled a few times without a scaffold, and those nearest to half solved are kept.
    """

    def __init__(self, config: Config, parts: SolvingParts, driver: Driver, grader: Grader, watcher: Watcher) -> None:
        self._config, self._parts, self._driver = config, parts, driver
        self._grader, self._watcher = grader, watcher

    def draw(self, curriculum: Curriculum, seed: int) -> list[TaskView]:
        """The tasks of the step with this seed. What the samples earned goes into the curriculum's rates."""
        draw = self.begin(curriculum, seed)
        while not draw.sampled:
            self._driver.advance()
        return self.choose(draw, self.rewards(draw), curriculum)

    def begin(self, curriculum: Curriculum, seed: int) -> Draw:
        """Draw, and start the samples: they come while the driver advances."""
        config = self._config.curriculum
        tasks = curriculum.draw(config.tasks_per_step * config.drawn_per_task, Random(derive(seed, "draw")))
        jobs = self._jobs(tasks, seed) if config.drawn_per_task > 1 else []
        draw = Draw(tasks, [job.rollout_id for job in jobs])

        def came(rollout: Rollout) -> None:
            draw.rollouts[rollout.rollout_id] = rollout
            self._watcher.phase("probe", len(draw.rollouts), len(jobs))

        for job in jobs:
            self._driver.start(job, came)
        return draw

    def rewards(self, draw: Draw) -> dict[str, list[float]]:
        """Of each task's samples, once all have come. They choose tasks and train nothing, so no judge is asked about
        them. May run in a thread of its own."""
        found: dict[str, list[float]] = {task.task_id: [] for task in draw.tasks}
        rollouts = [draw.rollouts[rollout_id] for rollout_id in draw.order]
        for rollout, reward in zip(rollouts, self._grader.rewards(rollouts), strict=True):
            if reward is not None:
                found[rollout.task_id].append(reward)
        return found

    def choose(self, draw: Draw, rewards: Mapping[str, Sequence[float]], curriculum: Curriculum) -> list[TaskView]:
        """The tasks nearest to half solved; the curriculum hears of all samples."""
        if draw.order:
            for task in draw.tasks:
                curriculum.record(task.category, rewards[task.task_id])
        ordered = sorted(draw.tasks, key=lambda task: -variance(rewards[task.task_id]))
        return ordered[: self._config.curriculum.tasks_per_step]

    def _jobs(self, tasks: Sequence[TaskView], seed: int) -> list[Job]:
        return [
            plain_job(
                self._parts,
                no_scaffold(f"probe-{i}", task.task_id),
                f"probe-{i}-{k}",
                derive(seed, "probe", task.task_id, k),
                tokens=self._config.rollout.call_tokens,
            )
            for i, task in enumerate(tasks)
            for k in range(self._config.curriculum.probes)
        ]


def variance(rewards: Sequence[float]) -> float:
    """Of pass/fail rewards: p (1 - p); 0 where there are none."""
    rate = sum(rewards) / len(rewards) if rewards else 0.0
    return rate * (1.0 - rate)
