"""Trained tokens per second with slow tools: the asynchronous loop, and the synchronous one.

Same model, tasks, cards, step size and machine. Every visible check takes, on top of the sandbox, a time drawn from a
log-normal distribution (median MEDIAN_S, sigma SIGMA, at most LONGEST_S): now and then one takes a minute, as a test
suite or a build does. The first step of each side warms up and is not counted. Nor is the end of the asynchronous run,
where no group may begin any more: it goes on for as many steps as groups may be old, and is left there. `bound` is the
larger of the seconds that the sampler and the learner were at work themselves, as a share of all seconds: 1 means that
the busier one never waited.
"""

import math
import os
import random
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

import sides
import torch

from bowerbird.config import Config, load_config
from bowerbird.evals.session import task_sets
from bowerbird.inference.engine import Engine
from bowerbird.inference.models import resolve
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.grading import Grader, open_defences
from bowerbird.orchestrator.loop import Loop, Step
from bowerbird.orchestrator.pipeline import Pipeline
from bowerbird.orchestrator.progress import Silent
from bowerbird.orchestrator.store import RunStore
from bowerbird.orchestrator.wave import Stages
from bowerbird.sandbox import NO_BASE, Base, Sandbox, Workspace, open_sandbox
from bowerbird.scaffold.archive import Archive
from bowerbird.tasks import TaskSet
from bowerbird.trainer.learner import Learner
from bowerbird.trainer.process import LearnerPlan, LearnerProcess
from bowerbird.trainer.publish import publish
from bowerbird.types import PolicyVersion

SIGMA, LONGEST_S, WORKERS = 1.6, 60.0, 64
STEPS = int(os.environ.get("STEPS", "8"))
MAX_AGE = 4
MEDIAN_S = float(os.environ.get("MEDIAN_S", "2.0"))
SETTINGS = [
    "model.precision=float32",
    f"steps={STEPS}",
    f"sandbox.workers={WORKERS}",
    "tasks.train=64",
    "tasks.heldout=1",
    "tasks.hardest=0.4",
    "scaffold.proposals=4",
    "rollout.per_scaffold=2",
    "rollout.token_budget=288",
    "rollout.call_tokens=56",
    "curriculum.tasks_per_step=4",
    "curriculum.drawn_per_task=1",
    f"pipeline.max_age={MAX_AGE}",
]


AnyEngine = TypeVar("AnyEngine", bound=Engine)
AnyLearner = TypeVar("AnyLearner", bound=LearnerProcess)
AnyPool = TypeVar("AnyPool", bound=ThreadPoolExecutor)


class SlowTools:
    """A sandbox whose workspaces take their time to open. The time depends on the files alone."""

    def __init__(self, inner: Sandbox) -> None:
        self._inner = inner
        self.name = inner.name

    def probe(self) -> Mapping[str, str]:
        return self._inner.probe()

    def open(self, files: Mapping[str, bytes], *, protected: Collection[str] = (), base: Base = NO_BASE) -> Workspace:
        draw = random.Random(sha256(repr(sorted({**base.files, **files}.items())).encode()).digest())
        time.sleep(min(MEDIAN_S * math.exp(SIGMA * draw.gauss(0.0, 1.0)), LONGEST_S))
        return self._inner.open(files, protected=protected, base=base)


class TimedEngine(Engine):
    """The sampler with a clock around its work."""

    worked = 0.0

    def step(self) -> Any:
        return self._timed(super().step)

    def load(self, version: PolicyVersion) -> None:
        self._timed(lambda: super(TimedEngine, self).load(version))

    def _timed(self, call: Any) -> Any:
        start = perf_counter()
        result = call()
        self.worked += perf_counter() - start
        return result


