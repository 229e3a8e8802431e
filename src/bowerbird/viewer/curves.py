"""The picture of a run: `curves.png` in its directory."""

from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird.evals.report import EvalReport
from bowerbird.types import RunError
from bowerbird.viewer.figure import new_figure, save
from bowerbird.viewer.run_folder import RunFolder

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "curves.png"
_SIZE, _TALL = (15.0, 12.0), (15.0, 15.0)


def draw_curves(run_dir: Path) -> Path:
    """Draw what the run has so far; the path of the PNG, which is replaced in one step.

    Raises ConfigError without matplotlib, RunError when there is nothing to draw or the file cannot be written.
    """
    return save(_figure(RunFolder(run_dir)), run_dir / NAME)


def draw_evaluation(report: EvalReport, path: Path) -> Path:
    """The arms of one evaluation as a PNG. Raises ConfigError without matplotlib, RunError when it is not to be
    written."""
    figure = new_figure((7.0, 4.5))
    from bowerbird.viewer import panels

    panels.arms(figure.subplots(), report, None, "this model")
    return save(figure, path)


def _figure(folder: RunFolder) -> "Figure":
    reports = folder.metrics()
    before, after = folder.evaluation("before"), folder.evaluation("after")
    if not reports and before is None and after is None:
        raise RunError(f"{folder.path} has nothing to draw yet: no finished step and no evaluation")
    figure = new_figure(_TALL if any(r.flags for r in reports) else _SIZE)
    from bowerbird.viewer import panels

    panels.draw(figure, folder.name, reports, before, after)
    return figure
