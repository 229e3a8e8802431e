"""A cluster of so many GPUs: how they are split, what each part can do, and what comes out."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from bowerbird.algo import staleness_weight
from bowerbird.orchestrator.admission import Admission
from bowerbird.orchestrator.simulation.books import Ages, added, less, summarised
from bowerbird.orchestrator.simulation.pipeline import Plant, Simulation
from bowerbird.orchestrator.simulation.settings import SimulationSettings
from bowerbird.orchestrator.simulation.workload import Drawn, GroupPlan, Recorded, Workload
from bowerbird.types import ConfigError

_ESTIMATED_FROM = 64  # groups
_FEW = 20  # engines: with fewer, both numbers beside the balanced one are tried


@dataclass(frozen=True, slots=True)
class Split:
    """GPUs by role. Where they are `shared`, all of them sample and then all learn: the synchronous loop."""

    gpus: int
    samplers: int
    learners: int
    shared: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a cluster does in the steps that are counted. Shares are of time, in [0, 1]."""

    split: Split
    batch: int  # groups a step trains on
    copies: float  # engines and groups that each simulated one stands for
    step_s: float
    tokens_s: float  # trained tokens per second
    gpu_s: float  # GPU-seconds per million trained tokens
    sampler_busy: float  # some row runs
    sampler_speed: float  # of the speed with every place taken and no weights to load
    sampler_waits: Mapping[str, float]
    learner_busy: float
    learner_waits: Mapping[str, float]
    ages: Ages


@dataclass(frozen=True, slots=True)
class Row:
    """One cluster: the asynchronous loop and the synchronous one; None where the cluster is too small for it."""

    gpus: int
    asynchronous: Outcome | None
    synchronous: Outcome | None


def sweep(settings: SimulationSettings, recorded: tuple[GroupPlan, ...] = ()) -> Iterator[Row]:
    """Every cluster in `settings.gpus`. With `recorded` groups these are drawn, not `settings.rollout`."""
    for gpus in settings.gpus:
        yield Row(gpus, _best(settings, recorded, gpus), _together(settings, recorded, gpus))


def simulated(settings: SimulationSettings, recorded: tuple[GroupPlan, ...], split: Split) -> Outcome:
    """One split, warm-up and all."""
    plant, copies = _plant(settings, split)
    simulation = Simulation(plant, _workload(settings, recorded))
    simulation.run(settings.warm_up)
    before, began = simulation.books(), simulation.events.now
    simulation.run(settings.warm_up + settings.steps)
    spent, seconds = less(simulation.books(), before), simulation.events.now - began
    steps = simulation.steps[settings.warm_up :]
    tokens_s = copies * sum(step.tokens for step in steps) / seconds
    learning = sum(step.learned - step.began for step in steps)
    landing = sum(step.landed - step.learned for step in steps)
    whole = seconds * plant.engines
    return Outcome(
        split=split,
        batch=settings.group.batch(split.gpus),
        copies=copies,
        step_s=seconds / len(steps),
        tokens_s=tokens_s,
        gpu_s=1e6 * split.gpus / tokens_s,
        sampler_busy=(spent.decoding + spent.prefilling) / whole,
        sampler_speed=(spent.full_speed + spent.prefilling) / whole,
        sampler_waits={
            "weights": spent.loading / whole,
            "tools": spent.tools / whole,
            "capacity": spent.closed / whole,
        },
        learner_busy=learning / seconds,
        learner_waits={"weights": landing / seconds, "groups": 1.0 - (learning + landing) / seconds},
        ages=summarised(added(step.ages for step in steps), weigher(settings)),
    )


def _workload(settings: SimulationSettings, recorded: tuple[GroupPlan, ...]) -> Workload:
    random = np.random.default_rng(settings.seed)
    if recorded:
        return Recorded(recorded, random)
    return Drawn(settings.rollout, settings.group.scaffolds, settings.group.per_scaffold, random)


