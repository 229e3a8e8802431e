"""One sampler for many threads."""

import threading

from bowerbird.inference.protocol import Request, Sampler
from bowerbird.types import Completion


class SharedSampler:
    """Threads take turns to move the sampler on: whoever has the turn moves everybody's answer.

    How many are sampled side by side is the sampler's own business. Nobody else may use it meanwhile.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.chat = sampler.chat
        self._sampler = sampler
        self._lock = threading.Lock()
        self._done: dict[int, Completion] = {}

    def answer(self, request: Request) -> Completion:
        """One request to its end."""
        with self._lock:
            ticket = self._sampler.submit(request)
        while True:
            with self._lock:
                if ticket in self._done:
                    return self._done.pop(ticket)
                self._done.update(self._sampler.step())
