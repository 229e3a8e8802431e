"""A learner in a process of its own: updates, publishes and saves while others go on sampling.

orchestrator ── Update ──▶ learner process ── Learned ──▶ orchestrator
                                 │
                                 └── versions/N, checkpoints/N (complete before Learned is sent)
"""

from dataclasses import dataclass
from pathlib import Path

import torch

from bowerbird.child import Child, Pipe
from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.trainer import checkpoint
from bowerbird.trainer.learner import Learner, LearnerStats
from bowerbird.trainer.publish import complete, publish
from bowerbird.types import PolicyVersion, TrainingSample


@dataclass(frozen=True, slots=True)
class LearnerPlan:
    """All that a learner is made from. `source` is the model the run starts from; `done` the checkpoint to go on from,
    0 for none."""

    source: str
    learner: LearnerConfig
    algo: AlgoConfig
    dtype: torch.dtype
    device: str
    lora_rank: int
    versions: Path
    checkpoints: Path
    done: int
    threads: int


@dataclass(frozen=True, slots=True)
class Update:
    """Step `number` on these samples; the learner's version before it is `number - 1`."""

    number: int
    samples: tuple[TrainingSample, ...]


@dataclass(frozen=True, slots=True)
class Save:
    """Write checkpoint `number`, the newest step done. Nothing is sent back."""

    number: int


@dataclass(frozen=True, slots=True)
class Learned:
    """A step that is done: its figures, and the version it published."""

    stats: LearnerStats
    version: PolicyVersion


class LearnerProcess:
    """The orchestrator's end. One update at a time.

    Raises what the learner raised, from `__init__` (a model that cannot be loaded) and from `poll`; ProcessDied when
    the process is gone.
    """

    def __init__(self, plan: LearnerPlan) -> None:
        self._child = Child("learner", _serve, plan)
        self.busy = False
        self.version: PolicyVersion = self._child.receive()

    @property
    def pid(self) -> int:
        return self._child.pid

    def begin(self, update: Update) -> None:
        self._child.send(update)
        self.busy = True

    def save(self, number: int) -> None:
        """Checkpoint step `number`, the newest. An error is raised by what is called next."""
        self._child.send(Save(number))

    def finish(self) -> None:
        """Let it do all it was told, and end."""
        try:
            self._child.send(None)
            self._child.receive()
        finally:
            self.close()

    def poll(self, seconds: float) -> Learned | None:
        """The update's result if it comes within `seconds`."""
        if not self._child.poll(seconds):
            return None
        self.busy = False
        learned: Learned = self._child.receive()
        return learned

    def close(self) -> None:
        """Let go of the learner; an update under way is lost, and done again after a resume."""
        self._child.close()


def _serve(pipe: Pipe, plan: LearnerPlan) -> None:
    """The learner's process, to the end of the pipe."""
    torch.set_num_threads(plan.threads)
    learner, version = _begin(plan)
    pipe.send(version)
    while (message := pipe.recv()) is not None:
        if isinstance(message, Save):
            checkpoint.save(learner, plan.source, plan.checkpoints, message.number, {})
        else:
            pipe.send(_update(plan, learner, message))
    pipe.send(None)


def _begin(plan: LearnerPlan) -> tuple[Learner, PolicyVersion]:
    """The learner as its checkpoint left it, and its version, published."""
    from_source = plan.lora_rank or not plan.done
    learner = Learner(
        plan.source if from_source else str(plan.checkpoints / str(plan.done)),
        plan.learner,
        plan.algo,
        dtype=plan.dtype,
        device=torch.device(plan.device),
        lora_rank=plan.lora_rank,
    )
    if plan.done:
        checkpoint.load(learner, plan.checkpoints, plan.done)
    if plan.done in complete(plan.versions):
        return learner, PolicyVersion(plan.done, str(plan.versions / str(plan.done)))
    return learner, publish(learner.base, plan.source, plan.versions, plan.done)


def _update(plan: LearnerPlan, learner: Learner, update: Update) -> Learned:
    stats = learner.step(update.samples, update.number - 1)
    return Learned(stats, publish(learner.base, plan.source, plan.versions, update.number))
