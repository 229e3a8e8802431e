"""Attention over what rows have in common and what is theirs alone.

    prefix 0   [heads, P0, dim]   one copy for all rows that share a long beginning
    prefix 1   [heads, P1, dim]
    slabs      a row's tokens after its prefix, one place a row (`places`)

A pass carries the new tokens of some rows through the model. The model itself is untouched: it calls our attention
function, which hands its queries, keys and values to the pass, and the pass knows where everything lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.inference.places import Place, Slab

ATTENTION = "bowerbird_rows"


@dataclass(slots=True, eq=False)
class Prefix:
    """The keys and values of some leading tokens, a [heads, length, dim] pair a layer."""

    ids: tuple[int, ...]
    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)


class PrefixPass:
    """Carries one prompt's new tokens, [1, n], on top of the first `shared` tokens of `parent`."""

    def __init__(self, ids: tuple[int, ...], parent: Prefix | None, shared: int) -> None:
        self.prefix = Prefix(ids)
        self._parent, self._shared = parent, shared

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        key, value = key[0], value[0]
        if self._parent is not None and self._shared:
            key = torch.cat([self._parent.keys[layer][:, : self._shared], key], 1)
            value = torch.cat([self._parent.values[layer][:, : self._shared], value], 1)
        self.prefix.keys.append(key.contiguous())
        self.prefix.values.append(value.contiguous())
        repeat = query.shape[1] // key.shape[0]
        n, total = query.shape[2], key.shape[1]
        mask = torch.ones(n, total, dtype=torch.bool, device=key.device).tril(total - n)
        keys, values = (t[None].repeat_interleave(repeat, 1) for t in (key, value))
        out = functional.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scaling)
        return out.transpose(1, 2)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a pass that share one prefix: their indices within the pass."""

    prefix: Prefix
    rows: list[int]


class RowPass:
    """Carries the next tokens of some rows, [rows, n], right-padded where rows have fewer than n. Rows of one slab are
    neighbours.

    Padding is written too, beyond the row's end, where the next token overwrites it and until then no query looks.
    """

    def __init__(self, places: Sequence[Place], n: int, groups: Sequence[Group]) -> None:
        device = places[0].slab.kv.device
        self._parts: list[_Part] = []
        for slab, members in groupby(places, key=lambda place: place.slab):
            start = self._parts[-1].end if self._parts else 0
            self._parts.append(_Part(slab, list(members), start, n))
        self._shared = Shared(groups, device) if any(g.prefix.ids for g in groups) else None

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        rows, heads, n, dim = query.shape
        shared = key.shape[1]  # key/value heads
        query = (query * scaling).reshape(rows, shared, heads // shared * n, dim)
        key, value = key.transpose(1, 2), value.transpose(1, 2)
        before = self._shared.scores(layer, query).float() if self._shared else None
        out, weights = query.new_empty(query.shape), []
        for part in self._parts:
            weights.append(part.attend(layer, query, key, value, before, out))
        if self._shared:
            out += self._shared.values(layer, torch.cat(weights))
        return out.view(rows, heads, n, dim).transpose(1, 2)


class _Part:
    """The rows of a pass whose places are in one slab: rows `start` to `end` of it."""

    def __init__(self, slab: Slab, places: Sequence[Place], start: int, n: int) -> None:
        self._slab, self._start, self.end = slab, start, start + len(places)
        indices = [place.index for place in places]
        device = slab.kv.device
        self._index = torch.tensor(indices, device=device)
        self._first = indices == list(range(len(indices)))  # a slice of the slab, and no copy
        lengths = torch.tensor([place.length for place in places], device=device)
        room = (
            slab.capacity
        )  # padding of a row near the end would lie beyond: it goes into the last slot, which is free
        self._slots = (lengths[:, None] + torch.arange(n, device=device)).clamp_(max=room - 1)
        self._used = min(max(place.length for place in places) + n, room)
        hidden = torch.arange(self._used, device=device) > self._slots[:, :, None]  # [rows, n, used]
        self._hidden = hidden[:, None, None]

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, before: Tensor | None, out: Tensor
    ) -> Tensor:
        """Writes its rows of `out`; the weights of what `before` has scores of."""
        own = slice(self._start, self.end)
        keys, values = (self._store(layer, i, new[own]) for i, new in enumerate((key, value)))
        query = query[own]
        rows, heads, m, _ = query.shape
        n = self._slots.shape[1]
        scores = torch.matmul(query, keys.transpose(-1, -2)).float().view(rows, heads, m // n, n, self._used)
        scores = scores.masked_fill_(self._hidden, float("-inf")).view(rows, heads, m, self._used)
        if before is not None:
            scores = torch.cat([before[own], scores], -1)
        weights = torch.softmax(scores, -1).to(query.dtype)
        out[own] = torch.matmul(weights[..., -self._used :], values)
        return weights[..., : -self._used]

    def _store(self, layer: int, which: int, new: Tensor) -> Tensor:
        """Write the new keys or values [rows, n, heads, dim]; all that the rows have now, [rows, heads, used, dim]."""
        store = self._slab.kv[layer, which]
        store[self._index[:, None], :, self._slots] = new
        return (store[: len(self._index)] if self._first else store[self._index])[:, :, : self._used]


class Shared:
    """The prefixes' part of a pass's attention. Rows are sorted by prefix: one product serves all rows of one."""

    def __init__(self, groups: Sequence[Group], device: torch.device) -> None:
        order = torch.tensor([row for group in groups for row in group.rows], device=device)
        self._order, self._back = order, torch.argsort(order)
        ends = list(accumulate(len(group.rows) for group in groups))
        starts = [0, *ends[:-1]]
        self._parts = [(a, b, g.prefix) for a, b, g in zip(starts, ends, groups, strict=True) if g.prefix.ids]
        self._longest = max(len(prefix.ids) for _, _, prefix in self._parts)

    def scores(self, layer: int, query: Tensor) -> Tensor:
        """Of queries [rows, heads, m, dim]: [rows, heads, m, longest], -inf beyond a row's own prefix."""
        rows, heads, m, dim = query.shape
        by_prefix = query[self._order].transpose(0, 1).reshape(heads, rows * m, dim)
        found = query.new_full((heads, rows * m, self._longest), float("-inf"))
        for a, b, prefix in self._parts:
            keys = prefix.keys[layer].transpose(1, 2)
            found[:, a * m : b * m, : keys.shape[2]] = torch.bmm(by_prefix[:, a * m : b * m], keys)
        return found.view(heads, rows, m, -1)[:, self._back].transpose(0, 1)

    def values(self, layer: int, weights: Tensor) -> Tensor:
        """The weighted sum [rows, heads, m, dim] of the prefixes' values under weights [rows, heads, m, longest]."""
        rows, heads, m, longest = weights.shape
        by_prefix = weights[self._order].transpose(0, 1).reshape(heads, rows * m, longest)
        dim = self._parts[0][2].values[layer].shape[2]
        found = weights.new_zeros(heads, rows * m, dim)
        for a, b, prefix in self._parts:
            values = prefix.values[layer]
            found[:, a * m : b * m] = torch.bmm(by_prefix[:, a * m : b * m, : values.shape[1]], values)
        return found.view(heads, rows, m, dim)[:, self._back].transpose(0, 1)


def attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    *,
    scaling: float,
    rows: PrefixPass | RowPass,
    **unused: Any,
) -> tuple[Tensor, None]:
    """The attention function that Transformers calls: queries [rows, heads, n, dim], result [rows, n, heads, dim]."""
    return rows.attend(module.layer_idx, query, key, value, scaling), None


def register() -> None:
    """Make `ATTENTION` known to Transformers (its public extension point)."""
    from transformers import AttentionInterface

    AttentionInterface.register(ATTENTION, attention)
