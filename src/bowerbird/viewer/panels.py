"""The panels of the picture: each draws one thing on axes that it is given. Needs matplotlib."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bowerbird.evals.report import EvalReport
from bowerbird.orchestrator.progress import StepReport
from bowerbird.viewer.figure import QUIET, SCAFFOLD, SOLVE, Axes, frame, legend, nothing
from bowerbird.viewer.text import STEP_PHASES, clean

FIELDS = ("candidates", "select", "verify", "temperature")  # the choices that decide most
GOOD, BAD, LOST = "#7fb7a5", "#c8553d", "#c9ccd1"
PARTS = ("#d9c9a3", "#b9d3e0", "#1f6f8b", "#7fb7a5", "#d1662f", "#c9ccd1")
SHARES = ("#1f6f8b", "#d1662f", "#7fb7a5", "#e0b04c", "#8a6fa8", "#8a8f98")
_MANY = 60  # steps from which bars would become hairs: areas are drawn instead


def draw(
    figure: Any, name: str, reports: Sequence[StepReport], before: EvalReport | None, after: EvalReport | None
) -> None:
    """All panels: rewards and arms on top, what happened below, the choices, and the flags where there are any."""
    flagged = any(r.flags for r in reports)
    heights = (1.25, 1.0, 0.85, 0.85)[: 4 if flagged else 3]
    grid = figure.add_gridspec(len(heights), 12, height_ratios=heights)
    rewards(figure.add_subplot(grid[0, :7]), reports)
    arms(figure.add_subplot(grid[0, 7:]), before, after)
    outcomes(figure.add_subplot(grid[1, :4]), reports)
    timing(figure.add_subplot(grid[1, 4:8]), reports)
    speed(figure.add_subplot(grid[1, 8:]), reports)
    for i, field in enumerate(FIELDS):
        choices(figure.add_subplot(grid[2, 3 * i : 3 * i + 3]), reports, field)
    if flagged:
        flags(figure.add_subplot(grid[3, :]), reports)
    steps = f"{reports[-1].step} steps" if reports else "no finished step"
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    title = figure.suptitle(f"{clean(name, 60)}  ·  {steps}", fontsize=15, fontweight="bold", x=0.012, ha="left")
    title.set_parse_math(False)


def rewards(axes: Axes, reports: Sequence[StepReport]) -> None:
    """Both stages' rewards: each step faint, the smoothed line strong."""
    frame(axes, "Reward of both stages")
    if not reports:
        return nothing(axes, "no finished step")
    steps = [r.step for r in reports]
    for label, color, values in (
        ("solving: mean reward of valid rollouts", SOLVE, [r.reward for r in reports]),
        ("scaffolds: mean return", SCAFFOLD, [r.scaffold_return for r in reports]),
    ):
        axes.plot(steps, values, color=color, alpha=0.3, linewidth=1, marker="o", markersize=3)
        axes.plot(steps, smooth(values), color=color, linewidth=2.4, label=label)
    audited = [(r.step, r.audit) for r in reports if r.audit is not None]
    if audited:
        label = "solved, by the tasks' own verifiers"
        axes.plot([s for s, _ in audited], smooth([a for _, a in audited]), color=BAD, linewidth=2.4, label=label)
    best = smooth([r.best_return for r in reports])
    axes.plot(steps, best, color=QUIET, linewidth=1.4, linestyle="--", label="best scaffold of each task")
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("step")
    _steps(axes, reports)
    legend(axes, loc="best")


def arms(axes: Axes, before: EvalReport | None, after: EvalReport | None, first: str = "before training") -> None:
    """Bars of each arm before and after, with their 95% intervals. `first` is what `before` is called."""
    frame(axes, "Held-out tasks, 95% intervals")
    reports = [
        (label, report, color)
        for label, report, color in ((first, before, LOST), ("after training", after, SOLVE))
        if report is not None
    ]
    if not reports:
        nothing(axes, "not evaluated")
        return
    names = [arm.name for arm in reports[-1][1].arms]
    width = 0.8 / len(reports)
    for i, (label, report, color) in enumerate(reports):
        found = {arm.name: arm.solved for arm in report.arms}
        shown = [(place, found[name]) for place, name in enumerate(names) if name in found]
        xs = [place + (i - (len(reports) - 1) / 2) * width for place, _ in shown]
        means = [e.mean for _, e in shown]
        errors = [[e.mean - e.low for _, e in shown], [e.high - e.mean for _, e in shown]]
        axes.bar(xs, means, width * 0.92, color=color, label=label)
        axes.errorbar(xs, means, yerr=errors, fmt="none", ecolor="#333333", elinewidth=1.2, capsize=4)
        for x, (_, e) in zip(xs, shown, strict=True):
            axes.annotate(
                f"{100 * e.mean:.0f}%", (x, e.high), xytext=(0, 3), textcoords="offset points", ha="center", fontsize=9
            )
    labels = {"plain": "plain sample", "fixed": "fixed card", "own": "own card"}
    labels |= {"react": "plain loop", "archive": "archive's best"}
    axes.set_xticks(range(len(names)), [labels.get(name, clean(name, 20)) for name in names])
    axes.set_ylim(0, 1.08 if max(e.solved.high for _, r, _ in reports for e in r.arms) > 0.85 else 1.0)
    legend(axes, loc="upper left")


