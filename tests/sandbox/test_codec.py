"""Exact types there and back, and a comparison nothing can lie to."""

import json
import math
from collections import Counter, OrderedDict, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.sandbox.codec import decode, dump, encode, same

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=20) | st.complex_numbers()
)
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6
)
values = st.recursive(
    scalars | st.sets(hashables, max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(hashables, inner, max_size=4),
    max_leaves=20,
)


def exactly(left, right):
    """The oracle: equal, of equal types, with nan equal to nan."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, complex):
        return exactly(left.real, right.real) and exactly(left.imag, right.imag)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(exactly, left, right))
    return left == right if isinstance(left, str | bytes | int | None) else repr(left) == repr(right)


@given(values)
def test_encodings_survive_json_and_decode_to_the_same(value):
    encoded = encode(value)
    assert json.loads(dump(encoded)) == json.loads(json.dumps(encoded))
    assert same(encoded, json.loads(dump(encoded)))
    assert same(encode(decode(json.loads(dump(encoded)))), encoded)


@given(st.lists(scalars, max_size=3), st.lists(scalars, max_size=3))
def test_same_agrees_with_exact_equality(left, right):
    assert same(encode(left), encode(right)) == exactly(left, right)


@given(st.text())
def test_dump_escapes_as_json_does(text):
    assert json.loads(dump(text)) == json.loads(json.dumps(text))
    assert dump(text).isascii()
    assert "\n" not in dump(text)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1, 1.0), (1, True), (0, False), (0.0, False), ("1", 1), (b"a", "a"), ([1], (1,)), ([], ()), ((), None),
        ({1}, frozenset({1})), ({1}, [1]), ({"a": 1}, {"a": 1.0}), ({1: "a"}, {"1": "a"}), ({True: 1}, {1: 1}),
        (float("nan"), None), (float("inf"), float("-inf")), (2**70, 2.0**70), (1 + 0j, 1.0), ({}, []), ("", None),
        ([[1]], [[True]]), (1e-300, 0.0), (0.1 + 0.2, 0.3),
    ],
)  # fmt: skip
def test_near_misses_differ(left, right):
    assert not same(encode(left), encode(right))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (0.0, -0.0), (float("nan"), float("nan")), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ({1, 2, 3}, {3, 2, 1}),
        ({(1, 2): [3]}, {(1, 2): [3]}), ({"$set": [1]}, {"$set": [1]}), ("\ud800", "\ud800"), (10**5000, 10**5000),
        ({None: 1, 2: 3}, {2: 3, None: 1}),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_equal_values_are_the_same(left, right):
    assert same(encode(left), encode(right))


class Liar(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class LiarText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    "value",
    [Liar(5), LiarText("x"), OrderedDict(a=1), Counter("a"), defaultdict(int), range(3), iter([]), object(), int, len,
     bytearray(b"a"), (x for x in [1]), 1 << (1 << 21)],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_anything_else_equals_nothing(value):
    encoded = encode(value)
    assert list(encoded) == ["$other"]
    assert not same(encoded, encoded)
    assert not same(encode([value]), encode([value]))
    with pytest.raises(ValueError, match="other"):
        decode(encoded)


def test_depth_and_size_are_bounded():
    deep: list[object] = []
    deep.append(deep)
    assert not same(encode(deep), encode(deep))
    wide = [[0] * 1000 for _ in range(1000)]
    assert len(dump(encode(wide))) < 1_000_000
    ok: object = 1
    for _ in range(50):
        ok = (ok,)
    assert same(encode(ok), encode(ok))
    assert decode(encode(ok)) == ok


def test_forged_encodings_are_refused_without_harm():
    bomb: object = []
    for _ in range(5000):
        bomb = [bomb]
    forged = [
        bomb, {"$tuple": 1}, {"$tuple": [1], "a": 2}, {"$dict": [[1]]}, {"$dict": [[[], 1]]}, {"$float": "1e5"},
        {"$int": "zz"}, {"$bytes": "0"}, {"$nope": 1}, {"$set": [[1]]}, {"$complex": ["a", 1]}, {"$int": 5},
        {"$set": None},
    ]  # fmt: skip
    for encoded in forged:
        with pytest.raises((ValueError, RecursionError)):
            decode(encoded)
    assert not same(bomb, bomb)
    assert not same({"$nope": 1}, {"$nope": 1})
    assert not same({"$dict": [[1]]}, {"$dict": [[1]]})
