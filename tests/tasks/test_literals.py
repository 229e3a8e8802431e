import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.sandbox import codec
from bowerbird.tasks.literals import encode_literal

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**1100), 2**1100)
    | st.floats()
    | st.text(max_size=5)
    | st.just("$tuple")
    | st.binary(max_size=3)
    | st.complex_numbers(allow_nan=False)
)
keys = st.integers() | st.text(max_size=3) | st.just("$dict") | st.tuples(st.booleans())
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers() | st.text(max_size=2), max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_literals_are_encoded_exactly_as_sandboxes_report_values(value: object) -> None:
    assert codec.same(codec.encode(value), encode_literal(value))


def test_forms() -> None:
    text = "[(1, 'a'), {2}, {1: None}, {'$x': 1}, b'\\xff', {'k': True}, set()]"
    assert encode_literal(ast.literal_eval(text)) == [
        {"$tuple": [1, "a"]},
        {"$set": [2]},
        {"$dict": [[1, None]]},
        {"$dict": [["$x", 1]]},
        {"$bytes": "ff"},
        {"k": True},
        {"$set": []},
    ]
    assert encode_literal(float("-inf")) == {"$float": "-inf"}


def test_dicts_keep_their_order_and_decode_to_the_same_arguments() -> None:
    value = {"p": 1, 8: 2, "a": 3}
    assert list(codec.decode(encode_literal(value))) == ["p", 8, "a"]


def test_other_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="not a literal"):
        encode_literal([object()])
