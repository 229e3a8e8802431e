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


F = "def f():\n    return 1\n\n"
SAYS = "def f():\n    '''Has a \"\"\" in it.'''\n\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("```python\n" + F + "print(f(", F),
        ("```python\n" + F + "# Example\nfor i in range(3):\n    print(", F + "# Example\n"),
        ("```python\n" + F + "@cache\ndef g(", F),
        ("```python\n" + F + "@cac", F),
        ("```python\n" + F + "try:\n    f()\nexcept Val", F),
        ("```python\n" + F + "x = [\n    1,\n]\ny = [", F + "x = [\n    1,\n]\n"),
        (F + "This function ret", F),
        ("```python\n" + F + 'TEXT = """\nmore of it\nand mo', F),
        ("```python\n" + SAYS + "x = [", SAYS),
        ("```python\n" + F + "def g():\n    '''Says\nmore.\n    '''\n    ret", F),
        ("```python\nimport re\n\ndef f():\n    retu", "import re\n\ndef f():\n    retu"),
        ("```python\n" + F + "```\nThis function ret", F),
        ("```python\ndef f():\n    retu", "def f():\n    retu"),
        ("```python\n", ""),
        ("", ""),
    ],
)
def test_what_was_cut_off_ends_with_its_last_whole_statement(answer: str, code: str) -> None:
    assert extract_code(answer, cut=True) == code


def test_a_stub_that_was_cut_off() -> None:
    assert extract_code("    return 1\n\nprint(f", "def f():\n", cut=True) == F
    assert extract_code("    return", "def f():\n", cut=True) == "def f():\n    return"
    assert extract_code("    return 1\n```\nIt ret", "def f():\n", cut=True) == "def f():\n    return 1\n"


@given(st.text(max_size=200), st.sampled_from(["", "def f(x):\n"]))
def test_a_cut_only_shortens(answer: str, stub: str) -> None:
    assert extract_code(answer, stub).startswith(extract_code(answer, stub, cut=True))


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
