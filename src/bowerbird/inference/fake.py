"""A sampler and a chat without a model. For tests, and for scripted policies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from bowerbird.inference.chat import Chat
from bowerbird.inference.protocol import AnswerLost, Request, Sampler
from bowerbird.types import Completion, InfraError, PolicyVersion

_LOGPROB = -0.5


class _Bytes:
    """A tokenizer whose ids are bytes of UTF-8, with the plainest of chat templates."""

    chat_template = "role: content"
    eos_token_id = 0

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": list(text.encode("utf-8", "replace"))}

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        return bytes(i for i in ids if i).decode("utf-8", "replace")

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], **_: Any) -> str:
        return "".join(f"{m['role']}: {m['content']}\0" for m in messages) + "assistant: "


def byte_chat() -> Chat:
    """A chat without a model's tokenizer: a token is a byte. Needs no extra."""
    return Chat(cast(Any, _Bytes()))


class FakeSampler(Sampler):
    """Answers every request with `reply(request)`, cut at its `max_tokens`. One a step, in order. Where that
    raises InfraError the answer is lost."""

    def __init__(self, chat: Chat, reply: Callable[[Request], str], version: int = 0) -> None:
        self.chat, self._reply, self._version = chat, reply, version
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
        try:
            return [(ticket, self._answer(request))]
        except InfraError as error:
            raise AnswerLost(ticket, str(error)) from error

    def load(self, version: PolicyVersion) -> None:
        self._version = version.number

    def _answer(self, request: Request) -> Completion:
        ids = self.chat.encode(self._reply(request))
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
            text=self.chat.decode(kept),
        )
