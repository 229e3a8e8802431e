"""A sampler without a model: it answers by a rule. For tests of whatever stands on top of a sampler."""

from collections.abc import Callable, Sequence

from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import Request
from bowerbird.types import Completion, PolicyVersion

_LOGPROB = -0.5


class FakeSampler:
    """Answers every request with `reply(request)`, cut at its `max_tokens`. One a step, in order."""

    def __init__(self, chat: Chat, reply: Callable[[Request], str], version: int = 0) -> None:
        self._chat, self._reply, self._version = chat, reply, version
        self._waiting: list[tuple[int, Request]] = []
        self.requests: list[Request] = []  # all that were asked, for assertions

    @property
    def version(self) -> int:
        return self._version

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        return [self._answer(request) for request in requests]

    def submit(self, request: Request) -> int:
        self.requests.append(request)
        self._waiting.append((len(self.requests), request))
        return len(self.requests)

    def step(self) -> list[tuple[int, Completion]]:
        if not self._waiting:
            return []
        ticket, request = self._waiting.pop(0)
        return [(ticket, self._answer(request))]

    def load(self, version: PolicyVersion) -> None:
        self._version = version.number

    def _answer(self, request: Request) -> Completion:
        ids = self._chat.encode(self._reply(request))
        kept = ids[: request.sampling.max_tokens]
        n = len(kept)
        return Completion(
            prompt_ids=request.prompt_ids,
            token_ids=kept,
            logprobs=(_LOGPROB,) * n,
            versions=(self._version,) * n,
            sampled=(True,) * n,
            choices=(None,) * n,
            sampling=request.sampling,
            finish="stop" if n == len(ids) else "length",
            text=self._chat.decode(kept),
        )
