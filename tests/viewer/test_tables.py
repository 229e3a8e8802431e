"""Tables on a terminal and in a pipe, and the table that a run ends with."""

import io

import pytest
from rich.console import Console

from bowerbird.evals.report import EvalReport
from bowerbird.viewer.tables import Table, as_text, differences, evaluation_tables, show, steps_table
from tests.viewer.runs import evaluation, rising_reports

BEFORE = evaluation(0, [("plain", 0.25), ("fixed", 0.375), ("own", 0.125)])
AFTER = evaluation(16, [("plain", 0.375), ("fixed", 0.625), ("own", 0.625)])
SMALL = Table("Title", ("name", "count"), (("a", "1"), ("longer", "200")), frozenset({"count"}))


def test_text_is_aligned() -> None:
    assert as_text(SMALL).splitlines() == ["Title", "name    count", "a           1", "longer    200"]


def test_a_table_without_rows_has_its_head() -> None:
    assert as_text(Table("None", ("a", "b"), ())).splitlines() == ["None", "a  b"]


@pytest.mark.parametrize("on_terminal", [True, False])
def test_cells_are_escaped_and_never_markup(on_terminal: bool) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=on_terminal, width=80, color_system=None)
    show(Table("T", ("cell",), (("[red]x[/red] \x1b[2J",),)), console)
    assert r"[red]x[/red] \x1b[2J" in file.getvalue()
    assert "\x1b[2J" not in file.getvalue()
    assert ("┃" in file.getvalue()) == on_terminal


def test_a_pipe_is_never_wrapped() -> None:
    file = io.StringIO()
    show(Table("T", ("cell",), (("x" * 500,),)), Console(file=file, force_terminal=False, width=40))
    assert "x" * 500 in file.getvalue()


def test_the_end_table_has_both_evaluations() -> None:
    arms, gaps = evaluation_tables(BEFORE, AFTER)
    assert "96 held-out tasks, 256 tokens a rollout" in arms.title
    assert arms.columns == ("arm", "solved before", "tokens before", "solved after", "tokens after")
    # 1/4 of 96: sample deviation sqrt(96/95 * 3/16), error 0.044426, times 1.96
    assert arms.rows[0] == ("plain", "25.0% [16.3, 33.7]", "105", "37.5% [27.8, 47.2]", "105")
    assert [row[0] for row in gaps.rows] == [
        "own after - own before",
        "own after - plain after",
        "own after - fixed after",
    ]
    # half of the pairs gain: error sqrt(96/95 * 1/4 / 96) = 0.0513, times 1.96
    assert gaps.rows[0] == ("own after - own before", "+50.0 [+39.9, +60.1]", "96", "is above 0")
    # no pair differs: 1 - 0.025 ** (1/96) = 0.0377 could still hide
    assert gaps.rows[2] == ("own after - fixed after", "+0.0 [-3.8, +3.8]", "96", "holds 0")


def test_without_an_evaluation_before() -> None:
    arms, samples, gaps = evaluation_tables(None, AFTER)
    assert arms.columns == ("arm", "solved after", "tokens after")
    assert samples.columns == ("arm", "pass@1", "read a solution", "written")
    assert samples.rows[0] == ("plain", "37.5% [27.8, 47.2]", "0", "280")  # 105 tokens for 0.375 solutions
    assert [row[0] for row in gaps.rows] == ["own after - plain after", "own after - fixed after"]


def test_without_an_evaluation_after() -> None:
    arms, _, gaps = evaluation_tables(BEFORE, None)
    assert arms.columns == ("arm", "solved before", "tokens before")
    assert gaps.rows[0][0] == "own before - plain before"
    assert gaps.rows[0][3] == "is below 0"


def test_without_any() -> None:
    assert evaluation_tables(None, None) == []
    assert differences(None, None) == []


def test_an_arm_that_was_not_there_before_has_a_dash() -> None:
    arms, _ = evaluation_tables(EvalReport(0, 256, 96, BEFORE.arms[:1]), AFTER)
    assert [row[1] for row in arms.rows] == ["25.0% [16.3, 33.7]", "–", "–"]


def test_the_last_steps() -> None:
    table = steps_table(rising_reports(12), shown=3)
    assert [row[0] for row in table.rows] == ["10", "11", "12"]
    assert table.title == "12 steps, the last 3"
