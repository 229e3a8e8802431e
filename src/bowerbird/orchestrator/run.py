"""A run from its configuration: makes the parts, runs the steps, keeps what must survive."""

import math
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bowerbird.config import Config
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.models import resolve
from bowerbird.inference.opening import hardware, open_sampler
from bowerbird.inference.protocol import Sampler
from bowerbird.orchestrator.curriculum import Curriculum
from bowerbird.orchestrator.disk import Room, room
from bowerbird.orchestrator.experience import Experience
from bowerbird.orchestrator.grading import Grader, open_defences
from bowerbird.orchestrator.loop import Loop, Step
from bowerbird.orchestrator.pipeline import Pipeline
from bowerbird.orchestrator.progress import StepReport, Watcher
from bowerbird.orchestrator.reporting import doubts
from bowerbird.orchestrator.store import RunStore
from bowerbird.orchestrator.wave import Stages
from bowerbird.sandbox import Sandbox, open_sandbox
from bowerbird.scaffold.archive import Archive
from bowerbird.tasks import TaskSet
from bowerbird.trainer import checkpoint
from bowerbird.trainer.learner import Learner
from bowerbird.trainer.process import LearnerPlan, LearnerProcess
from bowerbird.trainer.publish import complete, forget, publish, retain
from bowerbird.types import BowerbirdError, PolicyVersion, RunError

_KEPT_VERSIONS = 2


class Interrupted(BowerbirdError):
    """The user stopped the run; everything up to the last whole step is saved."""


@contextmanager
def sampling_parts(
    config: Config, path: str, version: int, watcher: Watcher, hide: Iterable[Path] = ()
) -> Iterator[tuple[Sampler, Sandbox, ThreadPoolExecutor]]:
    """What training and evaluation share. The sandbox is probed first: without one nothing starts.

    The folder that the tasks come from, and those in `hide`, look empty in it wherever they lie.
    """
    hidden = (Path(config.tasks.source), *hide)
    sandbox = open_sandbox(config.sandbox.backend, watch=config.monitor.watch, hide=hidden)
    with (
        open_sampler(config, path, version, watcher.says) as sampler,
        ThreadPoolExecutor(config.sandbox.workers, thread_name_prefix="sandbox") as pool,
    ):
        yield sampler, sandbox, pool


def train(store: RunStore, config: Config, tasks: TaskSet, watcher: Watcher) -> PolicyVersion:
    """All remaining steps of the run in `store`; the last version. Goes on from the newest checkpoint if there is one.

    Raises Interrupted after Ctrl-C, once the step at hand is finished and saved.
    """
    source = resolve(config.model.name, watcher.says)
    load_tokenizer(source)  # a model that is not there is said here, in one clear line
    done = max(complete(store.checkpoints), default=0)
    store.rewind(done)
    forget(store.versions, done)
    store.add_tasks(tasks.views.values())
    return (_synchronous if config.loop == "sync" else _overlapped)(store, config, tasks, watcher, source, done)


def _synchronous(
    store: RunStore, config: Config, tasks: TaskSet, watcher: Watcher, source: str, done: int
) -> PolicyVersion:
    """The loop of loop.py, in this process."""
    weights = str(store.checkpoints / str(done)) if done else source
    where = hardware(config)
    learner = Learner(
        source if config.model.lora_rank else weights,
        config.learner,
        config.algo,
        dtype=where.dtype,
        device=where.device,
        lora_rank=config.model.lora_rank,
    )
    state: dict[str, Any] = checkpoint.load(learner, store.checkpoints, done) if done else {}
    with (
        sampling_parts(config, source, 0, watcher, [store.folder]) as (engine, sandbox, pool),
        open_defences(config, sandbox, watcher, store.folder) as defences,
    ):

        def publisher(number: int) -> PolicyVersion:
            version = publish(learner.base, source, store.versions, number)
            store.add_version(version, number)
            retain(store.versions, _KEPT_VERSIONS)
            return version

        grader = Grader(tasks, sandbox, defences, pool)
        stages = Stages(tasks, engine.chat, engine, sandbox, pool, grader)
        experience = _experience(store, config, tasks, state.get("curriculum", {}))
        loop = Loop(config, stages, learner, publisher, experience, watcher)
        version = PolicyVersion(done, str(store.versions / str(done)))
        if done not in complete(store.versions):
            version = publisher(done)
        if done:
            engine.load(version)
            watcher.says(f"going on after step {done}")
        save = partial(checkpoint.save, learner, source, store.checkpoints)
        return _steps(loop, store, config, version, watcher, save)


