"""The picture of a run: `curves.png` in its directory."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird.types import ConfigError, RunError
from bowerbird.viewer.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "curves.png"
_SIZE, _TALL, _DPI = (15.0, 12.0), (15.0, 15.0), 110


def draw_curves(run_dir: Path) -> Path:
    """Draw what the run has so far; the path of the PNG, which is replaced in one step.

    Raises ConfigError without matplotlib, RunError when there is nothing to draw or the file cannot be written.
    """
    folder = RunFolder(run_dir)
    figure = _figure(folder)
    path = run_dir / NAME
    partial = run_dir / f".{NAME}.partial"
    try:
        with partial.open("wb") as file:
            figure.savefig(file, format="png", dpi=_DPI)
        os.replace(partial, path)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    return path


def _figure(folder: RunFolder) -> "Figure":
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"drawing curves needs the extra 'viewer': pip install 'bowerbird[viewer]' (no module {error.name})"
        ) from error
    from bowerbird.viewer import panels

    reports = folder.metrics()
    before, after = folder.evaluation("before"), folder.evaluation("after")
    if not reports and before is None and after is None:
        raise RunError(f"{folder.path} has nothing to draw yet: no finished step and no evaluation")
    figure = Figure(figsize=_TALL if any(r.flags for r in reports) else _SIZE, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)  # no display, and no state shared with whoever else draws in this process
    panels.draw(figure, folder.name, reports, before, after)
    return figure