def _plant(settings: SimulationSettings, split: Split) -> tuple[Plant, float]:
    """The plant to simulate, and how many real engines and groups each of its own stands for.

    Engines are alike and groups go to any of them, so a cluster with ten times the engines, batch and learner does ten
    times the work at the same ages; only chance averages out better in it. So many engines are simulated by a few, each
    group's tokens counted several times for the learner.
    """
    engines = split.samplers // settings.engine.gpus
    batch = settings.group.batch(split.gpus)
    own = min(engines, settings.most_engines)
    own_batch = max(1, round(batch * own / engines))
    copies = batch / own_batch
    transfer, per_gpu = settings.transfer, settings.sandbox.per_gpu
    return Plant(
        engines=own,
        curve=settings.engine.curve(),
        prefill_s=settings.engine.prefill_us / 1e6,
        learn_fixed_s=settings.learner.fixed_s,
        learn_token_s=copies * _learner_token_s(settings, split.learners),
        publish_s=transfer.publish_s + transfer.per_doubling_s * math.log2(engines),
        load_s=transfer.load_s,
        tools=None if per_gpu is None else max(1, round(per_gpu * split.gpus * own / engines)),
        admission=Admission(own_batch, 0 if split.shared else settings.age.max_age),
    ), copies


def _learner_token_s(settings: SimulationSettings, gpus: int) -> float:
    """Seconds per token carried. Raises ConfigError where neither the settings nor a run say it."""
    learner = settings.learner
    if learner.token_us is None:
        raise ConfigError("learner.token_us is not given: set it, or give --run a run that measured it")
    doublings = math.log2(gpus / learner.least_gpus)
    return learner.token_us / 1e6 / (gpus * math.pow(learner.per_doubling, doublings))


def _best(settings: SimulationSettings, recorded: tuple[GroupPlan, ...], gpus: int) -> Outcome | None:
    """The split that was asked for, or the balanced one; of two beside it that which trains more tokens a second."""
    found = [simulated(settings, recorded, split) for split in _splits(settings, recorded, gpus)]
    return max(found, key=lambda outcome: outcome.tokens_s, default=None)


def _together(settings: SimulationSettings, recorded: tuple[GroupPlan, ...], gpus: int) -> Outcome | None:
    samplers = gpus // settings.engine.gpus * settings.engine.gpus
    if not samplers or gpus < settings.learner.least_gpus:
        return None
    return simulated(settings, recorded, Split(gpus, samplers, gpus, shared=True))


def _splits(settings: SimulationSettings, recorded: tuple[GroupPlan, ...], gpus: int) -> list[Split]:
    """None where there is no room for both roles."""
    each, least = settings.engine.gpus, settings.learner.least_gpus
    most = (gpus - least) // each  # engines
    if most < 1:
        return []
    if settings.sampler_share is not None:
        wanted = {round(settings.sampler_share * gpus / each)}
    else:
        balanced = _balanced(settings, _workload(settings, recorded), gpus) / each
        wanted = {math.floor(balanced), math.ceil(balanced)} if balanced < _FEW else {round(balanced)}
    engines = sorted({min(most, max(1, count)) for count in wanted})
    return [Split(gpus, each * count, gpus - each * count, shared=False) for count in engines]


def _balanced(settings: SimulationSettings, workload: Workload, gpus: int) -> float:
    """GPUs that should sample so that both roles take the same time, were none ever to wait.

    With x of n GPUs, sampling a group takes a / x seconds and learning from it b / (n - x): equal at x = n a / (a + b).
    b depends on n - x itself, a little, so this is repeated.
    """
    curve = settings.engine.curve()
    groups = [workload.group() for _ in range(_ESTIMATED_FROM)]
    tokens = sum(group.tokens for group in groups)
    carried = sum(group.carried for group in groups)
    engine_s = tokens * curve[-1] / (len(curve) - 1) + (carried - tokens) * settings.engine.prefill_us / 1e6
    a, x = engine_s * settings.engine.gpus, gpus / 2
    batches = _ESTIMATED_FROM / settings.group.batch(gpus)
    for _ in range(20):
        learners = max(settings.learner.least_gpus, gpus - x)
        b = learners * (carried * _learner_token_s(settings, math.ceil(learners)) + batches * _fixed_s(settings))
        x = gpus * a / (a + b)
    return x


def _fixed_s(settings: SimulationSettings) -> float:
    return settings.learner.fixed_s + settings.transfer.publish_s + settings.transfer.load_s


def weigher(settings: SimulationSettings) -> Callable[[int], float]:
    """w(d) with the settings' K1, K2 and lambda."""
    s = settings.age
    return lambda age: staleness_weight(age, s.k1, s.k2, s.decay)
