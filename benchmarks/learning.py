"""What tokens teach when they are old: held-out tasks solved after as many trained tokens, by three ways of training.

`fresh` is the synchronous loop, where every token is of the newest policy. In the other two the same loop's sampler is
late: each step is sampled by the policy of 0 to 4 updates before, as far back as there were any, each age as often as
the others. (On one machine the asynchronous loop hardly makes tokens older than one update, since sampler and learner
share its processors; and what age it does make depends on the clock.) `weighted` has the staleness weight of the
recipes (lambda 0.5 beyond age 2), `even` full weight at every age: they differ in the `old steps`. Same model, tasks,
seed and number of steps; `trained` says how many tokens those were. The figure is the share of held-out tasks solved by
the model's own cards; its interval is clustered by task.

STEPS says how many, SEEDS gives the seeds, each a round; KEEP a folder where what was measured once is not measured
again.
"""

import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from statistics import mean
from typing import Any

import sides
import torch

from bowerbird.config import Config, load_config
from bowerbird.evals.session import evaluate_model, task_sets
from bowerbird.inference.engine import Engine
from bowerbird.inference.models import resolve
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.grading import Grader, open_defences
from bowerbird.orchestrator.loop import Loop
from bowerbird.orchestrator.progress import Silent, StepReport
from bowerbird.orchestrator.wave import Stages
from bowerbird.sandbox import open_sandbox
from bowerbird.scaffold.archive import Archive
from bowerbird.tasks import TaskSet
from bowerbird.trainer.learner import Learner
from bowerbird.trainer.publish import publish, retain
from bowerbird.types import PolicyVersion

RECIPE = Path(__file__).parent.parent / "recipes" / "demo.toml"
STEPS = int(os.environ.get("STEPS", "8"))
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "0 1 2").split()]
YOUNG, OLDEST = 2, 4  # ages: of full weight, and the highest
SETTINGS = [
    f"steps={STEPS}",
    "tasks.heldout=128",
    "scaffold.proposals=4",
    "curriculum.tasks_per_step=4",
    "curriculum.drawn_per_task=1",
    'eval.arms=["own"]',
]


class LateEngine(Engine):
    """A sampler that takes weights when they are some updates old; `ages` says how many, load by load."""

    ages: Iterator[int]

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._published: list[PolicyVersion] = []

    def load(self, version: PolicyVersion) -> None:
        self._published.append(version)
        super().load(self._published[max(0, len(self._published) - 1 - next(self.ages))])


def mixed_ages(seed: int) -> Iterator[int]:
    """0 to OLDEST, each as often as the others."""
    draw = random.Random(seed)
    while True:
        yield from draw.sample(range(OLDEST + 1), OLDEST + 1)


class Told(Silent):
    """A line a step."""

    def step(self, report: StepReport) -> None:
        told = f"step {report.step}: reward {report.reward:.2f}, mean age {report.mean_age:.1f}, {report.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)


def trained(
    config: Config, tasks: TaskSet, ages: Iterator[int], folder: Path
) -> tuple[PolicyVersion, list[StepReport]]:
    """The last version, and what was told of each step."""
    source, cpu = resolve(config.model.name), torch.device("cpu")
    learner = Learner(source, config.learner, config.algo, dtype=torch.float32, device=cpu)
    room = config.sampler
    engine = LateEngine(
        source,
        places=room.places,
        kv_tokens=room.kv_tokens,
        kept_tokens=room.kept_tokens,
        dtype=torch.float32,
        device=cpu,
    )
    engine.ages, sandbox = ages, open_sandbox("local")

    def publisher(number: int) -> PolicyVersion:
        version = publish(learner.base, source, folder, number)
        retain(folder, OLDEST + 2)
        return version

    reports = []
    with ThreadPoolExecutor(config.sandbox.workers) as pool, open_defences(config, sandbox, Silent(), None) as defences:
        stages = Stages(tasks, engine.chat, engine, sandbox, pool, Grader(tasks, sandbox, defences, pool))
        experience = Experience(tasks, Archive(()), Curriculum(list(tasks.views.values()), config.curriculum))
        loop = Loop(config, stages, learner, publisher, experience, Silent())
        version = publisher(0)
        engine.load(version)
        for number in range(1, config.steps + 1):
            step = loop.step(number)
            version = step.version
            reports.append(step.report)
            Told().step(step.report)
    return version, reports


def learned(name: str, late: bool, *more: str) -> sides.Measured:
    seed = SEEDS[int(os.environ["ROUND"])]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("KEEP", folder)) / f"{name}-{seed}-{STEPS}.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            config = load_config(RECIPE, [*SETTINGS, f"seed={seed}", *more])
            kept.write_text(json.dumps(measured(config, mixed_ages(seed) if late else repeat(0), Path(folder))))
        found: sides.Measured = json.loads(kept.read_text())
    return found


def measured(config: Config, ages: Iterator[int], folder: Path) -> sides.Measured:
    tasks, heldout = task_sets(config)
    version, reports = trained(config, tasks, ages, folder)
    (own,) = (arm.solved for arm in evaluate_model(config, heldout, version.path, version.number, Silent()).arms)
    return {
        "solved": own.mean,
        "interval": f"[{own.low:.3f}, {own.high:.3f}]",
        "reward": mean(report.reward for report in reports),
        "trained": sum(report.tokens_learned for report in reports),
        "mean age": mean(report.mean_age for report in reports),
        "oldest": max(report.max_age for report in reports),
        "old steps": sum(report.mean_age > YOUNG for report in reports),
        "weight": mean(report.staleness_weight for report in reports),
    }


def fresh() -> sides.Measured:
    return learned("fresh", False)


def weighted() -> sides.Measured:
    return learned("weighted", True)


def even() -> sides.Measured:
    return learned("even", True, f"algo.k1={OLDEST}")


if __name__ == "__main__":
    sides.main({"weighted": weighted, "fresh": fresh, "even": even}, "solved", rounds=len(SEEDS))
