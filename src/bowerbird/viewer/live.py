"""The live view of a run on a terminal, and the choice between it and plain lines."""

import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from bowerbird.orchestrator.progress import StepReport, Watcher
from bowerbird.viewer.pace import Pace
from bowerbird.viewer.plain import PlainWatcher
from bowerbird.viewer.sparkline import sparkline
from bowerbird.viewer.text import STEP_PHASES, clean, duration, percent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

REFRESHES = 2  # a second: a frame takes 5 to 15 milliseconds, and the run needs the cores
SHOWN_FIELDS = ("candidates", "select", "decompose", "verify", "retries", "tools", "temperature")
_SPARKS = 32


class Screen(Watcher, Protocol):
    """A watcher that is entered before the run and left after it, however the run ends."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


def make_watcher(plain: bool | None = None) -> Screen:
    """The live view where standard output is a terminal, else plain lines. `plain` decides either way unless None."""
    if plain is None:
        plain = not sys.stdout.isatty()
    if plain:
        return PlainWatcher(sys.stdout)
    from rich.console import Console

    return LiveWatcher(Console())


class LiveWatcher:
    """Draws from a thread of its own at REFRESHES a second, so that a call costs the run only an assignment."""

    def __init__(self, console: "Console", clock: Callable[[], float] = time.monotonic) -> None:
        from rich.live import Live

        self._clock, self._began = clock, clock()
        self._pace = Pace()
        self._reports: list[StepReport] = []
        self._total = 0
        self._phase = ("", 0, 0)
        self._stepped_at = self._began
        self._live = Live(
            console=console, refresh_per_second=REFRESHES, get_renderable=self.frame, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._phase = ("", 0, 0)
        self._live.stop()

    def says(self, text: str) -> None:
        self._live.console.print(clean(text), markup=False, highlight=False)

    def phase(self, name: str, done: int, total: int) -> None:
        self._phase = (name, done, total)

    def stepped(self, report: StepReport, total_steps: int) -> None:
        self._reports.append(report)
        self._pace.add(report.seconds)
        self._total, self._stepped_at = total_steps, self._clock()

    # -- drawing, in the thread of the view ----------------------------------------------------------

    def frame(self) -> "RenderableType":
        """The whole view as it stands."""
        from rich.panel import Panel
        from rich.table import Table

        reports = list(self._reports)
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(overflow="fold")
        for name, line in [*self._now(reports), *_facts(reports)]:
            grid.add_row(name, line)
        return Panel(grid, title="bowerbird", title_align="left", border_style="dim", expand=True)

    def _now(self, reports: list[StepReport]) -> "list[tuple[str, RenderableType]]":
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        name, done, total = self._phase
        times = f"elapsed {duration(self._clock() - self._began)}"
        step = reports[-1].step if reports else 0
        if 0 < step < self._total:
            left = self._pace.left(self._total - step) - (self._clock() - self._stepped_at)
            times += f"   left {duration(max(left, 0.0))}"
        steps = Table.grid(padding=(0, 2))
        if self._total:
            bar = ProgressBar(self._total, step, width=_SPARKS)
            steps.add_row(f"{step} of {self._total}", bar, times)
        else:
            steps.add_row(times)
        phase = Table.grid(padding=(0, 2))
        if total > 1:
            phase.add_row(clean(name), ProgressBar(total, min(done, total), width=_SPARKS), f"{done} of {total}")
        else:
            phase.add_row(clean(name) or "–")
        return [("steps", steps), ("now", phase)]


def _facts(reports: list[StepReport]) -> "list[tuple[str, RenderableType]]":
    """What the last step said, with the series of both rewards."""
    from rich.text import Text

    if not reports:
        return []
    last = reports[-1]
    rewards, returns = [r.reward for r in reports], [r.scaffold_return for r in reports]
    parts = "  ".join(f"{name} {getattr(last, f'seconds_{name}'):.1f}" for name in STEP_PHASES)
    lines = {
        "reward": f"{last.reward:.3f}  {sparkline(rewards, _SPARKS)}",
        "scaffolds": f"{last.scaffold_return:.3f}  {sparkline(returns, _SPARKS)}  best {last.best_return:.3f}  "
        f"valid {last.scaffolds_valid} of {last.scaffolds}",
        "rollouts": f"valid {last.valid}  hacked {last.hacked}  infra {last.infra_error}  "
        f"groups with a signal {percent(last.signal)}",
        "learner": f"loss {last.loss:+.4f}  gradient {last.grad_norm:.2f}  clipped {percent(last.clip_fraction)}",
        "speed": f"{last.tokens_per_second:.0f} tokens/s  step {last.seconds:.1f} s:  {parts}",
        "cards": top_choices(last),
    }
    if last.failures:
        lines["failures"] = "  ".join(f"{clean(name)} {count}" for name, count in _commonest(last.failures, 5))
    if last.flags:
        lines["flags"] = "  ".join(f"{clean(rule)} {count}" for rule, count in _commonest(last.flags, 5))
    return [(name, Text(line)) for name, line in lines.items() if line]


def top_choices(report: StepReport) -> str:
    """The commonest value of each card field that matters most, with its share of the step's scaffolds."""
    shown = []
    for field in SHOWN_FIELDS:
        counts = report.choices.get(field)
        if counts:
            ((value, count),) = _commonest(counts, 1)
            shown.append(f"{field} {clean(value, 40)} {percent(count / sum(counts.values()))}")
    return "  ".join(shown)


def _commonest(counts: Mapping[str, int], number: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]
