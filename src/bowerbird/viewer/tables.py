"""Tables for people: drawn on a terminal, aligned text elsewhere. And the table that a run ends with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bowerbird.evals.report import ArmResult, EvalReport, difference, passing, samples_of, tokens_per_solved
from bowerbird.evals.stats import Estimate
from bowerbird.orchestrator.progress import StepReport
from bowerbird.viewer.text import clean, duration

if TYPE_CHECKING:
    from rich.console import Console

OWN = "own"  # of an evaluation's arms


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` have one cell a column; cells of the columns named in `right` are aligned to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


def show(table: Table, console: "Console | None" = None) -> None:
    """Print to `console`, by default standard output. Cells are escaped: a model may have written them."""
    from rich.console import Console

    console = Console() if console is None else console
    if not console.is_terminal:
        console.file.write(as_text(table) + "\n")
        return
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(title=Text(clean(table.title)), title_justify="left", title_style="bold", header_style="bold")
    for column in table.columns:
        drawn.add_column(column, justify="right" if column in table.right else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    console.print(drawn)


def as_text(table: Table) -> str:
    """The title, the head and the rows, in columns two spaces apart."""
    cells = [table.columns, *(tuple(clean(cell) for cell in row) for row in table.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(table.columns))]

    def line(row: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if column in table.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, table.columns, strict=True)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join([clean(table.title), *map(line, cells)])


def evaluation_tables(before: EvalReport | None, after: EvalReport | None) -> list[Table]:
    """The arms side by side, then the paired differences; as much as there are reports for."""
    reports = [(name, report) for name, report in (("before", before), ("after", after)) if report is not None]
    if not reports:
        return []
    gaps = differences(before, after)
    alone = len(reports) == 1  # beside another, the table of arms says enough of single samples
    several = [_passing_table(when, report) for when, report in reports if _samples(report) > 1 or alone]
    return [_arms_table(reports), *several, *([_gaps_table(gaps)] if gaps else [])]


def markdown(table: Table) -> str:
    """The same table for a document."""
    rule = ["---:" if column in table.right else "---" for column in table.columns]
    rows = (table.columns, rule, *table.rows)
    return f"**{table.title}**\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def differences(before: EvalReport | None, after: EvalReport | None) -> list[tuple[str, Estimate]]:
    """Own card against itself before training, and against the other arms in the latest evaluation."""
    found: list[tuple[str, Estimate]] = []
    latest, when = (after, "after") if after is not None else (before, "before")
    own = _arm(latest, OWN)
    if own is None:
        return found
    start = _arm(before, OWN)
    if after is not None and start is not None:
        found.append((f"{OWN} after - {OWN} before", difference(own, start)))
    others = [arm for arm in latest.arms if arm.name != OWN] if latest is not None else []
    found += [(f"{OWN} {when} - {arm.name} {when}", difference(own, arm)) for arm in others]
    return found


def steps_table(reports: Sequence[StepReport], shown: int = 10) -> Table:
    """The last `shown` steps."""
    columns = ("step", "reward", "scaffolds", "best", "valid", "hacked", "infra", "cards", "tokens/s", "time")
    rows = tuple(
        (
            str(r.step),
            f"{r.reward:.3f}",
            f"{r.scaffold_return:.3f}",
            f"{r.best_return:.3f}",
            str(r.valid),
            str(r.hacked),
            str(r.infra_error),
            f"{r.scaffolds_valid}/{r.scaffolds}",
            f"{r.tokens_per_second:.0f}",
            duration(r.seconds),
        )
        for r in reports[-shown:]
    )
    return Table(f"{len(reports)} steps, the last {len(rows)}", columns, rows, frozenset(columns))


def _arms_table(reports: Sequence[tuple[str, EvalReport]]) -> Table:
    latest = reports[-1][1]
    names = [arm.name for arm in latest.arms]
    columns = ["arm"]
    for when, _ in reports:
        columns += [f"solved {when}", f"tokens {when}"]
    rows = []
    for name in names:
        row = [name]
        for _, report in reports:
            arm = _arm(report, name)
            row += [_share(arm.solved), f"{arm.tokens:.0f}"] if arm is not None else ["–", "–"]
        rows.append(tuple(row))
    title = (
        f"{latest.tasks} held-out tasks, {latest.token_budget} tokens a rollout: mean reward with its 95% interval, "
        "mean tokens used"
    )
    return Table(title, tuple(columns), tuple(rows), frozenset(columns[1:]))


def _samples(report: EvalReport) -> int:
    return min((samples_of(arm) for arm in report.arms), default=0)


def _passing_table(when: str, report: EvalReport) -> Table:
    """pass@k and pass^k for k = 1, 2, 4, ... and the number of samples; tokens read and written for each solution."""
    most = _samples(report)
    ks = sorted({k for k in (1, 2, 4, 8, 16, 32) if k < most} | {most})
    columns = ("arm", *(f"pass@{k}" for k in ks), *(f"pass^{k}" for k in ks[1:]), "read a solution", "written")
    rows = []
    for arm in report.arms:
        found = [passing(arm, k) for k in ks]
        cost = [f"{tokens:.0f}" if math.isfinite(tokens) else "–" for tokens in tokens_per_solved(arm)]
        row = [arm.name, *(_share(once) for once, _ in found), *(_share(always) for _, always in found[1:])]
        rows.append((*row, *cost))
    return Table(
        f"{most} sample{'s' if most > 1 else ''} of each task, {when}", columns, tuple(rows), frozenset(columns[1:])
    )


def _gaps_table(gaps: Sequence[tuple[str, Estimate]]) -> Table:
    columns = ("difference", "points", "tasks", "the interval")
    rows = tuple((name, _points(gap), str(gap.clusters), _reading(gap)) for name, gap in gaps)
    return Table("Differences, paired by task, with their 95% intervals", columns, rows, frozenset({"points", "tasks"}))


def _share(estimate: Estimate) -> str:
    return f"{100 * estimate.mean:.1f}% [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _points(estimate: Estimate) -> str:
    return f"{100 * estimate.mean:+.1f} [{100 * estimate.low:+.1f}, {100 * estimate.high:+.1f}]"


def _reading(estimate: Estimate) -> str:
    if estimate.low > 0:
        return "is above 0"
    return "is below 0" if estimate.high < 0 else "holds 0"


def _arm(report: EvalReport | None, name: str) -> ArmResult | None:
    return next((arm for arm in report.arms if arm.name == name), None) if report is not None else None
