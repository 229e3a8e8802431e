"""An engine's rows, against schedules worked out on paper."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.orchestrator.simulation.engine import Engine, Versions
from bowerbird.orchestrator.simulation.events import Events
from bowerbird.orchestrator.simulation.workload import Call

STEADY = (1.0, 1.0, 1.0, 1.0)  # three places, a step takes a second whatever runs


class Bench:
    """An engine and who came back when."""

    def __init__(self, curve: Sequence[float], prefill_s: float = 0.0) -> None:
        self.events = Events()
        self.engine = Engine(self.events, curve, prefill_s)
        self.done: dict[str, tuple[float, Versions]] = {}

    def call(self, at: float, name: str, tokens: int, prompt: int = 0) -> None:
        def back(versions: Versions) -> None:
            self.done[name] = (self.events.now, versions)

        self.events.at(at, self.engine.submit, Call(tokens, prompt), back)

    def run(self) -> None:
        while self.events.step():
            pass

    @property
    def ends(self) -> dict[str, float]:
        return {name: end for name, (end, _) in self.done.items()}


def test_rows_share_the_engine() -> None:
    """Alone a step takes 1 s, together 2 s: a has 4 of its 10 tokens when b comes, 8 when b goes, at 4 + 4 x 2 s."""
    bench = Bench((1.0, 1.0, 2.0))
    bench.call(0.0, "a", 10)
    bench.call(4.0, "b", 4)
    bench.run()
    assert bench.ends == pytest.approx({"b": 12.0, "a": 14.0})
    books = bench.engine.books
    assert books.tokens == 14
    assert books.decoding == pytest.approx(14.0)
    # at its best it makes 2 tokens in 2 s: 14 tokens are 14 s of full speed
    assert books.full_speed == pytest.approx(14.0)


def test_calls_beyond_the_places_wait_in_order() -> None:
    bench = Bench(STEADY)
    for i, name in enumerate("abcde"):
        bench.call(0.0, name, 5 + i)
    bench.run()
    assert bench.ends == pytest.approx({"a": 5, "b": 6, "c": 7, "d": 5 + 8, "e": 6 + 9})


def test_a_prompt_holds_up_every_row() -> None:
    bench = Bench(STEADY, prefill_s=0.5)
    bench.call(0.0, "a", 10)
    bench.call(3.0, "b", 2, prompt=4)
    bench.run()
    assert bench.ends == pytest.approx({"b": 3 + 2 + 2, "a": 12})
    assert bench.engine.books.prefilling == pytest.approx(2.0)


def test_weights_come_between_two_tokens() -> None:
    """At 3.5 s the fourth token is under way: it is the old version's. Loading takes 2 s in which nothing moves."""
    bench = Bench(STEADY)
    bench.call(0.0, "a", 10)
    bench.call(5.5, "b", 3)
    bench.events.at(3.5, bench.engine.load, 1, 2.0)
    bench.run()
    assert bench.ends == pytest.approx({"b": 8.5, "a": 12.0})
    assert bench.done["a"][1] == [(1, 6), (0, 4)]
    assert bench.done["b"][1] == [(1, 3)]
    assert (bench.engine.books.loading, bench.engine.books.decoding) == pytest.approx((2.0, 10.0))


def test_several_versions_in_one_call() -> None:
    bench = Bench(STEADY)
    bench.call(0.0, "a", 9)
    for version, at in ((1, 2.0), (2, 2.0), (3, 7.0)):
        bench.events.at(at, bench.engine.load, version, 0.0)
    bench.run()
    assert bench.done["a"][1] == [(3, 2), (2, 5), (0, 2)], "version 1 was gone before it sampled anything"


def test_an_engine_without_rows_waits_for_tools_or_for_capacity() -> None:
    bench = Bench(STEADY)
    bench.engine.live = 1
    bench.call(4.0, "a", 2)
    bench.run()
    bench.engine.live = 0
    bench.events.at(10.0, bench.engine.advance)
    bench.run()
    books = bench.engine.books
    assert (books.tools, books.decoding, books.closed) == pytest.approx((4.0, 2.0, 4.0))


@given(
    st.lists(st.tuples(st.floats(0, 20), st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=12),
    st.lists(st.floats(0, 40), max_size=4),
)
def test_every_call_comes_back_once_with_all_its_tokens(
    calls: list[tuple[float, int, int]], loads: list[float]
) -> None:
    bench = Bench((0.0, 0.5, 0.7, 1.1), prefill_s=0.1)
    for i, (at, tokens, prompt) in enumerate(calls):
        bench.call(at, str(i), tokens, prompt)
    for version, at in enumerate(sorted(loads), start=1):
        bench.events.at(at, bench.engine.load, version, 0.3)
    bench.run()
    assert set(bench.done) == {str(i) for i in range(len(calls))}
    for i, (at, tokens, _) in enumerate(calls):
        end, versions = bench.done[str(i)]
        assert sum(count for _, count in versions) == tokens
        assert [v for v, _ in versions] == sorted({v for v, _ in versions}, reverse=True)
        assert end >= at + 0.5 * tokens - 1e-6, "never faster than alone"
    assert bench.engine.books.tokens == sum(tokens for _, tokens, _ in calls)
