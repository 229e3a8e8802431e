"""What tokens teach when they are old: held-out tasks solved after as many trained tokens, by three ways of training.

`fresh` is the synchronous loop, where every token is of the newest policy. In the other two the same loop's learner
gets some of what was sampled later: of each step's calls a quarter at once, and the others 1, 3 and 4 updates on. So
each step has tokens of several ages, as a pipeline's has, and the first few have fewer: two steps more make up for it.
(On one machine the asynchronous loop hardly makes tokens older than one update, since sampler and learner share
its processors; and what age it does make depends on the clock.) `weighted` has the staleness weight of the recipes
(lambda 0.5 beyond age 2), `even` full weight at every age. Same model, tasks and seed; `trained` says how many tokens
those were. The figure is the share of held-out tasks solved by the model's own cards, its interval clustered by task.

STEPS says how many, SEEDS gives the seeds, each a round; KEEP a folder where what was measured once is not measured
again.
"""

import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import mean

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
from bowerbird.trainer.learner import Learner, LearnerStats
from bowerbird.trainer.publish import publish, retain
from bowerbird.types import PolicyVersion, TrainingSample

RECIPE = Path(__file__).parent.parent / "recipes" / "demo.toml"
STEPS = int(os.environ.get("STEPS", "8"))
SEEDS = [int(seed) for seed in os.environ.get("SEEDS", "0 1 2").split()]
DELAYS = (0, 1, 3, 4)  # updates, of a step's quarters
SETTINGS = [
    "tasks.heldout=128",
    "scaffold.proposals=4",
    "curriculum.tasks_per_step=4",
    "curriculum.drawn_per_task=1",
    'eval.arms=["own"]',
]


class LateLearner:
    """Trains on each quarter of a step's calls when it is as old as `DELAYS` says."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner
        self._held: defaultdict[int, list[TrainingSample]] = defaultdict(list)

    def step(self, samples: Sequence[TrainingSample], version: int) -> LearnerStats:
        quarter = -(-len(samples) // len(DELAYS))
        for i, delay in enumerate(DELAYS):
            self._held[version + delay] += samples[i * quarter : (i + 1) * quarter]
        return self._learner.step(self._held.pop(version), version)


class Told(Silent):
    """A line a step."""

    def step(self, report: StepReport) -> None:
        weight = f"mean weight {report.staleness_weight:.2f}"
        told = f"step {report.step}: reward {report.reward:.2f}, {weight}, {report.seconds:.0f} s"
        print(told, file=sys.stderr, flush=True)


def trained(config: Config, tasks: TaskSet, late: bool, folder: Path) -> tuple[PolicyVersion, list[StepReport]]:
    """The last version, and what was told of each step."""
    source, cpu, room = resolve(config.model.name), torch.device("cpu"), config.sampler
    learner = Learner(source, config.learner, config.algo, dtype=torch.float32, device=cpu)
    engine = Engine(
        source,
        places=room.places,
        kv_tokens=room.kv_tokens,
        kept_tokens=room.kept_tokens,
        dtype=torch.float32,
        device=cpu,
    )
    sandbox, reports = open_sandbox("local"), []

    def publisher(number: int) -> PolicyVersion:
        version = publish(learner.base, source, folder, number)
        retain(folder, 1)
        return version

    with ThreadPoolExecutor(config.sandbox.workers) as pool, open_defences(config, sandbox, Silent(), None) as defences:
        stages = Stages(tasks, engine.chat, engine, sandbox, pool, Grader(tasks, sandbox, defences, pool))
        experience = Experience(tasks, Archive(()), Curriculum(list(tasks.views.values()), config.curriculum))
        loop = Loop(config, stages, LateLearner(learner) if late else learner, publisher, experience, Silent())
        for number in range(1, config.steps + 1):
            step = loop.step(number)
            reports.append(step.report)
            Told().step(step.report)
    return step.version, reports


def learned(name: str, *more: str) -> sides.Measured:
    seed, late = SEEDS[int(os.environ["ROUND"])], name != "fresh"
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("KEEP", folder)) / f"{name}-{seed}-{STEPS}.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            steps = STEPS + sum(DELAYS) // len(DELAYS) * late
            config = load_config(RECIPE, [*SETTINGS, f"seed={seed}", f"steps={steps}", *more])
            kept.write_text(json.dumps(measured(config, late, Path(folder))))
        found: sides.Measured = json.loads(kept.read_text())
    return found


def measured(config: Config, late: bool, folder: Path) -> sides.Measured:
    tasks, heldout = task_sets(config)
    version, reports = trained(config, tasks, late, folder)
    (own,) = (arm.solved for arm in evaluate_model(config, heldout, version.path, version.number, Silent()).arms)
    return {
        "solved": own.mean,
        "interval": f"[{own.low:.3f}, {own.high:.3f}]",
        "reward": mean(report.reward for report in reports),
        "trained": sum(report.tokens_learned for report in reports),
        "effective": mean(report.effective for report in reports),
        "weight": mean(report.staleness_weight for report in reports),
    }


def fresh() -> sides.Measured:
    return learned("fresh")


def weighted() -> sides.Measured:
    return learned("weighted")


def even() -> sides.Measured:
    return learned("even", f"algo.k1={max(DELAYS)}")


if __name__ == "__main__":
    sides.main({"weighted": weighted, "fresh": fresh, "even": even}, "solved", rounds=len(SEEDS))
