"""Every family, without a sandbox: the sources run here are our own constants."""

import ast
import copy
import json
from typing import Any

import pytest

from bowerbird.sandbox.codec import encode
from bowerbird.tasks.katas import KataTask, family_names, generate
from bowerbird.tasks.katas.build import build, trusted_function
from bowerbird.tasks.katas.draw import ints
from bowerbird.tasks.katas.family import FAMILIES, Draft, Family
from bowerbird.types import Case, TaskError

BY_FAMILY = {name: generate(11, 2, families=[name]) for name in family_names()}


def key(case: Case) -> str:
    return json.dumps(case.args)


def passes(source: str, task: KataTask, cases: tuple[Case, ...]) -> bool:
    """Strict compare by type and value, as the verifier's."""
    function = trusted_function(source, task.view.entry_point)
    for case in cases:
        try:
            value = function(*copy.deepcopy(case.args))
        except Exception:  # noqa: BLE001 - whatever a wrong program raises is a failure
            return False
        if json.dumps(encode(value), sort_keys=True) != json.dumps(case.expected, sort_keys=True):
            return False
    return True


def wrong(task: KataTask, expression: object) -> str:
    arguments = task.solution.split("(", 1)[1].split("):", 1)[0]
    return f"def {task.view.entry_point}({arguments}):\n    return {expression}\n"


@pytest.mark.parametrize("name", family_names())
class TestFamily:
    def test_the_solution_passes_everything(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            assert passes(task.solution, task, task.view.examples)
            assert passes(task.solution, task, task.spec.cases)

    def test_cheats_constants_identity_and_nothing_fail(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            assert passes(task.cheats[0], task, task.view.examples)
            guesses: list[Any] = [repr(c.expected) for c in (*task.view.examples, *task.spec.cases)]
            guesses += ["None", *[a.arg for a in ast.parse(task.solution).body[0].args.args]]  # type: ignore[attr-defined]
            for source in (*task.cheats, *[wrong(task, guess) for guess in guesses]):
                assert not passes(source, task, task.spec.cases), source

    def test_visible_and_hidden_inputs_are_apart_and_enough(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            visible, hidden = {key(c) for c in task.view.examples}, {key(c) for c in task.spec.cases}
            assert 2 <= len(visible) == len(task.view.examples) <= 3
            assert 6 <= len(hidden) == len(task.spec.cases) <= 10
            assert not visible & hidden

    def test_the_instruction_is_short_and_names_the_function_and_its_arguments(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            signature = task.solution.split("def ", 1)[1].split(":\n", 1)[0]
            assert f"`{signature}`" in task.view.instruction
            assert len(task.view.instruction.split()) <= 50

    def test_values_are_plain_json_that_encodes_as_itself(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            for case in (*task.view.examples, *task.spec.cases):
                for value in (*case.args, case.expected):
                    assert encode(value) == value == json.loads(json.dumps(value))

    def test_the_ends_and_a_sample_of_the_space_can_be_built(self, name: str) -> None:
        family = FAMILIES[name]
        some = [*family.space[:2], *family.space[-2:], *family.space[:: max(3, len(family.space) // 4)]]
        for params in some:
            task = build(family.variant(params))
            assert not any(passes(cheat, task, task.spec.cases) for cheat in task.cheats)

    def test_nothing_private_is_in_the_view(self, name: str) -> None:
        for task in BY_FAMILY[name]:
            body = task.solution.split("\n", 1)[1].strip()
            assert body not in repr(task.view)
            assert task.view.entry_point == task.spec.entry_point
            assert task.view.task_id == task.spec.task_id
            assert task.view.category == name


@pytest.mark.parametrize(
    ("draft", "problem"),
    [
        (Draft("f", "x", "returns 1", "return 1", ints(0, 99)), "same answer"),
        (Draft("f", "x", "returns x", "return x", ints(0, 99)), "returning an argument"),
        (Draft("f", "x", "doubles", "return x * 2", ints(0, 5)), "too few"),
        (Draft("f", "x", "is 7", "return x == 7", ints(10, 99), ((7,),)), "visible examples"),
    ],
)
def test_a_family_that_could_be_guessed_is_refused(draft: Draft, problem: str) -> None:
    family = Family("weak", 0.5, ((1,),), lambda n: draft)
    with pytest.raises(TaskError, match=problem):
        build(family.variant((1,)))
