"""Small things: words, numbers, sparklines, pace."""

import math

import pytest

from bowerbird.viewer.pace import Pace
from bowerbird.viewer.sparkline import sparkline
from bowerbird.viewer.text import clean, clean_lines, duration, percent


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words, π and 漢", "plain words, π and 漢"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("two\nlines\r\tover", r"two\nlines\r\tover"),
        ("right\u202eto left", r"right\u202eto left"),
        ("lone \ud800 half", r"lone \ud800 half"),
        ("[bold]no markup[/bold]", "[bold]no markup[/bold]"),
    ],
)
def test_what_models_wrote_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert clean(text).isprintable()


def test_long_text_is_cut() -> None:
    assert clean("abcdef", 3) == "abc…"


def test_line_ends_stay_where_lines_are_wanted() -> None:
    assert clean_lines("a\n\x1bb") == "a\n\\x1bb"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.04, "0.0 s"), (3.44, "3.4 s"), (42.4, "42 s"), (59.6, "1:00"), (187, "3:07"), (3723, "1:02:03")],
)
def test_duration(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_percent() -> None:
    assert percent(0.576) == "58%"


def test_sparkline_spans_its_range_and_keeps_the_newest() -> None:
    assert sparkline([0.0, 0.5, 1.0], 8) == "▁▅█"
    assert sparkline([0.0, 0.0, 1.0, 1.0], 2) == "██"
    assert sparkline([], 5) == ""


def test_sparkline_of_values_off_the_scale() -> None:
    assert sparkline([-3.0, 7.0, math.nan, math.inf], 4) == "▁█  "
    assert sparkline([10.0, 20.0], 4, low=10, high=20) == "▁█"


def test_sparkline_refuses_an_empty_range() -> None:
    with pytest.raises(ValueError, match="empty range"):
        sparkline([1.0], 4, low=1, high=1)


def test_pace_is_that_of_the_last_steps() -> None:
    pace = Pace(window=2)
    assert pace.left(5) == 0
    for seconds in (100, 10, 20):
        pace.add(seconds)
    assert pace.left(4) == 60