def parts(
    config: Config, tasks: TaskSet, engine: Engine, pool: ThreadPoolExecutor, make_grader: type[Grader] = Grader
) -> tuple[Stages, Experience]:
    plain = open_sandbox("local")
    grading = ThreadPoolExecutor(2)  # the verifier is no slow tool
    with open_defences(config, plain, Silent(), None) as defences:
        grader = make_grader(tasks, plain, defences, grading)
    stages = Stages(tasks, engine.chat, engine, SlowTools(plain), pool, grader)
    curriculum = Curriculum(list(tasks.views.values()), config.curriculum)
    return stages, Experience(tasks, Archive(()), curriculum)


def measured(steps: Iterator[Step], engine: TimedEngine) -> sides.Measured:
    next(steps)
    start, sampler, learner, tokens, ages = perf_counter(), engine.worked, 0.0, 0, []
    for step in steps:
        tokens += step.report.tokens_learned
        learner += step.report.seconds_learn + step.report.seconds_publish
        ages.append(step.report.mean_age)
    seconds = perf_counter() - start
    sampler = engine.worked - sampler
    return {
        "tokens/s": tokens / seconds,
        "tokens": tokens,
        "seconds": seconds,
        "sampler s": sampler,
        "learner s": learner,
        "bound": max(sampler, learner) / seconds,
        "mean age": sum(ages) / len(ages),
    }


@dataclass(frozen=True)
class Overlapped(Generic[AnyEngine, AnyLearner, AnyPool]):
    """The asynchronous loop with its parts, each of the kind that was asked for."""

    config: Config
    store: RunStore
    engine: AnyEngine
    learner: AnyLearner
    pool: AnyPool
    stages: Stages
    pipeline: Pipeline


@contextmanager
def overlapped(
    make_engine: type[AnyEngine],
    make_learner: type[AnyLearner],
    make_pool: type[AnyPool],
    make_grader: type[Grader] = Grader,
    steps: int = STEPS,
) -> Iterator[Overlapped[AnyEngine, AnyLearner, AnyPool]]:
    torch.set_num_threads(1)
    config = load_config(None, [*SETTINGS, f"steps={steps}"])
    tasks, _ = task_sets(config)
    source, cpu = resolve(config.model.name), torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder, make_pool(WORKERS) as pool:
        store = RunStore.create(Path(folder), config)
        plan = LearnerPlan(
            source,
            config.learner,
            config.algo,
            torch.float32,
            "cpu",
            0,
            store.versions,
            store.checkpoints,
            0,
            threads=1,
        )
        learner = make_learner(plan)
        engine = make_engine(source, places=config.sampler.places, dtype=torch.float32, device=cpu)
        stages, experience = parts(config, tasks, engine, pool, make_grader)
        pipeline = Pipeline(config, stages, learner, experience, store.ledger, Silent(), 0)
        try:
            yield Overlapped(config, store, engine, learner, pool, stages, pipeline)
        finally:
            learner.close()
            store.close()


def asynchronous() -> sides.Measured:
    with overlapped(TimedEngine, LearnerProcess, ThreadPoolExecutor, steps=STEPS + MAX_AGE + 1) as real:
        return measured(told(islice(real.pipeline.steps(), STEPS)), real.engine)


def synchronous() -> sides.Measured:
    config = load_config(None, SETTINGS)
    tasks, _ = task_sets(config)
    source, cpu = resolve(config.model.name), torch.device("cpu")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
        learner = Learner(source, config.learner, config.algo, dtype=torch.float32, device=cpu)
        engine = TimedEngine(source, places=config.sampler.places, dtype=torch.float32, device=cpu)
        stages, experience = parts(config, tasks, engine, pool)

        def publisher(number: int) -> PolicyVersion:
            return publish(learner.base, source, Path(folder), number)

        loop = Loop(config, stages, learner, publisher, experience, Silent())
        return measured(told(loop.step(number) for number in range(1, STEPS + 1)), engine)


def told(steps: Iterator[Step]) -> Iterator[Step]:
    for step in steps:
        print(f"step {step.report.step}: {step.report.seconds:.0f} s", file=sys.stderr, flush=True)
        yield step


if __name__ == "__main__":
    sides.main({"async": asynchronous, "sync": synchronous}, "tokens/s")
