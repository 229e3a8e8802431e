"""A learner in a process of its own: updates, publishes and saves while others go on sampling.

orchestrator ── Update ──▶ learner process ── Learned ──▶ orchestrator
                                 │
                                 └── versions/N, checkpoints/N (complete before Learned is sent)
"""

import ctypes
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.trainer import checkpoint
from bowerbird.trainer.learner import Learner, LearnerStats
from bowerbird.trainer.publish import complete, publish
from bowerbird.types import BowerbirdError, PolicyVersion, RunError, TrainingSample

_PR_SET_PDEATHSIG = 1


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

    Raises what the learner raised, from `__init__` (a model that cannot be loaded) and from `poll`; RunError when the
    process died.
    """

    def __init__(self, plan: LearnerPlan) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(plan, theirs, os.getpid()), daemon=True, name="learner")
        self._process.start()
        theirs.close()
        self.busy = False
        self.version: PolicyVersion = self._receive()

    def begin(self, update: Update) -> None:
        self._send(update)
        self.busy = True

    def save(self, number: int) -> None:
        """Checkpoint step `number`, the newest. An error is raised by what is called next."""
        self._send(Save(number))

    def finish(self) -> None:
        """Let it do all it was told, and end."""
        self._send(None)
        try:
            self._receive()
        finally:
            self.close()

    def poll(self, seconds: float) -> Learned | None:
        """The update's result if it comes within `seconds`."""
        if not self._pipe.poll(seconds):
            return None
        self.busy = False
        learned: Learned = self._receive()
        return learned

    def close(self) -> None:
        """Let go of the learner; an update under way is lost, and done again after a resume."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def _send(self, message: Update | Save | None) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._died() from error

    def _receive(self) -> Any:
        try:
            found = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        if isinstance(found, BowerbirdError):
            raise found
        return found

    def _died(self) -> RunError:
        self._process.join(5)
        return RunError(
            f"the learner's process died (exit code {self._process.exitcode}); no accepted rollout is lost: go on with "
            "--resume"
        )


def _serve(plan: LearnerPlan, pipe: "Connection[Any, Any]", parent: int) -> None:
    """The learner's process, to the end of the pipe."""
    _die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the orchestrator's to handle
    torch.set_num_threads(plan.threads)
    try:
        learner, version = _begin(plan)
        pipe.send(version)
        while (message := pipe.recv()) is not None:
            if isinstance(message, Save):
                checkpoint.save(learner, plan.source, plan.checkpoints, message.number, {})
            else:
                pipe.send(_update(plan, learner, message))
        pipe.send(None)
    except EOFError:
        return
    except BowerbirdError as error:
        pipe.send(error)


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


def _die_with(parent: int) -> None:
    """A learner that outlived its orchestrator could publish into a run that goes on elsewhere: the kernel ends it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
