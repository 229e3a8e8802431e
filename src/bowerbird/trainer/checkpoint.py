"""All the learner needs to go on after a kill, written so that a half-written one is never read."""

from pathlib import Path
from typing import Any

import torch

from bowerbird.trainer.learner import Learner
from bowerbird.trainer.publish import copy_tokenizer, merged_state, retain, settle, writing


def save(learner: Learner, source: str, folder: Path, number: int, state: dict[str, Any], keep: int = 2) -> None:
    """Write `folder`/`number`: weights in the Hugging Face layout, optimiser, torch's random state and `state`.

    `state` holds plain values; `source` is the model whose tokenizer goes along. Raises RunError when the disk is
    full; the last complete checkpoint is then intact.
    """
    partial = folder / f".{number}.partial"
    with writing(partial, f"checkpoint {number}"):
        learner.base.save_pretrained(partial, state_dict=merged_state(learner.base))
        copy_tokenizer(source, partial)
        adapters = {n: p.detach() for n, p in learner.model.named_parameters() if "lora_" in n}
        held = {
            "optimizer": learner.optimizer.state(),
            "adapters": adapters,
            "state": state,
            "random": torch.get_rng_state(),
        }
        torch.save(held, partial / "learner.pt")
        settle(partial, folder / str(number))
    retain(folder, keep)


def load(learner: Learner, folder: Path, number: int) -> dict[str, Any]:
    """Restore a learner that was constructed from the checkpoint's own weights (LoRA: from the original ones)."""
    held = torch.load(folder / str(number) / "learner.pt", weights_only=True)
    with torch.no_grad():
        parameters = dict(learner.model.named_parameters())
        for name, tensor in held["adapters"].items():
            parameters[name].copy_(tensor)
    learner.optimizer.restore(held["optimizer"])
    torch.set_rng_state(held["random"])
    state: dict[str, Any] = held["state"]
    return state
