"""Linear layers with weights packed for oneDNN: up to twice as fast on a CPU with a few dozen rows.

The ordinary kernel reorders the weights at every call, which costs as much as the product when rows are few. Packing is
done once for each policy version. Elsewhere than on a CPU nothing is changed, nor where it does not multiply bfloat16.
"""

from typing import Any, cast

import torch
from torch import Tensor, nn

_ROWS = 64  # the batch that the packed layout is chosen for; others work too


class PackedLinear(nn.Module):
    """A linear layer, [..., in] to [..., out], that keeps its weight in packed form only.

    `tied` is the parameter of another module that it shares its weight with, if any.
    """

    def __init__(self, linear: nn.Linear, tied: Tensor | None, dtype: torch.dtype) -> None:
        super().__init__()
        self._dtype = dtype
        self.bias = linear.bias
        self._tied = (tied,)  # in a tuple, lest it be registered as a parameter of this module
        self.pack(linear.weight)

    @property
    def tied(self) -> Tensor | None:
        return self._tied[0]

    def pack(self, weight: Tensor) -> None:
        """Take this weight, [out, in], from now on."""
        with torch.no_grad():
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().to(self._dtype), _ROWS)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], ""))


def pack_linears(model: Any, dtype: torch.dtype, device: torch.device) -> dict[str, PackedLinear]:
    """Replace the model's linear layers where that pays; the new layers by the name of the weight they hold."""
    if device.type != "cpu" or not _multiplies(dtype):
        return {}
    embedding = model.get_input_embeddings().weight
    packed = {}
    for path, module in list(model.named_modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                layer = PackedLinear(child, embedding if child.weight is embedding else None, dtype)
                setattr(module, name, layer)
                packed[f"{path}.{name}.weight" if path else f"{name}.weight"] = layer
    return packed


def _multiplies(dtype: torch.dtype) -> bool:
    """Whether oneDNN is there and this processor has what it needs for such numbers."""
    if not torch.backends.mkldnn.is_available():
        return False
    return dtype == torch.float32 or (dtype == torch.bfloat16 and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()))
