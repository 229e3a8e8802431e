"""One running request: what was sampled for it so far, token by token."""

from dataclasses import dataclass, field

import numpy as np

from bowerbird.inference.grammar import GrammarState
from bowerbird.inference.protocol import Request
from bowerbird.types import Completion


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

    def add(self, token: int, logprob: float, version: int, sampled: bool, choices: tuple[int, ...] | None) -> None:
        self.ids.append(token)
        self.logprobs.append(logprob)
        self.versions.append(version)
        self.sampled.append(sampled)
        self.choices.append(choices)

    def completion(self) -> Completion:
        return Completion(
            prompt_ids=self.request.prompt_ids,
            token_ids=tuple(self.ids),
            logprobs=tuple(self.logprobs),
            versions=tuple(self.versions),
            sampled=tuple(self.sampled),
            choices=tuple(self.choices),
            sampling=self.request.sampling,
            finish=self.finish,
            text=self.text,
        )
