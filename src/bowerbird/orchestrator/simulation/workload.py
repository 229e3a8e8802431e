"""What groups consist of, in turns, tokens and seconds: drawn from distributions, or recorded and played again."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bowerbird.orchestrator.simulation.settings import Distribution, RolloutSettings


class Call(NamedTuple):
    """One model call: tokens to sample, one engine step each, and tokens to carry through the model before."""

    tokens: int
    prompt: int


class Turn(NamedTuple):
    """Calls made together, and the seconds of the tools that start together once all of them have come."""

    calls: tuple[Call, ...]
    tools: tuple[float, ...]


class GroupPlan(NamedTuple):
    """One task: proposals first, then all rollouts at once, then `grading_s` seconds of grading."""

    proposals: tuple[Call, ...]
    rollouts: tuple[tuple[Turn, ...], ...]
    grading_s: float

    @property
    def calls(self) -> list[Call]:
        return [*self.proposals, *(call for turns in self.rollouts for turn in turns for call in turn.calls)]

    @property
    def tokens(self) -> int:
        """Sampled, and so trained."""
        return sum(call.tokens for call in self.calls)

    @property
    def carried(self) -> int:
        """Through the learner: every prompt, tool output and sampled token once."""
        return sum(call.tokens + call.prompt for call in self.calls)


class Workload(Protocol):
    """An endless stream of groups."""

    def group(self) -> GroupPlan: ...


class Drawn:
    """Groups drawn from the distributions in `settings`, every figure independent of the others."""

    def __init__(
        self, settings: RolloutSettings, scaffolds: int, per_scaffold: int, random: np.random.Generator
    ) -> None:
        self._settings, self._random = settings, random
        self._scaffolds, self._rollouts = scaffolds, scaffolds * per_scaffold

    def group(self) -> GroupPlan:
        s = self._settings
        prompts, tokens = (self._whole(each, self._scaffolds) for each in (s.scaffold_prompt, s.scaffold_tokens))
        proposals = tuple(Call(max(1, count), prompt) for count, prompt in zip(tokens, prompts, strict=True))
        rollouts = tuple(self._rollout(max(1, turns)) for turns in self._whole(s.turns, self._rollouts))
        return GroupPlan(proposals, rollouts, float(s.grading_s.draw(self._random, 1)[0]))

    def _rollout(self, turns: int) -> tuple[Turn, ...]:
        """The first turn carries the prompt, each later one what the tool before it put out."""
        s = self._settings
        tokens, outputs = self._whole(s.tokens, turns), self._whole(s.output, turns)
        outputs[0] = self._whole(s.prompt, 1)[0]
        tools = s.tool_s.draw(self._random, turns).tolist()
        return tuple(
            Turn((Call(max(1, count), prompt),), (seconds,))
            for count, prompt, seconds in zip(tokens, outputs, tools, strict=True)
        )

    def _whole(self, distribution: Distribution, count: int) -> list[int]:
        drawn: NDArray[np.int64] = np.rint(distribution.draw(self._random, count)).astype(np.int64)
        return [int(value) for value in drawn]


class Recorded:
    """Groups that really ran: at random with `random`, else in the order given, and again from the start."""

    def __init__(self, groups: Sequence[GroupPlan], random: np.random.Generator | None = None) -> None:
        self._groups, self._random, self._next = groups, random, 0

    def group(self) -> GroupPlan:
        count = len(self._groups)
        chosen = self._next % count if self._random is None else int(self._random.integers(count))
        self._next += 1
        return self._groups[chosen]
