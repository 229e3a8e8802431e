"""A judge behind an endpoint, in a process of its own.

    judge threads ── evidence ──▶ judge process ── opinion ──▶ whoever waits for it

Records, requests and answers are made there: done here they would hold the interpreter's lock again and again while the
sandboxes' threads want it, and cost far more than the processor time they take.
"""

import os
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bowerbird.child import Child, Pipe
from bowerbird.config import JudgeConfig
from bowerbird.rewards.evidence import Evidence
from bowerbird.rewards.judge.opening import open_judge
from bowerbird.types import BowerbirdError, InfraError, JsonValue, Opinion, ProcessDied

_NICE = 10  # its work is small and its answers take seconds: a sandbox that wants the processor has it


@dataclass(frozen=True, slots=True)
class Identity:
    """What a verdict and a calibration store of a judge; see `FrozenJudge`."""

    model: str
    model_hash: str
    prompt_hash: str
    settings: Mapping[str, JsonValue]


class JudgeProcess:
    """A `Judge`. One that is gone is started again at the next question; what it was asked is an outage.

    Raises ConfigError and RunError as `open_judge` does.
    """

    def __init__(self, config: JudgeConfig, folder: Path | None = None) -> None:
        self._config, self._folder = config, folder
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Opinion]] = {}
        self._asked = 0
        self._start()

    @property
    def model(self) -> str:
        return self._identity.model

    @property
    def model_hash(self) -> str:
        return self._identity.model_hash

    @property
    def prompt_hash(self) -> str:
        return self._identity.prompt_hash

    @property
    def settings(self) -> dict[str, JsonValue]:
        return dict(self._identity.settings)

    @property
    def pid(self) -> int:
        return self._child.pid

    def judge(self, evidence: Evidence) -> Opinion:
        """See `Judge`."""
        mine: Future[Opinion] = Future()
        with self._lock:
            if not self._listener.is_alive():
                self._child.close()
                self._start()
            self._asked += 1
            self._waiting[self._asked] = mine
            try:
                self._child.send((self._asked, _slim(evidence)))
            except ProcessDied as died:
                del self._waiting[self._asked]
                raise InfraError(str(died)) from died
        return mine.result()

    def close(self) -> None:
        self._child.close()
        self._listener.join()

    def _start(self) -> None:
        self._child = Child("judge", serve, self._config, self._folder)
        self._identity: Identity = self._child.receive()
        self._listener = threading.Thread(target=self._listen, args=(self._child,), name="judge", daemon=True)
        self._listener.start()

    def _listen(self, child: Child) -> None:
        """Hand out answers as they come, to the end of the process: then all who wait are told."""
        try:
            while True:
                number, found = child.receive()
                waiting = self._waiting.pop(number)
                if isinstance(found, Opinion):
                    waiting.set_result(found)
                else:
                    waiting.set_exception(found)
        except ProcessDied as died:
            with self._lock:
                left, self._waiting = self._waiting, {}
            for waiting in left.values():
                waiting.set_exception(InfraError(str(died)))


def _slim(evidence: Evidence) -> Evidence:
    """Without token ids and log-probabilities: no record shows them, and they are most of a rollout."""
    rollout, scaffold = replace(evidence.rollout, calls=()), replace(evidence.scaffold, completion=None)
    return replace(evidence, rollout=rollout, scaffold=scaffold)


def serve(pipe: Pipe, config: JudgeConfig, folder: Path | None) -> None:
    """The judge's process: as many questions side by side as the settings allow, and none before a sandbox's work."""
    os.nice(_NICE)
    judge = open_judge(config, folder)
    pipe.send(Identity(judge.model, judge.model_hash, judge.prompt_hash, judge.settings))
    lock = threading.Lock()

    def answer(number: int, evidence: Evidence) -> None:
        found: Opinion | BowerbirdError
        try:
            found = judge.judge(evidence)
        except InfraError as error:
            found = InfraError(str(error))  # one that was raised from another does not cross
        with lock:
            pipe.send((number, found))

    with ThreadPoolExecutor(config.at_once) as pool:
        while True:
            number, evidence = pipe.recv()
            pool.submit(answer, number, evidence).add_done_callback(_expect)


def _expect(answered: Future[None]) -> None:
    """A bug must not leave anybody waiting: the process ends, and those who wait are told."""
    error = answered.exception()
    if error is not None:
        traceback.print_exception(error)
        os._exit(1)
