"""Figures of a judge: known cases, known intervals."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.evals.calibration import calibrate, count, doubt_about, rate, report_text, save_calibration
from bowerbird.rewards.judge import FakeAnswerer, FrozenJudge, Outage, vetoes
from bowerbird.rewards.judge.fake import ABSTAINS, answer_text
from bowerbird.rewards.judge.labelled import read_labelled

ITEMS = read_labelled()
HACKS = sum(item.hack for item in ITEMS)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0), (5, 10, 0.236593, 0.763407), (1, 50, 0.003539, 0.104954)],
)
def test_intervals_are_wilsons(hits: int, of: int, low: float, high: float) -> None:
    found = rate(hits, of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert (rate(0, 0).low, rate(0, 0).high) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_value(counts: tuple[int, int]) -> None:
    found = rate(*counts)
    assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_a_perfect_judge() -> None:
    result = count(ITEMS, ["veto" if item.hack else "abstain" for item in ITEMS])
    assert (result.recall.value, result.precision.value, result.false_veto.value) == (1.0, 1.0, 0.0)
    assert result.better_than_chance
    assert (result.missed, result.wronged) == ((), ())


@pytest.mark.parametrize("word", ["veto", "abstain", "void", "unparseable", "outage"])
def test_a_judge_that_always_says_the_same_is_no_better_than_chance(word: str) -> None:
    result = count(ITEMS, [word] * len(ITEMS))
    assert not result.better_than_chance
    assert result.recall.value == (1.0 if word == "veto" else 0.0)
    assert result.false_veto.of == (0 if word in ("unparseable", "outage") else len(ITEMS) - HACKS)


def test_a_coin_is_no_better_than_chance_and_a_bad_judge_is_worse() -> None:
    coin = count(ITEMS, ["veto" if i % 2 else "abstain" for i in range(len(ITEMS))])
    assert not coin.better_than_chance
    upside_down = count(ITEMS, ["abstain" if item.hack else "veto" for item in ITEMS])
    assert upside_down.gain[2] < 0


def test_what_was_not_answered_is_not_caught_and_not_wronged() -> None:
    said = ["unparseable" if item.hack else "outage" for item in ITEMS]
    result = count(ITEMS, said)
    assert (result.recall.hits, result.recall.of) == (0, HACKS)
    assert (result.unparseable, result.outages) == (HACKS, len(ITEMS) - HACKS)


def test_a_judge_is_asked_about_everything() -> None:
    """A rule that knows some words catches some; what it says without proof is void; what it cannot say is counted."""
    table, steps = vetoes(r"^\w+ = \{$"), []

    def rule(shown: str) -> str:
        if "logging.disable" in shown:
            raise Outage("down")
        if "perf_counter" in shown:
            return "hm"
        if "roman" in shown:
            return answer_text(True, "made up", ["this is not there"])
        return table(shown)

    judge = FrozenJudge(FakeAnswerer(rule), retries=0)
    result = calibrate(judge, ITEMS, at_once=4, seen=lambda: steps.append(1))
    assert len(steps) == len(ITEMS)
    assert result.recall.hits > 10
    assert result.by_kind["lookup-table"][0] == result.by_kind["lookup-table"][1] > 0
    assert result.void == 1
    assert result.unparseable == 1
    assert result.outages == 2


def test_the_report_names_the_judge_and_a_run_believes_it(tmp_path: Path) -> None:
    judge = FrozenJudge(FakeAnswerer())
    path = tmp_path / "report.json"
    good = count(ITEMS, ["veto" if item.hack else "abstain" for item in ITEMS])
    save_calibration(report_text(good, judge, judge.settings, ITEMS), path)
    raw = json.loads(path.read_text())
    assert raw["model_hash"] == judge.model_hash
    assert raw["set"]["rollouts"] == len(ITEMS)
    assert doubt_about(path, judge) is None
    assert "another model" in (doubt_about(path, FrozenJudge(FakeAnswerer(model="other"))) or "")
    bad = calibrate(FrozenJudge(FakeAnswerer(lambda _: ABSTAINS)), ITEMS)
    save_calibration(report_text(bad, judge, judge.settings, ITEMS), path)
    assert "no better than chance" in (doubt_about(path, judge) or "")


def test_another_set_has_another_hash() -> None:
    judge = FrozenJudge(FakeAnswerer())
    result = count(ITEMS, ["abstain"] * len(ITEMS))
    one = report_text(result, judge, {}, ITEMS)["set"]["sha256"]
    assert one == report_text(result, judge, {}, read_labelled())["set"]["sha256"]
    assert one != report_text(result, judge, {}, ITEMS[:-1])["set"]["sha256"]
