"""Tables and picture of a simulation."""

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from bowerbird.orchestrator.simulation.books import Ages
from bowerbird.orchestrator.simulation.cluster import Outcome, Row, Split
from bowerbird.orchestrator.simulation.settings import AgeSettings
from bowerbird.types import RunError
from bowerbird.viewer.simulation import draw, draw_simulation, remarks, simulation_tables

FOUND = Outcome(
    split=Split(1000, 600, 400, shared=False),
    batch=2500,
    copies=37.5,
    step_s=168.0,
    tokens_s=1_234_567.0,
    gpu_s=810.0,
    sampler_busy=0.99,
    sampler_speed=0.95,
    sampler_waits={"weights": 0.01, "tools": 0.0, "capacity": 0.0},
    learner_busy=0.96,
    learner_waits={"weights": 0.03, "groups": 0.01},
    ages=Ages({2: 0.25, 4: 0.75}, 3.5, 0.53, 0.79, 0.01),
)
SYNC = replace(FOUND, split=Split(1000, 1000, 1000, shared=True), tokens_s=411_522.3)


def test_a_line_a_cluster() -> None:
    figures, waits = simulation_tables("big", [Row(1, None, None), Row(8, None, SYNC), Row(1000, FOUND, SYNC)])
    assert figures.rows[0] == ("1", *["–"] * 14)
    assert figures.rows[1][-2:] == ("411,522", "–")
    assert figures.rows[2] == (
        "1,000", "600+400", "2,500", "2:48", "99.0%", "95.0%", "96.0%", "3.50", "1.0%", "0.53", "79%", "1,234,567",
        "810", "411,522", "3.00",
    )  # fmt: skip
    assert waits.rows[1] == ("1,000", "async", "1.0%", "0.0%", "0.0%", "3.0%", "1.0%")


def test_what_a_reader_must_know() -> None:
    told = remarks([Row(1, None, None), Row(4, None, SYNC), Row(5, None, SYNC), Row(1000, FOUND, SYNC)])
    assert told[0].startswith("4, 5 GPUs: no room for both roles")
    assert told[1].startswith("1 GPU: too few")
    assert told[2].startswith("large clusters")
    assert len(remarks([Row(1000, replace(FOUND, copies=1.0), SYNC)])) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [[], [Row(1, None, SYNC)], [Row(1000, FOUND, SYNC)]], ids=["none", "small", "one"])
def test_a_picture_of_any_number_of_clusters(rows: list[Row]) -> None:
    figure = Figure(figsize=(15, 9), layout="constrained")
    draw(figure, "name with $ signs_and_^", AgeSettings(), rows)
    figure.draw_without_rendering()
    assert len(figure.axes) == 6


def test_the_bars_are_the_shares() -> None:
    figure = Figure(figsize=(15, 9), layout="constrained")
    draw(figure, "big", AgeSettings(), [Row(1000, FOUND, SYNC)])
    (bars,) = [group for group in figure.axes[-1].containers if type(group).__name__ == "BarContainer"]
    assert [bar.get_height() for bar in bars] == [0.25, 0.75]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot write .*x\.png"):
        draw_simulation("big", AgeSettings(), [], tmp_path / "nowhere" / "x.png")
