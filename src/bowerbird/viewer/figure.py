"""What all pictures share: a figure without a display, how axes look, and a file that is whole or absent."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bowerbird.types import ConfigError, RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Axes = Any  # matplotlib has no types that we could check against
SOLVE, SCAFFOLD, QUIET = "#1f6f8b", "#d1662f", "#8a8f98"
_DPI = 110


def new_figure(size: tuple[float, float]) -> "Figure":
    """An empty figure of `size` inches. Raises ConfigError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"drawing curves needs the extra 'viewer': pip install 'bowerbird[viewer]' (no module {error.name})"
        ) from error
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # no display, and no state shared with whoever else draws in this process
    return figure


def save(figure: "Figure", path: Path) -> Path:
    """Write a PNG, replaced in one step. Raises RunError when it cannot be written."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            figure.savefig(file, format="png", dpi=_DPI)
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    return path


def frame(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")
    axes.tick_params(colors="#555555", labelsize=9)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)


def legend(axes: Axes, loc: str, columns: int = 1) -> None:
    axes.legend(loc=loc, ncols=columns, fontsize=8.5, frameon=True, framealpha=0.85, edgecolor="none")


def nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", color=QUIET, transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
