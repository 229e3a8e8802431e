"""A configuration's choices reach the sampler that it asks for."""

import pytest

from bowerbird.config import parse_config
from bowerbird.inference.opening import _own, _vllm


@pytest.mark.parametrize(("kv", "recompute"), [("auto", False), ("keep", False), ("recompute", True)])
def test_what_new_weights_do_to_old_keys_and_values(kv: str, recompute: bool) -> None:
    config = parse_config({"pipeline": {"kv": kv}}, "test")
    assert _own(config, "model", 0).keywords["recompute"] is recompute
    assert _vllm(config, "model", 0).keywords["recompute"] is recompute
