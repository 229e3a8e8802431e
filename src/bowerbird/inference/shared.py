"""One sampler for many threads."""

import threading

from bowerbird.inference.protocol import AnswerLost, Request, Sampler
from bowerbird.types import Completion, InfraError


class SharedSampler:
    """Threads take turns to move the sampler on: whoever has the turn moves everybody's answer.

    How many are sampled side by side is the sampler's own business. Nobody else may use it until it is stopped.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.chat = sampler.chat
        self._sampler = sampler
        self._lock = threading.Lock()
        self._done: dict[int, Completion] = {}
        self._lost: dict[int, AnswerLost] = {}
        self._stopped = False

    def stop(self) -> None:
        """Whoever waits for an answer gets none, and the sampler is not touched again."""
        with self._lock:
            self._stopped = True

    def answer(self, request: Request) -> Completion:
        """One request to its end. Raises AnswerLost where that does not come, and InfraError once this is stopped."""
        with self._lock:
            if self._stopped:
                raise InfraError("nobody samples any more")
            ticket = self._sampler.submit(request)
        while True:
            with self._lock:
                if self._stopped:
                    raise InfraError("nobody samples any more")
                if ticket in self._done:
                    return self._done.pop(ticket)
                if ticket in self._lost:
                    raise self._lost.pop(ticket)
                self._move()

    def _move(self) -> None:
        try:
            self._done.update(self._sampler.step())
        except AnswerLost as lost:
            self._lost[lost.ticket] = lost
