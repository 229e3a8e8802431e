"""What a sampler is: token ids in; token ids, log-probabilities and policy versions out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bowerbird.inference.chat import Chat
from bowerbird.types import Completion, InfraError, PolicyVersion, Sampling


class Part(NamedTuple):
    """Some tokens of an answer, one after the other: columns as those of a `Completion`."""

    token_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    versions: tuple[int, ...] = ()
    sampled: tuple[bool, ...] = ()
    choices: tuple[tuple[int, ...] | None, ...] = ()


_NOTHING = Part()
_TRIES = 3  # for an answer that is lost


@dataclass(frozen=True, slots=True)
class Request:
    """One model call.

    `schema` is a JSON schema the output must follow ("" for free text). Sampling ends at an end-of-turn token,
    at `max_tokens`, when the grammar is complete, or when `stop` has occurred `stop_count` times in the answer, its
    reasoning (`chat.spoken`) not counted.
    `begun` is what was sampled of the answer before, by a sampler that is gone: it begins with that, and goes on.
    """

    prompt_ids: tuple[int, ...]
    sampling: Sampling
    schema: str = ""
    stop: str = ""
    stop_count: int = 1
    begun: Part = _NOTHING


def fits(request: Request, context: int) -> bool:
    """Whether prompt and answer have room in a model's context of so many tokens."""
    return len(request.prompt_ids) + request.sampling.max_tokens <= context


def no_answer(request: Request) -> Completion:
    """What a request gets whose prompt does not fit into the model's context: nothing."""
    return Completion(request.prompt_ids, (), (), (), (), (), request.sampling, "too_long")


class AnswerLost(InfraError):
    """The answer to the request of this ticket will not come. Others may."""

    def __init__(self, ticket: int, why: str) -> None:
        super().__init__(ticket, why)
        self.ticket, self._why = ticket, why

    def __str__(self) -> str:
        return self._why


class Sampler(Protocol):
    """Samples many requests at once. The order of results does not depend on timing, so runs repeat exactly.

    `chat` renders prompts for its model.
    """

    chat: Chat

    @property
    def version(self) -> int:
        """The policy version whose weights are loaded."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """All requests to completion, in the order given. Nothing else may be under way. Raises AnswerLost for one that
        was lost as often as it was asked for."""
        waiting = {self.submit(request): i for i, request in enumerate(requests)}
        done: dict[int, Completion] = {}
        lost: Counter[int] = Counter()
        while waiting:
            try:
                done.update((waiting.pop(ticket), completion) for ticket, completion in self.step())
            except AnswerLost as error:
                i = waiting.pop(error.ticket)
                lost[i] += 1
                if lost[i] == _TRIES:
                    raise
                waiting[self.submit(requests[i])] = i
        return [done[i] for i in range(len(requests))]

    def submit(self, request: Request) -> int:
        """Queue a request; the ticket names it in what `step` returns. One that can never fit gets `no_answer`."""
        ...

    def step(self) -> list[tuple[int, Completion]]:
        """Advance every running row and refill free places; the tickets that finished, with their completions. Raises
        AnswerLost for one of them, and goes on with the others when it is called again."""
        ...

    def news(self) -> Sequence[tuple[int, Part]]:
        """By ticket, the tokens that unfinished answers have more than at the last call. Whoever keeps them can go on
        elsewhere (`Request.begun`). A sampler may tell nothing."""
        return ()

    def load(self, version: PolicyVersion) -> None:
        """Take published weights. Raises ModelError where the directory is not a complete version."""
        ...