def _overlapped(
    store: RunStore, config: Config, tasks: TaskSet, watcher: Watcher, source: str, done: int
) -> PolicyVersion:
    """The loop of pipeline.py, with the learner in a process of its own."""
    where = hardware(config)
    cores = len(os.sched_getaffinity(0))
    plan = LearnerPlan(
        source,
        config.learner,
        config.algo,
        where.dtype,
        str(where.device),
        config.model.lora_rank,
        store.versions,
        store.checkpoints,
        done,
        threads=max(1, cores // 2),
    )
    torch.set_num_threads(max(1, cores - plan.threads))
    with (
        closing(LearnerProcess(plan)) as learner,
        sampling_parts(config, source, 0, watcher, [store.folder]) as (engine, sandbox, pool),
        open_defences(config, sandbox, watcher, store.folder) as defences,
    ):
        if done:
            engine.load(learner.version)
            watcher.says(f"going on after step {done}")
        grader = Grader(tasks, sandbox, defences, pool)
        stages = Stages(tasks, engine.chat, engine, sandbox, pool, grader)
        experience = _experience(store, config, tasks, store.ledger.rates())
        for groups in store.ledger.steps_after(done).values():
            for group in groups:
                experience.recall(group.credited)
        pipeline = Pipeline(config, stages, learner, experience, store.ledger, watcher, done)
        version = _landed(pipeline, learner, store, config, watcher)
        learner.finish()
        return version


def _experience(store: RunStore, config: Config, tasks: TaskSet, rates: Mapping[str, float]) -> Experience:
    curriculum = Curriculum(list(tasks.views.values()), config.curriculum)
    curriculum.restore(rates)
    return Experience(tasks, Archive(store.archived()), curriculum)


def _landed(
    pipeline: Pipeline, learner: LearnerProcess, store: RunStore, config: Config, watcher: Watcher
) -> PolicyVersion:
    """The pipeline's steps, kept as they land; the last version."""
    version = learner.version
    with _asked_to_stop() as stop:
        for step in pipeline.steps():
            version = step.version
            store.add_version(version, version.number)
            retain(store.versions, _KEPT_VERSIONS)
            _keep(step, store, config, watcher)
            asked, found = stop(), room(store.versions, store.checkpoints)
            last = version.number == config.steps or asked or _over(step, config, found)
            if last or version.number % config.checkpoint_every == 0:
                learner.save(version.number)
            store.ledger.forget_bodies(max(complete(store.checkpoints), default=0))
            if last and version.number < config.steps:
                learner.finish()
            _heed(step, asked, found, config, store, watcher)
    return version


def _steps(
    loop: Loop,
    store: RunStore,
    config: Config,
    version: PolicyVersion,
    watcher: Watcher,
    save: Callable[[int, dict[str, Any]], None],
) -> PolicyVersion:
    """The steps after `version` was published."""
    with _asked_to_stop() as stop:
        for number in range(version.number + 1, config.steps + 1):
            step = loop.step(number)
            version = step.version
            _keep(step, store, config, watcher)
            asked, found = stop(), room(store.versions, store.checkpoints)
            last = number == config.steps or asked or _over(step, config, found)
            if last or number % config.checkpoint_every == 0:
                save(number, {"curriculum": loop.experience.curriculum.state()})
            _heed(step, asked, found, config, store, watcher)
    return version


def _keep(step: Step, store: RunStore, config: Config, watcher: Watcher) -> None:
    _check(step.report)
    store.add_step(step.report.step, step.credited)
    store.add_metrics(step.report)
    watcher.stepped(step.report, config.steps)


def _over(step: Step, config: Config, found: Room) -> bool:
    """Whether `_heed` will end the run, so that its last step is saved. Both judge by the same look at the disk."""
    return step.report.flag_rate > config.monitor.stop_above or found.short


def _heed(step: Step, stop: bool, found: Room, config: Config, store: RunStore, watcher: Watcher) -> None:
    """End the run where the user, its flags or the disk want it. The step is saved."""
    heed_flags(step.report, config, store, watcher)
    if step.report.step < config.steps:
        heed_room(found, step.report.step, store.folder, watcher)
    for doubt in doubts(step.report):
        watcher.says(f"warning: step {step.report.step}: {doubt}")
    if stop:
        number = step.report.step
        raise Interrupted(f"stopped after step {number}; go on with: bowerbird train --resume {store.folder}")


def _check(report: StepReport) -> None:
    """Raises RunError for a step that could teach nothing because something is broken: it is not kept."""
    if report.infra_error and not report.valid + report.hacked:
        raise RunError(
            f"step {report.step}: the machinery failed for all {report.infra_error} rollouts. `bowerbird sandbox "
            "check` tells whether it is the sandbox; mend it, then go on with --resume"
        )
    if not math.isfinite(report.grad_norm):
        raise RunError(
            f"step {report.step}: the gradient is not finite, so nothing was learned. Go on from the last checkpoint "
            "with --resume; if it comes again, start anew with a lower learner.learning_rate or in float32"
        )


def heed_flags(report: StepReport, config: Config, store: RunStore, watcher: Watcher) -> None:
    """Warn, or stop the run, when too many of a step's rollouts were flagged. Raises RunError to stop it."""
    rate, rules = report.flag_rate, ", ".join(f"{rule} {count}" for rule, count in sorted(report.flags.items()))
    told = f"step {report.step}: {rate:.0%} of the rollouts were flagged ({rules}); see: bowerbird flags {store.folder}"
    if rate > config.monitor.stop_above:
        raise RunError(
            f"{told}. That is above monitor.stop_above; the step is saved. Mend the tasks or their verifier, "
            f"or go on all the same with: bowerbird train --resume {store.folder} --set monitor.stop_above=1"
        )
    if outages := report.opinions.get("outage"):
        transcripts = store.folder / "rollouts" / f"{report.step}.jsonl"
        watcher.says(f"warning: step {report.step}: no judge for {outages} rollouts; {transcripts} says why")
    if rate > config.monitor.warn_above:
        watcher.says(f"warning: {told}")


def heed_room(found: Room, step: int, folder: Path, watcher: Watcher) -> None:
    """Warn, or stop the run, when the disk is getting full. Raises RunError to stop it."""
    if found.short:
        raise RunError(
            f"stopped after step {step}, which is saved: {found}. Free some disk, then: "
            f"bowerbird train --resume {folder}"
        )
    if found.scarce:
        watcher.says(f"warning: {found}; the run stops below twice that")


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once: finish the step and save. Twice: stop at once; the run goes on from its last checkpoint."""
    asked = False

    def first(signum: int, frame: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
