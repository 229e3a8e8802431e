"""What a simulation is told, read strictly; and its distributions."""

import math
from pathlib import Path

import numpy as np
import pytest

from bowerbird.orchestrator.simulation.settings import (
    Constant,
    EngineSettings,
    GroupSettings,
    LogNormal,
    Samples,
    load_settings,
)
from bowerbird.types import ConfigError

RECIPE = Path(__file__).parents[3] / "recipes" / "simulate-35b.toml"


def test_the_recipe_is_read() -> None:
    settings = load_settings(RECIPE, ["gpus=[64]", "rollout.turns=7"])
    assert settings.gpus == (64,)
    assert settings.rollout.turns == Constant(value=7), "a bare number is a constant"
    assert settings.group.batch(64) == 160
    curve = settings.engine.curve()
    assert len(curve) == 129
    assert curve[64] == pytest.approx(0.0215)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("engine.gpu=2", "engine.gpu: unknown key"),
        ("rollout.turns={kind='gamma'}", "rollout.turns"),
        ("learner.per_doubling=1.5", "learner.per_doubling"),
        ("group.per_gpu=0", "group.per_gpu"),
        ("gpus=[]", "gpus"),
    ],
)
def test_what_is_wrong_is_named(override: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        load_settings(RECIPE, [override])


def test_a_batch_that_is_fixed_or_in_proportion() -> None:
    assert GroupSettings(per_gpu=0.5).batch(100) == 50
    assert GroupSettings(per_gpu=0.5, per_step=8).batch(100) == 8
    assert GroupSettings(per_gpu=0.001).batch(1) == 1
    with pytest.raises(ValueError, match="give per_gpu or per_step"):
        GroupSettings()


def test_a_curve_is_straight_between_its_points_and_flat_outside() -> None:
    curve = EngineSettings(gpus=1, places=6, step_ms=((4, 20.0), (2, 10.0)), prefill_us=0).curve()
    assert curve == pytest.approx((0.010, 0.010, 0.010, 0.015, 0.020, 0.020, 0.020))


def test_distributions() -> None:
    random = np.random.default_rng(0)
    assert Constant(value=3).draw(random, 4).tolist() == [3, 3, 3, 3]
    drawn = LogNormal(kind="lognormal", median=10, sigma=0.5, cap=40).draw(random, 20_000)
    assert np.median(drawn) == pytest.approx(10, rel=0.02)
    assert drawn.mean() == pytest.approx(10 * math.exp(0.125), rel=0.02)
    assert drawn.max() == 40
    assert set(Samples(kind="samples", values=(1, 5)).draw(random, 100).tolist()) == {1.0, 5.0}
