"""Settings: defaults that fit the tier, and those that contradict each other."""

from pathlib import Path

import pytest

from bowerbird.config import dump_config, load_config, parse_config
from bowerbird.evals.session import evaluate_run, task_sets, train_and_evaluate
from bowerbird.orchestrator.progress import Silent
from bowerbird.scaffold.plan import REACT
from bowerbird.types import ConfigError

SERVER = {"engine": "server", "endpoint": "http://localhost:8000/v1"}


@pytest.mark.parametrize(("tier", "sizes"), [("card", (160, 256, 80)), ("plan", (1024, 8192, 1024))])
def test_sizes_suit_the_tier(tier: str, sizes: tuple[int, int, int]) -> None:
    config = load_config(None, [f"scaffold.tier={tier}"])
    assert (config.scaffold.max_tokens, config.rollout.token_budget, config.rollout.call_tokens) == sizes


def test_sizes_that_are_given_stay() -> None:
    config = load_config(None, ["scaffold.tier=program", "rollout.token_budget=500"])
    assert (config.scaffold.max_tokens, config.rollout.token_budget) == (4096, 500)
    assert parse_config(config.model_dump(), "again") == config


def test_the_sizes_of_a_file_go_with_its_tier(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(dump_config(load_config(None, ["rollout.call_tokens=90", "rollout.calls=7"])))
    plan = load_config(file, ["scaffold.tier=plan", "scaffold.max_tokens=900"])
    assert (plan.scaffold.max_tokens, plan.rollout.token_budget, plan.rollout.call_tokens) == (900, 8192, 1024)
    assert plan.rollout.calls == 7
    spaced = load_config(file, ["scaffold.tier=plan", "rollout.token_budget = 5000"])
    assert spaced.rollout.token_budget == 5000
    whole = load_config(file, ['scaffold={tier="plan", max_tokens=900}'])
    assert whole.scaffold.max_tokens == 900
    same = load_config(file, ["scaffold.tier=card"])
    assert (same.rollout.token_budget, same.rollout.call_tokens) == (256, 90)


def test_a_plan_fits_into_what_a_plan_may_take() -> None:
    two = REACT.model_copy(update={"nodes": (*REACT.nodes, *REACT.nodes)}).model_dump_json()
    assert len(two) / 3 < load_config(None, ["scaffold.tier=plan"]).scaffold.max_tokens  # characters of a token, few


def test_what_contradicts_itself_is_refused_before_a_run_begins(tmp_path: Path) -> None:
    kept = parse_config({"sampler": SERVER, "pipeline": {"kv": "keep"}}, "an older run may say so")
    with pytest.raises(ConfigError, match=r"pipeline\.kv = 'keep'.*only recompute"):
        train_and_evaluate(kept, tmp_path, Silent())
    chat = parse_config({"sampler": SERVER | {"engine": "chat"}}, "test")
    with pytest.raises(ConfigError, match="name a model, and no run"):
        evaluate_run(tmp_path, chat, Silent())
    with pytest.raises(ConfigError, match=r"scaffold\.tier"):
        parse_config({"scaffold": {"tier": [1]}}, "test")


def test_what_is_left_out_suits_a_server_also_when_it_was_written_down(tmp_path: Path) -> None:
    config = parse_config({"sampler": SERVER}, "test")
    written = tmp_path / "config.toml"
    written.write_text(dump_config(config))
    assert load_config(written) == config


@pytest.mark.parametrize(
    "recipe", sorted((Path(__file__).parents[1] / "recipes").glob("[!s]*.toml")), ids=lambda p: p.stem
)
def test_a_recipe_can_be_run(recipe: Path) -> None:
    """All but those of the simulator, which have a test of their own."""
    train, heldout = task_sets(load_config(recipe, ["tasks.train=8", "tasks.heldout=8"]))
    assert len(train) == len(heldout) == 8
