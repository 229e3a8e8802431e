"""What a simulation found: tables, and the picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bowerbird.algo import staleness_weight
from bowerbird.orchestrator.simulation.cluster import Outcome, Row
from bowerbird.orchestrator.simulation.settings import AgeSettings
from bowerbird.viewer.figure import QUIET, SCAFFOLD, SOLVE, Axes, frame, legend, new_figure, nothing, save
from bowerbird.viewer.tables import Table
from bowerbird.viewer.text import clean, duration

_COLUMNS = (
    "GPUs", "sample+learn", "batch", "step", "sampler", "full speed", "learner", "mean age", "over K2", "w", "ESS",
    "tokens/s", "GPU-s/Mtok", "sync tokens/s", "async/sync",
)  # fmt: skip
_WAITS = ("GPUs", "loop", "sampler: weights", "tools", "capacity", "learner: weights", "groups")
_GREEN = "#7fb7a5"


def simulation_tables(name: str, rows: Sequence[Row]) -> list[Table]:
    """The figures of each cluster, then what its roles wait for."""
    title = f"{name}: one line a cluster; sampler, full speed and learner are shares of time"
    waits = [
        _waits(row.gpus, loop, found)
        for row in rows
        for loop, found in (("async", row.asynchronous), ("sync", row.synchronous))
        if found is not None
    ]
    return [
        Table(title, _COLUMNS, tuple(map(_line, rows)), frozenset(_COLUMNS)),
        Table("What each role waits for, shares of its time", _WAITS, tuple(waits), frozenset(_WAITS) - {"loop"}),
    ]


def remarks(rows: Sequence[Row]) -> list[str]:
    """What a reader of the tables must know."""
    found = []
    shared = [row.gpus for row in rows if row.asynchronous is None and row.synchronous is not None]
    if shared:
        found.append(f"{_listed(shared)}: no room for both roles, so they take turns: the synchronous loop alone")
    if none := [row.gpus for row in rows if row.synchronous is None]:
        found.append(f"{_listed(none)}: too few for an engine or for the learner")
    if any(row.asynchronous is not None and row.asynchronous.copies > 1.0 for row in rows):
        found.append("large clusters: a few engines are simulated, each standing for several")
    found.append("sync: all GPUs sample, then all learn, at age 0; no time is charged for changing over")
    return found


def _listed(gpus: Sequence[int]) -> str:
    return ", ".join(f"{count:,}" for count in gpus) + (" GPU" if list(gpus) == [1] else " GPUs")


def _line(row: Row) -> tuple[str, ...]:
    together = f"{row.synchronous.tokens_s:,.0f}" if row.synchronous is not None else "–"
    found = row.asynchronous
    if found is None:
        return (f"{row.gpus:,}", *["–"] * (len(_COLUMNS) - 3), together, "–")
    split, ages = found.split, found.ages
    gain = f"{found.tokens_s / row.synchronous.tokens_s:.2f}" if row.synchronous is not None else "–"
    return (
        f"{row.gpus:,}",
        f"{split.samplers:,}+{split.learners:,}",
        f"{found.batch:,}",
        duration(found.step_s),
        *(f"{100 * share:.1f}%" for share in (found.sampler_busy, found.sampler_speed, found.learner_busy)),
        f"{ages.mean:.2f}",
        f"{100 * ages.beyond:.1f}%",
        f"{ages.weight:.2f}",
        f"{100 * ages.ess:.0f}%",
        f"{found.tokens_s:,.0f}",
        f"{found.gpu_s:,.0f}",
        together,
        gain,
    )


def _waits(gpus: int, loop: str, found: Outcome) -> tuple[str, ...]:
    shares = (
        *(found.sampler_waits[key] for key in ("weights", "tools", "capacity")),
        *(found.learner_waits[key] for key in ("weights", "groups")),
    )
    return (f"{gpus:,}", loop, *(f"{100 * share:.1f}%" for share in shares))


def draw_simulation(name: str, age: AgeSettings, rows: Sequence[Row], path: Path) -> Path:
    """The picture, at `path`. Raises ConfigError without matplotlib, RunError when it cannot be written."""
    figure = new_figure((15.0, 9.0))
    draw(figure, name, age, rows)
    return save(figure, path)


def draw(figure: Any, name: str, age: AgeSettings, rows: Sequence[Row]) -> None:
    """Six panels. Clusters that do not run the asynchronous loop are in none but the throughput's."""
    found = [row.asynchronous for row in rows if row.asynchronous is not None]
    together = [row.synchronous for row in rows if row.synchronous is not None]
    places = figure.subplots(2, 3)
    panels: list[tuple[Axes, str, Callable[[Axes], None]]] = [
        (places[0, 0], "Utilisation, share of time", lambda axes: _utilisation(axes, found, together)),
        (places[0, 1], "Trained tokens per second", lambda axes: _throughput(axes, found, together)),
        (places[0, 2], "GPU-seconds per million trained tokens", lambda axes: _cost(axes, found, together)),
        (places[1, 0], "Mean age of trained tokens, in updates", lambda axes: _ages(axes, age, found)),
        (places[1, 1], "Weight of trained tokens", lambda axes: _weights(axes, found)),
        (places[1, 2], "Age of trained tokens in the largest cluster", lambda axes: _histogram(axes, age, found)),
    ]
    for axes, title, panel in panels:
        frame(axes, title)
        if found:
            panel(axes)
        else:
            nothing(axes, "no cluster has room for both roles")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.1)
    head = figure.suptitle(f"{clean(name, 60)}  ·  simulated", fontsize=15, fontweight="bold", x=0.012, ha="left")
    head.set_parse_math(False)


