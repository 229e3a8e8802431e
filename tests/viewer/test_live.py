"""The live view, drawn on a terminal that is none."""

import io
import threading
import time
from dataclasses import replace

import pytest
from rich.console import Console

from bowerbird.viewer.live import LiveWatcher, make_watcher, top_choices
from bowerbird.viewer.plain import PlainWatcher
from tests.viewer.runs import rising_reports, step_report


def terminal(file: io.StringIO | None = None) -> Console:
    return Console(file=file or io.StringIO(), force_terminal=True, width=120, height=40, color_system=None)


def drawn(watcher: LiveWatcher) -> str:
    console = terminal()
    with console.capture() as capture:
        console.print(watcher.frame())
    return capture.get()


def test_a_frame_before_anything_happened() -> None:
    assert "elapsed" in drawn(LiveWatcher(terminal()))


def test_a_frame_shows_what_the_step_said() -> None:
    now = [100.0]
    watcher = LiveWatcher(terminal(), lambda: now[0])
    now[0] = 225.0
    for report in rising_reports(9):
        watcher.stepped(replace(report, seconds=30.0), 12)
    watcher.stepped(step_report(10, seconds=30.0), 12)
    watcher.phase("solve", 23, 48)
    frame = drawn(watcher)
    for part in (
        "10 of 12", "elapsed 2:05", "left 1:00", "solve", "23 of 48", "0.410", "0.350", "best 0.620", "valid 15 of 16",
        "valid 45", "hacked 2", "infra 1", "signal 58%", "142 tokens/s", "propose 2.2", "wrong_answer 12", "canary 2",
        "candidates 1 67%", "select first 60%", "tools none 100%",
    ):  # fmt: skip
        assert part in frame, part
    assert any(bar in frame for bar in "▃▄▅▆")


def test_time_left_runs_down_and_never_below_zero() -> None:
    now = [0.0]
    watcher = LiveWatcher(terminal(), lambda: now[0])
    watcher.stepped(step_report(1, seconds=30.0), 3)
    now[0] = 20.0
    assert "left 40 s" in drawn(watcher)
    now[0] = 500.0
    assert "left 0.0 s" in drawn(watcher)


def test_names_from_a_model_are_escaped() -> None:
    watcher = LiveWatcher(terminal())
    watcher.stepped(step_report(failures={"\x1b[2J[red]": 1}, choices={"select": {"[bold]\x07": 3}}), 3)
    frame = drawn(watcher)
    assert "\x1b" not in frame
    assert "\x07" not in frame
    assert r"\x1b[2J[red] 1" in frame


def test_it_starts_and_stops_whatever_happens() -> None:
    file = io.StringIO()
    threads = threading.active_count()

    def run() -> None:
        with LiveWatcher(terminal(file)) as watcher:
            watcher.says("loading [weights]")
            watcher.phase("evaluate plain", 3, 96)
            assert threading.active_count() == threads + 1
            raise RuntimeError("lost")

    with pytest.raises(RuntimeError, match="lost"):
        run()
    deadline = time.monotonic() + 10
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() == threads
    assert "loading [weights]" in file.getvalue()
    assert file.getvalue().count("\x1b[?25h") == 1, "the cursor is shown again"


def test_calls_cost_the_run_next_to_nothing() -> None:
    """A phase call draws nothing: a thousand of them write not one byte."""
    file = io.StringIO()
    watcher = LiveWatcher(terminal(file))
    for i in range(1000):
        watcher.phase("solve", i, 1000)
    assert file.getvalue() == ""


def test_the_commonest_choice_of_each_field() -> None:
    report = step_report(choices={"k": {"1": 9}, "select": {"vote": 2, "first": 2}, "candidates": {"4": 3, "1": 1}})
    assert top_choices(report) == "candidates 4 75%  select first 50%"
    assert top_choices(step_report(choices={})) == ""


def test_no_terminal_means_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    watcher = make_watcher()
    assert isinstance(watcher, PlainWatcher)
    watcher.says("hello")
    assert capsys.readouterr().out == "hello\n"
    assert isinstance(make_watcher(True), PlainWatcher)
    assert isinstance(make_watcher(False), LiveWatcher)
