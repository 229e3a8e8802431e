"""Attention over a packed group: branches see the prompt and themselves, never each other."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.trainer.packing import Packed

ATTENTION = "bowerbird_packed"


class Layout:
    """Where the branches of one packed row lie, for use by every layer."""

    def __init__(self, packed: Packed, device: torch.device) -> None:
        self.prompt = packed.prompt
        lengths = torch.tensor(packed.lengths, dtype=torch.long, device=device)
        self.branches = len(packed.lengths)
        if not self.branches:
            return
        n = int(lengths.max())
        starts = packed.prompt + lengths.cumsum(0) - lengths
        columns = torch.arange(n, device=device)
        valid = columns < lengths[:, None]
        self._slots = torch.where(valid, starts[:, None] + columns, 0)  # [branches, n]; padding reads position 0
        self._back = valid.flatten().nonzero()[:, 0]  # where each branch token lies in the padded grid
        own = torch.ones(n, n, dtype=torch.bool, device=device).tril()
        self._mask = torch.cat([torch.ones(n, packed.prompt, dtype=torch.bool, device=device), own], 1)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """Queries [1, heads, L, dim], keys and values [1, shared heads, L, dim]; the result is [1, L, heads, dim]."""
        p, repeat = self.prompt, query.shape[1] // key.shape[1]
        keys, values = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
        out = functional.scaled_dot_product_attention(
            query[:, :, :p], keys[:, :, :p], values[:, :, :p], is_causal=True, scale=scaling
        ).transpose(1, 2)
        if not self.branches:
            return out
        grid = [self._grid(t) for t in (query, keys, values)]
        full = [
            torch.cat([t[:, :, :p].expand(self.branches, -1, -1, -1), g], 2)
            for t, g in ((keys, grid[1]), (values, grid[2]))
        ]
        part = functional.scaled_dot_product_attention(grid[0], full[0], full[1], attn_mask=self._mask, scale=scaling)
        rows = part.transpose(1, 2).flatten(0, 1)[self._back]
        return torch.cat([out, rows[None]], 1)

    def _grid(self, tensor: Tensor) -> Tensor:
        """[1, heads, L, dim] to [branches, heads, n, dim]."""
        return tensor[0][:, self._slots].transpose(0, 1)


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    *,
    scaling: float,
    layout: Layout,
    **unused: Any,
) -> tuple[Tensor, None]:
    """The attention function that Transformers calls."""
    return layout.attend(query, key, value, scaling), None


def register() -> None:
    """Make `ATTENTION` known to Transformers (its public extension point)."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, attention)
