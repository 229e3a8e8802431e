"""Settings: defaults that fit the tier."""

import pytest

from bowerbird.config import load_config, parse_config
from bowerbird.scaffold.plan import REACT


@pytest.mark.parametrize(("tier", "sizes"), [("card", (160, 256, 80)), ("plan", (1024, 8192, 1024))])
def test_sizes_suit_the_tier(tier: str, sizes: tuple[int, int, int]) -> None:
    config = load_config(None, [f"scaffold.tier={tier}"])
    assert (config.scaffold.max_tokens, config.rollout.token_budget, config.rollout.call_tokens) == sizes


def test_sizes_that_are_given_stay() -> None:
    config = load_config(None, ["scaffold.tier=program", "rollout.token_budget=500"])
    assert (config.scaffold.max_tokens, config.rollout.token_budget) == (4096, 500)
    assert parse_config(config.model_dump(), "again") == config


def test_a_plan_fits_into_what_a_plan_may_take() -> None:
    two = REACT.model_copy(update={"nodes": (*REACT.nodes, *REACT.nodes)}).model_dump_json()
    assert len(two) / 3 < load_config(None, ["scaffold.tier=plan"]).scaffold.max_tokens  # characters of a token, few
