"""A causal language model and its tokenizer from a Hugging Face checkpoint, checked to be one we can be exact with."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError

from bowerbird.types import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it, float32 elsewhere: a CPU without it is eight times slower in bf16."""
    if device.type == "cuda":
        return torch.bfloat16
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.is_file() else ""
    return torch.bfloat16 if "avx512_bf16" in text or "amx_bf16" in text else torch.float32


def quiet() -> None:
    """No progress bars of the library: a run shows its own."""
    from transformers.utils import logging

    logging.disable_progress_bar()


def load_tokenizer(path: str) -> "PreTrainedTokenizerBase":
    """Raises ModelError where there is none."""
    from transformers import AutoTokenizer

    try:
        return cast("PreTrainedTokenizerBase", AutoTokenizer.from_pretrained(path))
    except (OSError, ValueError) as error:
        raise ModelError(_missing(path, error)) from error


def load_model(path: str, *, dtype: torch.dtype, device: torch.device, attention: str) -> "PreTrainedModel":
    """The model in evaluation mode with the named attention implementation.

    Raises ModelError when it cannot be loaded, has attention other than full causal attention, or changes its logits
    after the output layer: log-probabilities would then not be those that were sampled from.
    """
    from transformers import AutoModelForCausalLM

    quiet()
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=dtype, attn_implementation=attention)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(_missing(path, error)) from error
    model.to(device).eval()
    _check_exact(model)
    return cast("PreTrainedModel", model)


def _check_exact(model: Any) -> None:
    kinds = set(getattr(model.config, "layer_types", None) or ["full_attention"])
    if kinds != {"full_attention"}:
        raise ModelError(f"layers of kind {sorted(kinds)} are not supported yet: choose a model with full attention")
    for name in ("final_logit_softcapping", "logit_scale", "logits_scaling"):
        if getattr(model.config, name, None) not in (None, 1, 1.0):
            raise ModelError(f"the model rescales its logits ({name}), which is not supported yet")


def _missing(path: str, error: Exception) -> str:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    hint = (
        ""
        if Path(path).exists()
        else (
            " HF_HUB_OFFLINE is set, so no hub is asked."
            if os.environ.get("HF_HUB_OFFLINE") == "1"
            else " Check the id and the network, or give the path of a local checkpoint."
        )
    )
    return f"cannot load the model {path!r}: {reason}.{hint}"
