"""Reading a published policy version into a running model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bowerbird.inference.packed import PackedLinear
from bowerbird.types import ModelError, PolicyVersion

COMPLETE = "COMPLETE"  # the marker a publisher writes last: without it a version does not exist


def read_weights(model: Any, packed: Mapping[str, PackedLinear], version: PolicyVersion) -> None:
    """Take the version's tensors into `model` and its `packed` layers, in the model's own precision.

    Raises ModelError when the directory has no marker, or its tensors are not the model's.
    """
    from safetensors import safe_open

    folder = Path(version.path)
    if not (folder / COMPLETE).is_file():
        raise ModelError(f"{folder} is not a complete version: it has no {COMPLETE} marker")
    own = dict(model.state_dict(keep_vars=True))
    seen: set[str] = set()
    with torch.no_grad():
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118  (not a mapping)
                    if name in packed:
                        packed[name].pack(tensors.get_tensor(name))
                    elif name in own:
                        own[name].copy_(tensors.get_tensor(name))
                    else:
                        raise ModelError(f"{file} holds {name}, which the sampler's model does not have")
                    seen.add(name)
    for name, layer in packed.items():
        if layer.tied is not None and name not in seen:
            layer.pack(layer.tied)
            seen.add(name)
    _check_all(model, packed, seen, folder)


def _check_all(model: Any, packed: Mapping[str, PackedLinear], seen: set[str], folder: Path) -> None:
    """Every weight must have come; one that shares its memory with another came with that one."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    held = {parameters[name].data_ptr() for name in seen if name in parameters}
    missing = [name for name, p in parameters.items() if name not in seen and p.data_ptr() not in held]
    missing += [name for name in packed if name not in seen]
    if missing:
        raise ModelError(f"{folder} lacks {len(missing)} tensors, the first is {missing[0]}")
