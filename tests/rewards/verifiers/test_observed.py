"""What a report shows: every expected test seen passing, every canary seen failing, and not a byte believed beyond."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.rewards.verifiers.observed import FORGED, judge_report

NONCE = "n0nce"
EXPECTED = ("test_a.py::test_one", "test_a.py::test_two[1]")
CANARY = "test_a.py::test_canary"


def line(**fields: Any) -> bytes:
    return json.dumps({"nonce": NONCE, **fields}).encode() + b"\n"


def phases(test: str, call: str = "passed", **changes: Any) -> bytes:
    rows = {"setup": "passed", "call": call, "teardown": "passed"} | changes.pop("outcomes", {})
    return b"".join(line(**{"test": test, "when": w, "outcome": o, "xfail": False} | changes) for w, o in rows.items())


BEGIN, DONE = line(begin=True), line(done=1)
ONE, TWO, FAILING = phases(EXPECTED[0]), phases(EXPECTED[1]), phases(CANARY, "failed")
GOOD = BEGIN + ONE + FAILING + TWO + DONE


def judge(report: bytes, ending: str | None = None) -> tuple[int, str | None]:
    seen = judge_report(report, NONCE, EXPECTED, [CANARY], ending=ending)
    return seen.passed, seen.failure


def test_a_good_report() -> None:
    assert judge(GOOD) == (2, None)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (BEGIN + ONE + FAILING + DONE, (1, "test_missing")),
        (BEGIN + FAILING + DONE, (0, "test_missing")),
        (BEGIN + ONE + FAILING + phases(EXPECTED[1], "failed") + DONE, (1, "test_failed")),
        (BEGIN + ONE + FAILING + phases(EXPECTED[1], "skipped") + DONE, (1, "test_skipped")),
        (BEGIN + ONE + FAILING + phases(EXPECTED[1], xfail=True) + DONE, (1, "test_xfailed")),
        (BEGIN + ONE + FAILING + phases(EXPECTED[1], outcomes={"teardown": "failed"}) + DONE, (1, "test_failed")),
        (BEGIN + ONE + FAILING + phases("test_a.py::test_two") + DONE, (1, "test_missing")),  # not the exact id
        (BEGIN + ONE + FAILING + TWO, (2, "crash")),  # it never said it was done
        (GOOD[:-3], (2, "crash")),
        (GOOD + ONE, (2, FORGED)),  # it went on after its end
        (BEGIN + ONE + ONE + FAILING + TWO + DONE, (1, FORGED)),
        (BEGIN + ONE + TWO + DONE, (2, FORGED)),  # a canary that was there was not run
        (BEGIN + ONE + phases(CANARY) + TWO + DONE, (2, FORGED)),
        (BEGIN + ONE + phases(CANARY, "skipped") + TWO + DONE, (2, FORGED)),
        (GOOD.replace(b"n0nce", b"other"), (0, FORGED)),
        (BEGIN + b'{"passed": 2}\n' + GOOD, (0, FORGED)),
        (BEGIN + b"2 passed\n" + GOOD, (0, FORGED)),
        (BEGIN + line(**{"import": "SyntaxError"}) + DONE, (0, "syntax_error")),
        (BEGIN + line(**{"import": "KeyError"}) + DONE, (0, "import_error")),
        (BEGIN + ONE + FAILING + line(lost="gone") + DONE, (1, "crash")),
        (b"", (0, "crash")),
    ],
)
def test_every_way_to_fall_short(report: bytes, expected: tuple[int, str]) -> None:
    passed, failure = judge(report)
    assert failure == expected[1]
    assert passed <= expected[0]


@pytest.mark.parametrize("ending", ["timeout", "flood", "crash"])
def test_an_end_before_its_time_is_no_pass_whatever_was_reported(ending: str) -> None:
    assert judge(GOOD, ending)[1] == ending


def test_the_sandboxs_word_on_a_run_that_used_too_much_is_no_forgery() -> None:
    assert judge(BEGIN + ONE + b"\nkilled: used more than 5 bytes of memory in all\n", "crash") == (1, "crash")


def test_signs_name_what_was_done_to_the_runner() -> None:
    def signs(report: bytes) -> tuple[str, ...]:
        return judge_report(report, NONCE, EXPECTED, [CANARY], ending=None).signs

    assert signs(GOOD) == ()
    assert [sign.partition(":")[0] for sign in signs(BEGIN + ONE + phases(CANARY) + TWO + DONE)] == ["forged"]
    assert signs(BEGIN + ONE + FAILING + phases(EXPECTED[1], "skipped") + DONE) == (f"skipped: {EXPECTED[1]}",)
    assert signs(BEGIN + line(raised="SkipTest") + ONE + FAILING + DONE) == ("skipped: raised SkipTest",)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
rows = st.fixed_dictionaries(
    {"nonce": st.just(NONCE) | json_values},
    optional={
        name: json_values | st.sampled_from([*EXPECTED, CANARY, "call", "passed"])
        for name in ("test", "when", "outcome", "xfail", "begin", "done", "import", "lost", "raised")
    },
)


@given(st.lists(st.binary(max_size=40) | rows.map(lambda row: json.dumps(row).encode()), max_size=6), st.booleans())
def test_no_report_raises_and_none_made_at_random_passes(pieces: list[bytes], begun: bool) -> None:
    seen = judge_report(
        b"\n".join([BEGIN.strip(), *pieces] if begun else pieces), NONCE, EXPECTED, [CANARY], ending=None
    )
    assert seen.failure is not None
    assert 0 <= seen.passed <= seen.total == 2
