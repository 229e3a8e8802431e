"""Plain lines: what is said, when, and that each is out at once."""

import io

from bowerbird.viewer.plain import PlainWatcher, step_line
from tests.viewer.runs import step_report


class Log(io.StringIO):
    """Remembers how much had been flushed."""

    flushed = 0

    def flush(self) -> None:
        self.flushed = len(self.getvalue())


def watched() -> tuple[PlainWatcher, Log, list[float]]:
    now, log = [0.0], Log()
    return PlainWatcher(log, lambda: now[0]), log, now


def test_a_step_is_one_flushed_line() -> None:
    watcher, log, _ = watched()
    for phase, total in (("propose", 16), ("solve", 48), ("grade", 48), ("learn", 1)):
        watcher.phase(phase, 0, total)
        watcher.phase(phase, total, total)
    watcher.stepped(step_report(3, seconds=30.0), 12)
    assert log.getvalue() == (
        "step  3/12  reward 0.410  scaffold 0.350  best 0.620  valid 45 hacked 2 infra 1  scaffolds 15/16  signal 58%  "
        "loss +0.0123  142 tokens/s  30 s  left 4:30\n"
    )
    assert log.flushed == len(log.getvalue())


def test_the_last_step_has_nothing_left() -> None:
    watcher, log, _ = watched()
    watcher.stepped(step_report(12), 12)
    assert log.getvalue() == step_line(step_report(12), 12) + "\n"
    assert "left" not in log.getvalue()


def test_time_left_follows_the_mean_of_recent_steps() -> None:
    watcher, log, _ = watched()
    watcher.stepped(step_report(1, seconds=10.0), 4)
    watcher.stepped(step_report(2, seconds=30.0), 4)
    assert [line.rpartition("left ")[2] for line in log.getvalue().splitlines()] == ["30 s", "40 s"]


def test_other_phases_are_told_once_when_they_end() -> None:
    watcher, log, now = watched()
    for arm in ("evaluate plain", "evaluate own"):
        for done in (0, 40, 96, 96):
            watcher.phase(arm, done, 96)
            now[0] += 5
    assert log.getvalue() == "evaluate plain: 96 of 96 in 10 s\nevaluate own: 96 of 96 in 10 s\n"


def test_a_phase_that_comes_again_is_told_again() -> None:
    watcher, log, _ = watched()
    for _ in range(2):
        watcher.phase("evaluate own", 0, 2)
        watcher.phase("evaluate own", 2, 2)
    assert log.getvalue().count("evaluate own: 2 of 2") == 2


def test_what_is_said_stays_one_harmless_line() -> None:
    watcher, log, _ = watched()
    with watcher:
        watcher.says("loading\x1b[31m\nnow")
    assert log.getvalue() == "loading\\x1b[31m\\nnow\n"


def test_a_long_phase_says_once_a_minute_how_far_it_is() -> None:
    watcher, log, now = watched()
    for done in range(8):
        watcher.phase("evaluate", done, 8)
        now[0] += 25
    watcher.phase("evaluate", 8, 8)
    lines = log.getvalue().splitlines()
    assert lines == ["evaluate: 3 of 8 after 1:15", "evaluate: 6 of 8 after 2:30", "evaluate: 8 of 8 in 3:20"]
