import pytest

from bowerbird.tasks.asserts import called_functions, convert_asserts, convert_doctests
from bowerbird.types import Case


@pytest.mark.parametrize(
    ("text", "case"),
    [
        ("f(1, [2]) == 3", Case((1, [2]), 3)),
        ("3 == f(1)", Case((1,), 3)),
        ("f(1) is True", Case((1,), True)),
        ("f(1) is None", Case((1,), None)),
        ("f('a')", Case(("a",), True)),
        ("not f(())", Case(({"$tuple": []},), False)),
        ("f(-1, key={1: 2}) == (1, -2.5)", Case((-1,), {"$tuple": [1, -2.5]}, {"key": {"$dict": [[1, 2]]}})),
        ("f(float('inf')) == float('-inf')", Case(({"$float": "inf"},), {"$float": "-inf"})),
        ("f({1, 2}) == set(), 'message'", Case(({"$set": [1, 2]},), {"$set": []})),
    ],
)
def test_asserts_that_convert(text: str, case: Case) -> None:
    converted = convert_asserts(f"assert {text}", "f")
    assert converted.cases == (case,)
    assert converted.dropped == 0


@pytest.mark.parametrize(
    "text",
    [
        "abs(f(1) - 2.0) < 1e-6",
        "f(1) != 2",
        "f(1) < 2",
        "f(x) == 2",
        "f(1) == g(2)",
        "sorted(f(1)) == [1]",
        "set(f(1)) == {1}",
        "f(1) == f(2)",
        "f(1) == 2 == 2",
        "f(1) == 2 or f(1) == 3",
        "f(*[1]) == 2",
        "f(**{'a': 1}) == 2",
        "g(1) == 2",
        "f(1) == __import__('os').getpid()",
        "f(float(input())) == 1",
        "o.f(1) == 2",
        "f(1) is 5",
    ],
)
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_asserts_that_do_not_convert_are_counted(text: str) -> None:
    converted = convert_asserts(f"assert {text}", "f")
    assert converted.cases == ()
    assert converted.dropped == 1


def test_only_asserts_that_run_once_count_and_trivial_ones_are_ignored() -> None:
    source = """
METADATA = {}
def check(candidate):
    assert True, "always"
    assert candidate(1) == 2
    assert candidate(1) == 2
    assert candidate(2) == 3 and candidate(3) == 4
    for i in range(3):
        assert candidate(i) == i
    if False:
        assert candidate(9) == 9
"""
    converted = convert_asserts(source, "candidate")
    assert [c.args for c in converted.cases] == [(1,), (2,), (3,)]
    assert converted.dropped == 2


def test_text_that_is_not_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        convert_asserts("assert f(", "f")


def test_doctests() -> None:
    docstring = """Doubles.

    >>> f(2)
    4
    >>> f([1])
    [1, 1]

    Or another way:
    >>> g(1)
    1
    >>> f(o)
    <object>
    """
    assert convert_doctests(docstring, "f") == (Case((2,), 4), Case(([1],), [1, 1]))
    assert convert_doctests(">>>f(1)\n1", "f") == ()


def test_called_functions_by_frequency() -> None:
    assert called_functions("assert set(f(1)) == g()\nassert f(2)\nf2()") == ["f", "set", "g"]