def outcomes(axes: Axes, reports: Sequence[StepReport]) -> None:
    """What became of each step's rollouts, as shares, with the share of scaffolds that were valid."""
    frame(axes, "Rollouts by outcome, valid scaffolds")
    if not reports:
        return nothing(axes, "no finished step")
    totals = [max(r.valid + r.hacked + r.infra_error, 1) for r in reports]
    parts = {
        "valid": [r.valid / t for r, t in zip(reports, totals, strict=True)],
        "hacked": [r.hacked / t for r, t in zip(reports, totals, strict=True)],
        "infra error": [r.infra_error / t for r, t in zip(reports, totals, strict=True)],
    }
    _stack(axes, reports, parts, (GOOD, BAD, LOST))
    validity = [r.scaffolds_valid / max(r.scaffolds, 1) for r in reports]
    axes.plot([r.step for r in reports], validity, color="#222222", linewidth=1.6, label="scaffolds valid")
    axes.set_ylim(0, 1.06)
    axes.set_xlabel("step")
    legend(axes, loc="lower left")


def timing(axes: Axes, reports: Sequence[StepReport]) -> None:
    """Seconds of each step, by its parts."""
    frame(axes, "Seconds a step")
    if not reports:
        return nothing(axes, "no finished step")
    parts = {name: [getattr(r, f"seconds_{name}") for r in reports] for name in STEP_PHASES}
    _stack(axes, reports, parts, PARTS)
    axes.set_xlabel("step")
    axes.margins(y=0.25)
    legend(axes, loc="upper left", columns=3)


def speed(axes: Axes, reports: Sequence[StepReport]) -> None:
    """Sampled tokens per second of the whole step."""
    frame(axes, "Tokens sampled per second, end to end")
    if not reports:
        return nothing(axes, "no finished step")
    steps, values = [r.step for r in reports], [r.tokens_per_second for r in reports]
    axes.plot(steps, values, color=SOLVE, alpha=0.3, linewidth=1, marker="o", markersize=3)
    axes.plot(steps, smooth(values), color=SOLVE, linewidth=2.4)
    axes.set_ylim(0, 1.1 * max([1.0, *values]))
    axes.set_xlabel("step")
    _steps(axes, reports)


def flags(axes: Axes, reports: Sequence[StepReport]) -> None:
    """Share of each step's graded rollouts that each rule flagged."""
    frame(axes, "Flags by rule, share of the rollouts")
    totals = [max(r.valid + r.hacked, 1) for r in reports]
    for i, rule in enumerate(sorted({rule for r in reports for rule in r.flags})):
        rates = [r.flags.get(rule, 0) / t for r, t in zip(reports, totals, strict=True)]
        axes.plot([r.step for r in reports], rates, color=SHARES[i % len(SHARES)], linewidth=2, label=clean(rule, 30))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("step")
    _steps(axes, reports)
    legend(axes, loc="best")


def choices(axes: Axes, reports: Sequence[StepReport], field: str) -> None:
    """Which values the scaffolds of each step chose for one field, as shares."""
    frame(axes, f"Cards: {field}")
    values = sorted({v for r in reports for v in r.choices.get(field, {})}, key=lambda v: (v != "none", v))
    if not values:
        nothing(axes, "no valid card")
        return
    totals = [max(sum(r.choices.get(field, {}).values()), 1) for r in reports]
    parts = {
        clean(value, 20): [r.choices.get(field, {}).get(value, 0) / t for r, t in zip(reports, totals, strict=True)]
        for value in values
    }
    _stack(axes, reports, parts, SHARES)
    axes.set_ylim(0, 1)
    axes.set_xlabel("step")
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.22),
        ncols=2 if len(values) > 3 else len(values),
        fontsize=8,
        frameon=False,
        handlelength=1.0,
        columnspacing=1.0,
    )


def smooth(values: Sequence[float], reach: int | None = None) -> list[float]:
    """Mean of each value with up to `reach` neighbours on either side; what is no number is left out.

    By default a tenth of the series lies within reach, and at least five values. Windows are centred and shrink towards
    the ends, so the line neither lags nor flattens a trend.
    """
    numbers = np.asarray(values, dtype=float)
    widest = max(2, len(numbers) // 20) if reach is None else reach
    found = []
    for i in range(len(numbers)):
        own = min(widest, i, len(numbers) - 1 - i)
        near = numbers[i - own : i + own + 1]
        near = near[np.isfinite(near)]
        found.append(float(near.mean()) if near.size else float("nan"))
    return found


def _stack(axes: Axes, reports: Sequence[StepReport], parts: dict[str, list[float]], colors: Sequence[str]) -> None:
    """Stacked bars of each step; areas where there are too many steps for bars."""
    steps = [r.step for r in reports]
    if len(steps) > _MANY:
        axes.stackplot(steps, list(parts.values()), labels=list(parts), colors=colors, linewidth=0)
    else:
        floor = np.zeros(len(steps))
        for i, (label, values) in enumerate(parts.items()):
            axes.bar(steps, values, 0.92, bottom=floor, color=colors[i % len(colors)], label=label, linewidth=0)
            floor = floor + np.asarray(values)
    _steps(axes, reports)


def _steps(axes: Axes, reports: Sequence[StepReport]) -> None:
    axes.set_xlim(reports[0].step - 0.6, reports[-1].step + 0.6)
    axes.xaxis.get_major_locator().set_params(integer=True)