def _utilisation(axes: Axes, found: Sequence[Outcome], together: Sequence[Outcome]) -> None:
    _curve(axes, found, [o.sampler_speed for o in found], SOLVE, "sampler, of its full speed")
    _curve(axes, found, [o.learner_busy for o in found], SCAFFOLD, "learner busy")
    _curve(axes, together, [o.sampler_speed + o.learner_busy for o in together], QUIET, "synchronous: both", "--")
    axes.axhline(0.9, color="#bbbbbb", linewidth=1)
    axes.set_ylim(0, 1.02)
    _scale(axes, found)
    legend(axes, loc="lower right")


def _throughput(axes: Axes, found: Sequence[Outcome], together: Sequence[Outcome]) -> None:
    first = found[0]
    linear = [first.tokens_s * o.split.gpus / first.split.gpus for o in found]
    _curve(axes, found, linear, "#bbbbbb", f"{first.split.gpus:,} GPUs in proportion", "-", marker="")
    _curve(axes, found, [o.tokens_s for o in found], SOLVE, "asynchronous")
    _curve(axes, together, [o.tokens_s for o in together], QUIET, "synchronous", "--")
    axes.set_yscale("log")
    _scale(axes, found)
    legend(axes, loc="upper left")


def _cost(axes: Axes, found: Sequence[Outcome], together: Sequence[Outcome]) -> None:
    _curve(axes, found, [o.gpu_s for o in found], SOLVE, "asynchronous")
    _curve(axes, found, [o.gpu_s / o.ages.ess for o in found], SCAFFOLD, "per effective token (ESS)")
    _curve(axes, together, [o.gpu_s for o in together], QUIET, "synchronous", "--")
    axes.set_ylim(bottom=0)
    _scale(axes, found)
    legend(axes, loc="lower right")


def _ages(axes: Axes, age: AgeSettings, found: Sequence[Outcome]) -> None:
    _curve(axes, found, [o.ages.mean for o in found], SOLVE, "mean age")
    for name, value in (("K1", age.k1), ("K2", age.k2)):
        axes.axhline(value, color="#bbbbbb", linewidth=1)
        axes.annotate(name, (0.01, value), xycoords=("axes fraction", "data"), va="bottom", fontsize=9, color=QUIET)
    axes.set_ylim(0, max(age.k2, *(o.ages.mean for o in found)) + 0.8)
    _scale(axes, found)


def _weights(axes: Axes, found: Sequence[Outcome]) -> None:
    _curve(axes, found, [o.ages.weight for o in found], SOLVE, "mean of w(d)")
    _curve(axes, found, [o.ages.ess for o in found], SCAFFOLD, "effective sample size, share")
    _curve(axes, found, [o.ages.beyond for o in found], _GREEN, "share older than K2")
    axes.set_ylim(0, 1.02)
    _scale(axes, found)
    legend(axes, loc="best")


def _histogram(axes: Axes, age: AgeSettings, found: Sequence[Outcome]) -> None:
    shares = found[-1].ages.shares
    axes.bar(list(shares), list(shares.values()), 0.85, color=SOLVE, linewidth=0, label="share of the tokens")
    most = max(max(shares), age.k2 + 1)
    tall = max(shares.values())
    weights = [tall * staleness_weight(d, age.k1, age.k2, age.decay) for d in range(most + 1)]
    axes.plot(range(most + 1), weights, color=SCAFFOLD, marker="o", markersize=4, label="w(d), to scale")
    axes.set_xlabel(f"age ({found[-1].split.gpus:,} GPUs)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    legend(axes, loc="upper right")


def _curve(
    axes: Axes,
    found: Sequence[Outcome],
    values: Sequence[float],
    color: str,
    label: str,
    style: str = "-",
    marker: str = "o",
) -> None:
    gpus = [outcome.split.gpus for outcome in found]
    axes.plot(gpus, values, style, color=color, marker=marker, markersize=5, linewidth=2, label=label)


def _scale(axes: Axes, found: Sequence[Outcome]) -> None:
    axes.set_xscale("log")
    axes.set_xticks([o.split.gpus for o in found], [f"{o.split.gpus:,}" for o in found])
    axes.minorticks_off()
    axes.set_xlabel("GPUs")
