"""Settings that contradict each other. Single keys are the business of whoever uses them."""

from pathlib import Path

import pytest

from bowerbird.config import dump_config, load_config, parse_config
from bowerbird.types import ConfigError

SERVER = {"engine": "server", "endpoint": "http://localhost:8000/v1"}


def test_a_server_cannot_keep_what_it_computed_under_old_weights() -> None:
    with pytest.raises(ConfigError, match=r"pipeline\.kv = 'keep'.*only recompute"):
        parse_config({"sampler": SERVER, "pipeline": {"kv": "keep"}}, "test")
    parse_config({"sampler": SERVER, "pipeline": {"kv": "recompute"}}, "test")
    parse_config({"sampler": {"engine": "vllm"}, "pipeline": {"kv": "keep"}}, "test")


def test_what_is_left_out_suits_a_server_also_when_it_was_written_down(tmp_path: Path) -> None:
    config = parse_config({"sampler": SERVER}, "test")
    written = tmp_path / "config.toml"
    written.write_text(dump_config(config))
    assert load_config(written) == config
