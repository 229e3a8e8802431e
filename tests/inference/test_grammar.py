"""Choices under tokenizers that cut the options in awkward places."""

import json
from collections.abc import Sequence

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from bowerbird.inference.grammar import GrammarCompiler
from bowerbird.types import JsonValue


def compiler(*merges: tuple[str, str]) -> GrammarCompiler:
    """Over bytes, and tokens for what is merged."""
    tokens = ["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
    backend = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return GrammarCompiler(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>"))


def walks(compiler: GrammarCompiler, options: Sequence[JsonValue]) -> list[JsonValue]:
    """What every path through the choices ends in, one entry a path."""
    fields = {"properties": {"x": {"enum": list(options)}}, "required": ["x"], "additionalProperties": False}
    schema = json.dumps({"type": "object"} | fields)
    ends: list[JsonValue] = []
    paths: list[list[int]] = [[]]
    while paths:
        path, state, written = paths.pop(), compiler.start(schema), []
        for token in path:
            written += state.take_forced()
            state.consume(token)
            written.append(token)
        written += state.take_forced()
        if state.done:
            text = b"".join(compiler._tokenizer.decode_bytes([i]) for i in written)
            ends.append(json.loads(text.removesuffix(b"<|end|>"))["x"])
        else:
            paths += [[*path, token] for token in state.allowed()]
    return ends


RETRY, STEPS = ("retry", "revert", "stop"), (1, 16, 2)


@pytest.mark.parametrize(
    ("merges", "options"),
    [
        ((), RETRY),
        ((("r", "e"), ("re", "t")), RETRY),  # `re` begins `ret`, but `revert` goes through it alone
        ((("r", "e"), ("re", "t"), ("re", "v")), RETRY),
        ((("1", "6"),), STEPS),  # `1` begins `16`, and is an option itself
    ],
)
def test_every_option_can_be_reached(merges: tuple[tuple[str, str], ...], options: Sequence[JsonValue]) -> None:
    assert set(walks(compiler(*merges), options)) == set(options)


def test_a_choice_is_one_decision_where_the_tokens_allow_it() -> None:
    merges = (("r", "e"), ("re", "t"), ("re", "v"), ("s", "t"))
    assert sorted(map(str, walks(compiler(*merges), RETRY))) == sorted(RETRY)


def test_inside_a_string_the_grammar_is_open_where_the_vocabulary_is_large() -> None:
    pairs = [(a, b) for a in "abcdefghijklmnopqrstuvwxyz" for b in "abcdefghijklmnopqrstuvwxyz"]
    made = compiler(*pairs)
    schema = json.dumps({"type": "object", "properties": {"x": {"type": "string", "maxLength": 9}}, "required": ["x"]})
    state = made.start(schema)
    state.take_forced()
    assert state.open
    text = made._tokenizer.tokenize_str("ab")
    assert state.accepts(text[0])
    assert not state.accepts(made._tokenizer.tokenize_str("\n")[0])
    state.consume(text[0])
    closed = compiler().start(json.dumps({"enum": ["a", "b"]}))
    closed.take_forced()
    assert not closed.open
