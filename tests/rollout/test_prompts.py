"""Code out of answers, and examples as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rollout.prompts import as_assert, extract_code, signature
from bowerbird.types import Case, TaskView


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\ndef f():\n    pass\n```", "def f():\n    pass\n"),
        ("Sure:\n```\nx = 1\n```\nDone ```y```", "x = 1\n"),
        ("def f():\n    return 1", "def f():\n    return 1"),
        ("Text first.\ndef f():\n    return 1", "def f():\n    return 1"),
        ("I cannot do that.", ""),
        ("```python\ndef f():\n    return 1", "def f():\n    return 1"),
    ],
)
def test_extract(answer: str, code: str) -> None:
    assert extract_code(answer) == code


@given(st.text(max_size=200), st.sampled_from(["", "def f(x):\n"]))
def test_extract_takes_any_text(answer: str, stub: str) -> None:
    assert extract_code(answer, stub).startswith(stub)


@pytest.mark.parametrize(
    ("case", "text"),
    [
        (Case(("a", [1, 2]), True), "assert f('a', [1, 2]) == True"),
        (Case(({"$tuple": [1]},), {"$set": []}), "assert f((1,)) == set()"),
        (Case((), {"$dict": [[1, "a"]]}, {"k": None}), "assert f(k=None) == {1: 'a'}"),
    ],
)
def test_asserts(case: Case, text: str) -> None:
    assert as_assert("f", case) == text


def test_signature() -> None:
    view = TaskView("t", "c", "Write `f(a, b=1)` now.", "f", ())
    assert signature(view) == "def f(a, b=1):"
    assert signature(TaskView("t", "c", "Write a function.", "f", ())) == ""
