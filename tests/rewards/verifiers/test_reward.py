"""Rewards as scripts write them, and as enemies do."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.verifiers.reward import LONGEST, BadReward, read_reward


@pytest.mark.parametrize(
    ("text", "table", "expected"),
    [
        (b"1\n", b"", 1.0),
        (b"0", b"", 0.0),
        (b" 0.25 \n", b"", 0.25),
        (b"-0.0", b"", 0.0),
        (b"1e-3", b"", 0.001),
        (b"", b'{"reward": 1}', 1.0),
        (b"", b'{"reward": 0.5, "style": 7}\n', 0.5),
        (b"", b'{"accuracy": 0.75}', 0.75),
        (b"1", b'{"reward": 1.0}', 1.0),
    ],
)
def test_good_ones(text: bytes, table: bytes, expected: float) -> None:
    found = read_reward(text, table)
    assert type(found) is float
    assert found == expected
    assert math.copysign(1, found) == 1


@pytest.mark.parametrize(
    ("text", "table", "failure"),
    [
        (b"", b"", "no_reward"),
        (b" \n", b"\t", "no_reward"),
        (b"nan", b"", "bad_reward"),
        (b"inf", b"", "bad_reward"),
        (b"-1", b"", "bad_reward"),
        (b"1.0000001", b"", "bad_reward"),
        (b"1e400", b"", "bad_reward"),
        (b"1e99999", b"", "bad_reward"),
        (b"0x1", b"", "bad_reward"),
        (b"1_0", b"", "bad_reward"),
        (b"True", b"", "bad_reward"),
        (b"passed", b"", "bad_reward"),
        ("١".encode(), b"", "bad_reward"),
        (b"\xff\xfe1", b"", "bad_reward"),
        (b"0" * (LONGEST + 1), b"", "bad_reward"),
        (b"0\n1\n", b"", "forged_report"),
        (b"0", b'{"reward": 1}', "forged_report"),
        (b"", b'{"reward": 0}{"reward": 1}', "forged_report"),
        (b"", b'{"reward": true}', "bad_reward"),
        (b"", b'{"reward": "1"}', "bad_reward"),
        (b"", b'{"reward": NaN}', "bad_reward"),
        (b"", b'{"reward": Infinity}', "bad_reward"),
        (b"", b'{"reward": ' + b"9" * 400 + b"}", "bad_reward"),
        (b"", b'{"reward": 0, "reward": 1}', "bad_reward"),
        (b"", b'{"a": 1, "b": 1}', "bad_reward"),
        (b"", b"[1]", "bad_reward"),
        (b"", b"1", "bad_reward"),
        (b"", b"[" * 4000, "bad_reward"),
        (b"", b'{"reward"', "bad_reward"),
    ],
)
def test_bad_ones(text: bytes, table: bytes, failure: str) -> None:
    with pytest.raises(BadReward) as caught:
        read_reward(text, table)
    assert caught.value.failure == failure


numbers = st.integers() | st.floats() | st.booleans() | st.none() | st.text()
tables = st.dictionaries(st.just("reward") | st.text(max_size=3), numbers).map(lambda value: json.dumps(value).encode())


@given(
    st.binary()
    | st.from_regex(rb"[0-9eE+. \n-]*", fullmatch=True)
    | numbers.map(lambda value: str(value).encode("utf-8", "replace")),
    st.binary() | tables,
)
def test_whatever_the_bytes_are(text: bytes, table: bytes) -> None:
    try:
        found = read_reward(text, table)
    except BadReward as bad:
        found = {"no_reward": 0.0, "bad_reward": 0.0, "forged_report": 0.0}[bad.failure]
    assert type(found) is float
    assert 0.0 <= found <= 1.0
