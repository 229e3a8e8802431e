"""The plan's grammar writes plans and nothing else."""

import json
from pathlib import Path
from random import Random

import pytest

from bowerbird.inference.grammar import GrammarCompiler
from bowerbird.inference.loading import load_tokenizer
from bowerbird.scaffold.plan import MOST_NODES, SUBMIT, parse_plan, plan_schema, plan_shape


@pytest.fixture(scope="module")
def compiler(tiny: Path) -> GrammarCompiler:
    return GrammarCompiler(load_tokenizer(str(tiny)))


def written(compiler: GrammarCompiler, schema: str, random: Random) -> str:
    """A text by chance, one of those that the grammar allows."""
    state, tokens = compiler.start(schema), list[int]()
    quote, letter = (compiler._tokenizer.tokenize_str(text)[0] for text in ('"', "a"))
    while True:
        tokens += state.take_forced()
        if state.done:
            return compiler._tokenizer.decode_str(tokens).removesuffix("<|im_end|>")
        if state.open:
            tokens.append(quote if random.random() < 0.3 or not state.accepts(letter) else letter)
        else:
            tokens.append(random.choice(state.allowed()))
        state.consume(tokens[-1])


def test_whatever_the_grammar_allows_is_a_plan_with_edges_back_and_ahead(compiler: GrammarCompiler) -> None:
    numbers, steps = set(), set()
    for seed in range(60):
        plan, problem = parse_plan(written(compiler, plan_schema(), Random(seed)))
        assert plan is not None, problem
        numbers.add(len(plan.nodes))
        assert [node.id for node in plan.nodes] == [f"n{i + 1}" for i in range(len(plan.nodes))]
        edges = [(node.id, node.next.ok) for node in plan.nodes if node.next.ok != SUBMIT]
        steps |= {int(to[1:]) - int(name[1:]) for name, to in edges}
    assert {1, 2, MOST_NODES} <= numbers
    assert {-1, 0, 1, 2} <= steps


def test_a_model_without_a_grammar_is_shown_a_short_shape() -> None:
    shape = plan_shape(["read", "edit"])
    assert json.loads(shape)["$defs"]["Node"]["properties"]["tools"]["items"] == {"enum": ["read", "edit"]}
    assert len(shape) < 4000 < len(plan_schema())
