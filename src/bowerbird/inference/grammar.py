"""Structured output: which tokens a JSON schema allows next, and which it forces.

The matching is llguidance's. On top of it a *choice* is reduced to one token an option: an allowed token that begins
longer allowed ones is left out where these cover all that could follow it, so that picking `visible_pass` is one
decision with one probability, not a walk over `v`, `vis`, `visible`. Where almost everything is allowed, as inside a
string, the grammar is *open*: text is sampled there as if there were none, and a token that it does not allow ends the
answer. A list of all allowed tokens for each would be longer than all else that is kept of a run.
"""

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from llguidance import LLMatcher
from llguidance.hf import from_tokenizer

from bowerbird.types import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MOST_CHOICES = 128  # more allowed tokens than this is free text


class GrammarCompiler:
    """Compiles schemas for one tokenizer."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = from_tokenizer(cast(Any, tokenizer))

    def start(self, schema: str) -> "GrammarState":
        """A fresh state. Raises ConfigError when `schema` is not a JSON schema the library can compile."""
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
        except (ValueError, json.JSONDecodeError) as error:
            raise ConfigError(f"the grammar does not compile: {error}") from error
        matcher = LLMatcher(self._tokenizer, grammar)
        if matcher.is_error():
            raise ConfigError(f"the grammar does not compile: {matcher.get_error()}")
        return GrammarState(matcher, self._tokenizer)


class GrammarState:
    """One row's place in its grammar."""

    def __init__(self, matcher: LLMatcher, tokenizer: Any) -> None:
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._here: list[int] | None = None  # what may come at this place, once it was asked for

    def take_forced(self) -> list[int]:
        """The tokens that must come now, which are thereby consumed; often none."""
        forced: list[int] = []
        while not self.done:
            run = list(self._matcher.compute_ff_tokens())
            if (
                not run
            ):  # the library leaves open how a forced text is cut into tokens; one option is forced all the same
                if self.open:
                    break
                run = list(self.allowed())
                if len(run) > 1:
                    break
            self._matcher.consume_tokens(run)
            self._here = None
            forced += run
        return forced

    @property
    def open(self) -> bool:
        """Whether so much is allowed that no list of it is kept."""
        return len(self._followers()) > _MOST_CHOICES

    def accepts(self, token: int) -> bool:
        return bool(self._matcher.validate_tokens([token]) == 1)

    def allowed(self) -> tuple[int, ...]:
        """The token ids allowed next, ascending, one an option. Not to be asked for where the grammar is open."""
        ids = self._followers()
        texts = {i: self._tokenizer.decode_bytes([i]) for i in ids}
        return tuple(i for i in ids if not self._covered(i, texts))

    def _covered(self, token: int, texts: dict[int, bytes]) -> bool:
        """Whether all that could follow `token` is also said by longer allowed tokens, so that it can be left out."""
        text = texts[token]
        longer = [other for other in texts.values() if other != text and other.startswith(text)]
        if not text or not longer:
            return False
        self._matcher.consume_token(token)
        may_end, following = self._matcher.is_accepting(), self._next()
        self._matcher.rollback(1)
        wholes = (text + self._tokenizer.decode_bytes([i]) for i in following)
        return not may_end and all(any(w.startswith(o) or o.startswith(w) for o in longer) for w in wholes)

    def _followers(self) -> list[int]:
        if self._here is None:
            self._here = self._next()
        return self._here

    def _next(self) -> list[int]:
        mask = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        some = np.flatnonzero(mask)  # a few bytes of thousands
        places, bits = np.nonzero(np.unpackbits(mask[some], bitorder="little").reshape(-1, 8))
        found: list[int] = (8 * some[places] + bits).tolist()
        return found

    def consume(self, token: int) -> None:
        self._matcher.consume_token(token)
        self._here = None

    @property
    def done(self) -> bool:
        return bool(self._matcher.is_stopped())
