"""Finding the frontier: a few plain samples of more tasks than a step needs, and those it can learn most from."""

from collections.abc import Sequence
from random import Random

from bowerbird.config import Config
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.grading import Grader
from bowerbird.orchestrator.jobs import SolvingParts, no_scaffold, plain_job
from bowerbird.orchestrator.progress import Watcher
from bowerbird.rollout.driver import Driver
from bowerbird.rollout.seeds import derive
from bowerbird.types import TaskView


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
        config = self._config.curriculum
        drawn = curriculum.draw(config.tasks_per_step * config.drawn_per_task, Random(derive(seed, "draw")))
        if config.drawn_per_task == 1:
            return drawn
        rewards = self._sample(drawn, seed)
        for task in drawn:
            curriculum.record(task.category, rewards[task.task_id])
        return sorted(drawn, key=lambda task: -variance(rewards[task.task_id]))[: config.tasks_per_step]

    def _sample(self, drawn: Sequence[TaskView], seed: int) -> dict[str, list[float]]:
        """The rewards of each task's samples. They choose tasks and train nothing, so no judge is asked about them."""
        jobs = [
            plain_job(
                self._parts,
                no_scaffold(f"probe-{i}", task.task_id),
                f"probe-{i}-{k}",
                derive(seed, "probe", task.task_id, k),
                tokens=self._config.rollout.call_tokens,
            )
            for i, task in enumerate(drawn)
            for k in range(self._config.curriculum.probes)
        ]
        rollouts = self._driver.run(jobs, lambda n: self._watcher.phase("probe", n, len(jobs)))
        rewards: dict[str, list[float]] = {task.task_id: [] for task in drawn}
        for rollout, reward in zip(rollouts, self._grader.rewards(rollouts), strict=True):
            if reward is not None:
                rewards[rollout.task_id].append(reward)
        return rewards


def variance(rewards: Sequence[float]) -> float:
    """Of pass/fail rewards: p (1 - p); 0 where there are none."""
    rate = sum(rewards) / len(rewards) if rewards else 0.0
    return rate * (1.0 - rate)
