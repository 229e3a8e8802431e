"""Reading a published policy version into a running model."""

from pathlib import Path
from typing import Any

import torch

from bowerbird.types import ModelError, PolicyVersion

COMPLETE = "COMPLETE"  # the marker a publisher writes last: without it a version does not exist


def read_weights(model: Any, version: PolicyVersion) -> None:
    """Copy the version's tensors into `model`, in the model's own precision.

    Raises ModelError when the directory has no marker, or its tensors are not the model's.
    """
    from safetensors import safe_open

    folder = Path(version.path)
    if not (folder / COMPLETE).is_file():
        raise ModelError(f"{folder} is not a complete version: it has no {COMPLETE} marker")
    own = dict(model.state_dict(keep_vars=True))
    seen = set()
    with torch.no_grad():
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, framework="pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118  (not a mapping)
                    if name not in own:
                        raise ModelError(f"{file} holds {name}, which the sampler's model does not have")
                    own[name].copy_(tensors.get_tensor(name))
                    seen.add(own[name].data_ptr())
    missing = [name for name, tensor in model.named_parameters() if tensor.data_ptr() not in seen]
    if missing:
        raise ModelError(f"{folder} lacks {len(missing)} tensors, the first is {missing[0]}")
