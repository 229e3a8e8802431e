"""Attention over a packed tree: a token sees its own segment up to itself, and all that this hangs on."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.trainer.packing import Packed

ATTENTION = "bowerbird_packed"


class Layout:
    """Who sees whom in one packed row, for use by every layer. What it costs depends on the tree:

    one segment           plain causal attention
    a trunk and branches  the branches side by side in a padded grid, each beside the trunk
    anything deeper       one masked product over the whole row, [L, L]; also where one branch is so long that the grid
                          would be mostly padding
    """

    def __init__(self, packed: Packed, device: torch.device) -> None:
        segments = packed.segments
        self._grid: _Grid | None = None
        self._mask: Tensor | None = None
        longest = max((s.length for s in segments[1:]), default=0)
        cost = (len(segments) - 1) * longest * (segments[0].length + longest)
        if len(segments) > 1 and all(s.parent == 0 for s in segments[1:]) and cost <= len(packed.ids) ** 2:
            self._grid = _Grid(segments[0].length, [s.length for s in segments[1:]], device)
        elif len(segments) > 1:
            self._mask = _seen(packed, device)

    def attend(self, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        """Queries [1, heads, L, dim], keys and values [1, shared heads, L, dim]; the result is [1, L, heads, dim]."""
        repeat = query.shape[1] // key.shape[1]
        keys, values = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
        if self._grid is not None:
            return self._grid.attend(query, keys, values, scaling)
        causal = self._mask is None
        out = functional.scaled_dot_product_attention(
            query, keys, values, attn_mask=self._mask, is_causal=causal, scale=scaling
        )
        return out.transpose(1, 2)


class _Grid:
    """Branches of `lengths` tokens on a trunk."""

    def __init__(self, trunk: int, lengths: list[int], device: torch.device) -> None:
        self._trunk, self._branches = trunk, len(lengths)
        sizes = torch.tensor(lengths, dtype=torch.long, device=device)
        n = int(sizes.max())
        starts = trunk + sizes.cumsum(0) - sizes
        columns = torch.arange(n, device=device)
        valid = columns < sizes[:, None]
        self._slots = torch.where(valid, starts[:, None] + columns, 0)  # [branches, n]; padding reads position 0
        self._back = valid.flatten().nonzero()[:, 0]  # where each branch token lies in the padded grid
        own = torch.ones(n, n, dtype=torch.bool, device=device).tril()
        self._mask = torch.cat([torch.ones(n, trunk, dtype=torch.bool, device=device), own], 1)

    def attend(self, query: Tensor, keys: Tensor, values: Tensor, scaling: float) -> Tensor:
        t = self._trunk
        trunk = functional.scaled_dot_product_attention(
            query[:, :, :t], keys[:, :, :t], values[:, :, :t], is_causal=True, scale=scaling
        ).transpose(1, 2)
        full = [torch.cat([x[:, :, :t].expand(self._branches, -1, -1, -1), self._spread(x)], 2) for x in (keys, values)]
        part = functional.scaled_dot_product_attention(
            self._spread(query), full[0], full[1], attn_mask=self._mask, scale=scaling
        )
        rows = part.transpose(1, 2).flatten(0, 1)[self._back]
        return torch.cat([trunk, rows[None]], 1)

    def _spread(self, tensor: Tensor) -> Tensor:
        """[1, heads, L, dim] to [branches, heads, n, dim]."""
        return tensor[0][:, self._slots].transpose(0, 1)


def _seen(packed: Packed, device: torch.device) -> Tensor:
    """[L, L]: whether the token of a row sees that of a column."""
    length = len(packed.ids)
    mask = torch.zeros(length, length, dtype=torch.bool, device=device)
    for segment in packed.segments:
        rows = slice(segment.start, segment.start + segment.length)
        if segment.parent >= 0:
            above = packed.segments[segment.parent]
            mask[rows] = mask[above.start + above.length - 1]  # all that the parent's last token sees
        mask[rows, rows] = torch.ones(segment.length, segment.length, dtype=torch.bool, device=device).tril()
    return mask


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
