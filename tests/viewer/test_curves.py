"""The picture of a run: from whole, short and half-written runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from bowerbird.types import RunError
from bowerbird.viewer.curves import draw_curves
from bowerbird.viewer.panels import arms, draw, smooth
from tests.viewer.runs import add_evaluations, evaluation, make_run, rising_reports, step_report


def test_a_whole_run_becomes_a_picture(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(16))
    add_evaluations(run)
    path = draw_curves(run)
    assert path == run / "curves.png"
    height, width, _ = imread(path).shape
    assert (width, height) == (1650, 1650)  # with a row for the flags
    assert [file.name for file in run.iterdir() if "partial" in file.name] == []


def test_it_is_drawn_anew(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(2))
    first = draw_curves(run).read_bytes()
    (run / "metrics.jsonl").unlink()
    add_evaluations(run)
    assert draw_curves(run).read_bytes() != first


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("steps", [0, 1, 2, 70])
def test_runs_of_any_length(steps: int) -> None:
    figure = Figure(figsize=(15, 12), layout="constrained")
    draw(figure, "name with $ signs_and_^", rising_reports(steps), None, evaluation(3, [("own", 0.5)]))
    figure.draw_without_rendering()
    assert len(figure.axes) == (10 if steps else 9)


@pytest.mark.filterwarnings("error")
def test_a_step_in_which_nothing_worked() -> None:
    empty = step_report(
        valid=0, hacked=0, infra_error=0, scaffolds_valid=0, reward=float("nan"), tokens_per_second=0.0, choices={}
    )
    figure = Figure(figsize=(15, 12), layout="constrained")
    draw(figure, "run", [empty], None, None)
    figure.draw_without_rendering()
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == ["not evaluated", *["no valid card"] * 4]


def test_bars_and_intervals_are_those_of_the_reports() -> None:
    axes = Figure().add_subplot()
    before, after = evaluation(0, [("plain", 0.25), ("own", 0.125)]), evaluation(9, [("plain", 0.375), ("own", 0.625)])
    arms(axes, before, after)
    bars = [[bar.get_height() for bar in group] for group in axes.containers if type(group).__name__ == "BarContainer"]
    assert bars == [[0.25, 0.125], [0.375, 0.625]]
    errors = [group for group in axes.containers if type(group).__name__ == "ErrorbarContainer"]
    (segments,) = errors[1][2]
    low, high = segments.get_segments()[1][:, 1]
    assert (low, high) == pytest.approx((after.arm("own").solved.low, after.arm("own").solved.high))


def test_smoothing_is_centred_and_leaves_the_ends() -> None:
    assert smooth([0.0, 3.0, 6.0, 3.0, 0.0], reach=1) == [0.0, 3.0, 4.0, 3.0, 0.0]
    line = [0.1 * i for i in range(30)]
    assert smooth(line) == pytest.approx(line), "a straight line stays what it is"
    assert smooth([1.0, float("nan"), 3.0], reach=1)[1] == 2.0
    assert smooth([]) == []


def test_nothing_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nothing to draw yet"):
        draw_curves(make_run(tmp_path / "run"))
    with pytest.raises(RunError, match="not a run directory"):
        draw_curves(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(1))
    (run / ".curves.png.partial").mkdir()  # root may write anywhere, but not a file where a folder is
    with pytest.raises(RunError, match=r"cannot write .*curves\.png"):
        draw_curves(run)


WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = None
from pathlib import Path
from bowerbird.types import ConfigError
from bowerbird.viewer.curves import draw_curves
try:
    draw_curves(Path(sys.argv[1]))
except ConfigError as error:
    print(error)
"""


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", rising_reports(1))
    command = [sys.executable, "-c", WITHOUT_MATPLOTLIB, str(run)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert "pip install 'bowerbird[viewer]'" in result.stdout, result.stderr
