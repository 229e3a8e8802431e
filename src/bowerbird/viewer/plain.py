"""Quiet lines for a log: set-up, one line a step, and of other phases one a minute and one at the end."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from bowerbird.orchestrator.progress import StepReport
from bowerbird.viewer.pace import Pace
from bowerbird.viewer.text import STEP_PHASES, clean, duration, percent

_EVERY_S = 60.0


class PlainWatcher:
    """Writes to `out` and flushes each line. `clock` gives seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._pace = Pace()
        self._phase, self._began, self._told, self._spoke = "", 0.0, False, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        pass

    def says(self, text: str) -> None:
        print(clean(text), file=self._out, flush=True)

    def phase(self, name: str, done: int, total: int) -> None:
        """The phases of a step are on the step's own line."""
        now = self._clock()
        if name != self._phase or (self._told and done < total):
            self._phase, self._began, self._told, self._spoke = name, now, False, now
        if name in STEP_PHASES or self._told:
            return
        if done >= total > 0:
            self._told = True
            self.says(f"{name}: {done} of {total} in {duration(now - self._began)}")
        elif now - self._spoke >= _EVERY_S:
            self._spoke = now
            self.says(f"{name}: {done} of {total} after {duration(now - self._began)}")

    def stepped(self, report: StepReport, total_steps: int) -> None:
        self._pace.add(report.seconds)
        left = self._pace.left(total_steps - report.step)
        self.says(step_line(report, total_steps) + (f"  left {duration(left)}" if report.step < total_steps else ""))


def step_line(report: StepReport, total_steps: int) -> str:
    """One step in one line of `key value` pairs, two spaces apart."""
    parts = [
        f"step {report.step:>{len(str(total_steps))}}/{total_steps}",
        f"reward {report.reward:.3f}",
        f"scaffold {report.scaffold_return:.3f}",
        f"best {report.best_return:.3f}",
        f"valid {report.valid} hacked {report.hacked} infra {report.infra_error}",
        f"scaffolds {report.scaffolds_valid}/{report.scaffolds}",
        f"signal {percent(report.signal)}",
        f"loss {report.loss:+.4f}",
        f"{report.tokens_per_second:.0f} tokens/s",
        duration(report.seconds),
    ]
    return "  ".join(parts)
