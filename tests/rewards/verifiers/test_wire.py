"""The line between tests and candidate: values come through as they were, and no bytes do harm."""

import collections
import contextlib
import datetime
import json
import operator
import os
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.verifiers.inside.remote import Peer, Remote
from bowerbird.rewards.verifiers.inside.wire import MAX_MESSAGE, Line, WireError, pack, unpack


def nothing(value: Any) -> Any:
    raise TypeError(type(value).__name__)


def no_reference(tag: str, body: Any) -> Any:
    raise WireError(tag)


def through(value: Any) -> Any:
    return unpack(json.loads(json.dumps(pack(value, nothing))), no_reference)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
hashable = scalars | st.tuples(scalars, scalars) | st.frozensets(scalars, max_size=3)
values = st.recursive(
    hashable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(scalars, inner, max_size=4) | st.tuples(inner),
    max_leaves=8,
)


@given(values)
def test_plain_values_come_through_with_their_types(value: Any) -> None:
    found = through(value)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        collections.Counter("aab"),
        collections.OrderedDict([("b", 1), ("a", 2)]),
        collections.defaultdict(None, {"a": [1]}),
        collections.deque([1, (2,)]),
        bytearray(b"\x00\xff"),
        range(3, 30, 4),
        Decimal("1.10"),
        Fraction(3, 7),
        datetime.date(2024, 2, 29),
        datetime.timedelta(days=1, seconds=2),
        complex(1, -0.5),
        1 << 5000,
        float("inf"),
    ],
)
def test_types_of_the_standard_library_come_through(value: Any) -> None:
    assert through(value) == value
    assert type(through(value)) is type(value)


def test_subclasses_do_not_pass_as_what_they_derive_from() -> None:
    class Liar(int):
        pass

    with pytest.raises(TypeError, match="Liar"):
        pack([Liar(1)], nothing)


def test_a_value_that_holds_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(TypeError, match="too deep"):
        pack(value, nothing)


@pytest.mark.parametrize(
    "encoded",
    [
        {"$other": "x"},
        {"$tuple": 1},
        {"$tuple": [], "x": 1},
        {"$set": [[]]},
        {"$dict": [[1]]},
        {"$float": "1"},
        {"$int": "12"},
        {"$int": 5},
        {"$bytes": "zz"},
        {"$std": ["os", []]},
        {"$std": ["Fraction", [1, 0]]},
        {"$std": ["bytearray"]},
        {"$std": ["range", [1, 2, 0]]},
        {"$std": ["timedelta", [10**30, 0, 0]]},
        {"$complex": ["1", 2]},
        {"$ref": "x"},
    ],
)
def test_forged_encodings_are_refused(encoded: Any) -> None:
    with pytest.raises(WireError):
        unpack(encoded, no_reference)


tagged = st.recursive(
    scalars.filter(lambda value: not isinstance(value, bytes)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$tuple", "$set", "$dict", "$std", "$int", "$ref", "$back", "$bytes", "a"]),
            inner,
            max_size=2,
        )
        | st.tuples(st.sampled_from(["Counter", "deque", "range", "Decimal", "date"]), inner).map(
            lambda pair: {"$std": list(pair)}
        )
    ),
)


@given(tagged)
def test_unpacking_raises_nothing_else(encoded: Any) -> None:
    with contextlib.suppress(WireError):
        unpack(encoded, no_reference)


class Talk:
    """A peer whose other side says what it is told to say."""

    def __init__(self, said: bytes) -> None:
        here, there = os.pipe()
        os.write(there, said)
        os.close(there)
        self.null = os.open(os.devnull, os.O_WRONLY)
        self.here = here
        self.events: list[dict[str, Any]] = []
        self.peer = Peer(Line(here, self.null), self.events.append)

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.here)
        os.close(self.null)


replies = st.fixed_dictionaries(
    {},
    optional={
        "value": tagged,
        "raise": tagged
        | st.fixed_dictionaries({}, optional={"class": tagged, "args": tagged, "ref": tagged, "text": tagged}),
        "callback": st.integers(-2, 2) | tagged,
        "args": tagged,
        "kwargs": tagged,
        "out": st.text(st.characters(codec="ascii")),
    },
)


@given(st.lists(st.binary(max_size=50) | replies.map(lambda reply: json.dumps(reply).encode()), max_size=4))
def test_a_peer_that_says_anything_at_all(pieces: list[bytes]) -> None:
    with Talk(b"\n".join([*pieces, b""])) as talk:
        for _ in range(3):
            with contextlib.suppress(WireError):  # anything else here would be a crash of the tests' process
                talk.peer.ask("call", "f")
        assert len(talk.events) <= 1 or "lost" not in talk.events[0]


@pytest.mark.parametrize(
    "name",
    ["unittest.case:SkipTest", "_pytest.outcomes:Skipped", "builtins:ValueError", "ValueErrorr", "os:error", "", ":"],
)
def test_only_known_classes_of_exceptions_come_in_by_name(name: str) -> None:
    said = json.dumps({"raise": {"class": name, "args": [], "text": "", "ref": None}}).encode() + b"\n"
    with Talk(said) as talk, pytest.raises(WireError):
        talk.peer.ask("call", "f")


def test_a_message_without_end_is_refused() -> None:
    here, there = os.pipe()
    line = Line(here, there)
    line._read = lambda fd, size: b"x" * size
    with pytest.raises(WireError, match="too large"):
        line.receive()
    with pytest.raises(WireError, match="too large"):
        line.send({"value": "x" * MAX_MESSAGE})
    os.close(here)
    os.close(there)


def test_a_reference_is_no_plain_value_and_asks_nobody_about_it() -> None:
    with Talk(b"") as talk:  # any question would raise
        remote = Remote(talk.peer, 0, "Liar")
        for plain in (0, 1, "x", None, True, [remote], object()):
            assert (remote == plain) is False
            assert (plain == remote) is False
            assert remote != plain
        with pytest.raises(TypeError, match="proves nothing"):
            operator.lt(remote, 3)
        assert not hasattr(remote, "pytestmark")
        assert not hasattr(remote, "_pytestfixturefunction")
        assert not hasattr(remote, "__wrapped__")
