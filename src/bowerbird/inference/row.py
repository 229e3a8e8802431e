"""One running request: what was sampled for it so far, token by token, and when it ends.

It begins with what its request has already: under a grammar in the state that those tokens have led to, and with the
random numbers that come next, so that it goes on as if it had not been interrupted.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bowerbird.inference.chat import answered
from bowerbird.inference.choose import draw_among
from bowerbird.inference.grammar import GrammarCompiler, GrammarState
from bowerbird.inference.protocol import Part, Request
from bowerbird.types import Completion

_SHORT = 8  # tokens that a stop text is within


@dataclass(slots=True, eq=False)
class Row:
    """The per-token columns have one entry for each token of the answer, forced ones included."""

    ticket: int
    request: Request
    random: np.random.Generator
    grammar: GrammarState | None
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    sampled: list[bool] = field(default_factory=list)
    choices: list[tuple[int, ...] | None] = field(default_factory=list)
    finish: str = ""
    text: str = ""
    told: int = 0  # of its tokens, those that `news` told of

    def __post_init__(self) -> None:
        begun = self.request.begun
        self.ids += begun.token_ids
        self.logprobs += begun.logprobs
        self.versions += begun.versions
        self.sampled += begun.sampled
        self.choices += begun.choices
        self.told = len(self.ids)
        self.random.random(sum(begun.sampled))
        if self.grammar is not None:
            for token in begun.token_ids:
                self.grammar.consume(token)

    def add(self, token: int, logprob: float, version: int, sampled: bool, choices: tuple[int, ...] | None) -> None:
        self.ids.append(token)
        self.logprobs.append(logprob)
        self.versions.append(version)
        self.sampled.append(sampled)
        self.choices.append(choices)

    @classmethod
    def begun(cls, ticket: int, request: Request, grammars: GrammarCompiler, version: int) -> "Row":
        """A fresh one, with what its grammar forces from the start."""
        grammar = grammars.start(request.schema) if request.schema else None
        row = cls(ticket, request, np.random.default_rng(request.sampling.seed), grammar)
        row.force(version)
        return row

    @property
    def free(self) -> bool:
        """Whether the next token comes from the whole vocabulary."""
        return self.grammar is None or self.grammar.open

    def took(
        self,
        token: int,
        logprob: float,
        version: int,
        ends: Collection[int],
        decode: Callable[[Sequence[int]], str],
    ) -> None:
        """A token sampled from the whole vocabulary. `ends` are the tokens that end a turn; under a grammar whatever it
        does not allow ends the answer, which is then none."""
        self.add(token, logprob, version, True, None)
        if (token in ends or self._stopped(decode)) if self.grammar is None else not self.grammar.accepts(token):
            self.finish = "stop"
        elif len(self.ids) >= self.request.sampling.max_tokens:
            self.finish = "length"
        elif self.grammar is not None:
            self.grammar.consume(token)
            self.force(version)

    def choose(self, values: NDArray[np.float64], allowed: tuple[int, ...], version: int) -> None:
        """Draw one of the tokens that the grammar allows, of logits or log-probabilities `values` [allowed], and append
        what is forced then."""
        assert self.grammar is not None
        sampling = self.request.sampling
        token, logprob = draw_among(values, allowed, sampling.temperature, sampling.explore, self.random.random())
        self.grammar.consume(token)
        self.add(token, logprob, version, True, allowed)
        if len(self.ids) >= sampling.max_tokens:
            self.finish = "length"
        else:
            self.force(version)

    def force(self, version: int) -> None:
        """Append the run that the grammar forces: no sampling, log-probability 0."""
        if self.grammar is None:
            return
        for token in self.grammar.take_forced():
            self.add(token, 0.0, version, False, None)
        if self.grammar.done:
            self.finish = "stop"
        elif len(self.ids) >= self.request.sampling.max_tokens:
            self.finish = "length"

    def _stopped(self, decode: Callable[[Sequence[int]], str]) -> bool:
        stop, count = self.request.stop, self.request.stop_count
        if not stop or stop not in decode(self.ids[-_SHORT:]):
            return False
        return answered(self.request.prompt_ids, decode(self.ids), decode).count(stop) >= count

    def part(self, since: int = 0) -> Part:
        """Its tokens from that one on."""
        return Part(
            tuple(self.ids[since:]),
            tuple(self.logprobs[since:]),
            tuple(self.versions[since:]),
            tuple(self.sampled[since:]),
            tuple(self.choices[since:]),
        )

    def completion(self) -> Completion:
        return Completion(self.request.prompt_ids, *self.part(), self.request.sampling, self.finish, self.text)


def news(rows: Iterable[Row]) -> list[tuple[int, Part]]:
    """See `Sampler.news`."""
    found = []
    for row in rows:
        if row.told < len(row.ids):
            found.append((row.ticket, row.part(row.told)))
            row.told = len(row.ids)
    return found
