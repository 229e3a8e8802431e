"""A policy version on disk: a complete checkpoint in the Hugging Face layout, with a marker written last."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from bowerbird.types import PolicyVersion, RunError

COMPLETE = "COMPLETE"
_TOKENIZER_FILES = ("tokenizer*", "special_tokens*", "vocab*", "merges.txt", "chat_template*", "added_tokens.json")


def publish(base: Any, source: str, folder: Path, number: int) -> PolicyVersion:
    """Write the weights (adapters merged in) to `folder`/`number`. A reader sees all of it or nothing.

    `source` is the model whose tokenizer goes along. Raises RunError when the disk is full or not writable.
    """
    target = folder / str(number)
    partial = folder / f".{number}.partial"
    with writing(partial, f"version {number}"):
        base.save_pretrained(partial, state_dict=merged_state(base))
        copy_tokenizer(source, partial)
        settle(partial, target)
    return PolicyVersion(number, str(target))


@contextmanager
def writing(partial: Path, what: str) -> Iterator[None]:
    """A fresh folder `partial` to write `what` into. When that fails it is removed again, and RunError says why."""
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield
    except (OSError, RuntimeError, SafetensorError) as error:  # how the system, torch and safetensors tell a full disk
        shutil.rmtree(partial, ignore_errors=True)
        raise RunError(f"cannot write {what} to {partial.parent}: {error}. Free some disk, then resume") from error


def copy_tokenizer(source: str, folder: Path) -> None:
    """The tokenizer of `source`, a checkpoint folder or a hub id that is in the local cache, into `folder`."""
    if not Path(source).is_dir():
        from transformers import AutoTokenizer

        AutoTokenizer.from_pretrained(source).save_pretrained(folder)
        return
    for pattern in _TOKENIZER_FILES:
        for file in Path(source).glob(pattern):
            shutil.copy2(file, folder / file.name)


def settle(partial: Path, target: Path) -> None:
    """Flush a finished folder, mark it and move it into place in one step."""
    (partial / COMPLETE).touch()
    for file in partial.iterdir():
        with file.open("rb") as handle:
            os.fsync(handle.fileno())
    _discard(target)
    partial.rename(target)


def retain(folder: Path, keep: int) -> None:
    """Delete all but the newest `keep` complete numbered folders."""
    kept = complete(folder)[-keep:]
    for number in _numbered(folder):
        if number not in kept:
            _discard(folder / str(number))


def forget(folder: Path, after: int) -> None:
    """Delete the numbered folders above `after`: a run that is rewound makes them again."""
    for number in _numbered(folder):
        if number > after:
            _discard(folder / str(number))


def complete(folder: Path) -> list[int]:
    """The numbers of complete versions or checkpoints in `folder`, ascending."""
    return [number for number in _numbered(folder) if (folder / str(number) / COMPLETE).is_file()]


def _numbered(folder: Path) -> list[int]:
    """Ascending; with what a kill left of those that were being deleted."""
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.is_dir() else []


def _discard(folder: Path) -> None:
    """Delete one, its marker first: killed in between, what is left is not complete."""
    (folder / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def merged_state(base: Any) -> dict[str, Tensor]:
    """The model's tensors under their plain names, with LoRA updates added to the weights they adapt."""
    adapted = {name: module for name, module in base.named_modules() if hasattr(module, "get_delta_weight")}
    if not adapted:
        return dict(base.state_dict())
    state = {}
    with torch.no_grad():
        for name, tensor in base.state_dict().items():
            if "lora_" in name:
                continue
            owner = name.rsplit(".base_layer.", 1)[0]
            if owner in adapted and name.endswith("weight"):
                delta = adapted[owner].get_delta_weight(adapted[owner].active_adapters[0])
                tensor = (tensor.float() + delta.float()).to(tensor.dtype)
            state[name.replace(".base_layer.", ".")] = tensor
    return state
