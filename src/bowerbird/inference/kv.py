"""Keys and values of running rows: shared prompts once, and each row's own tail in a place of its own.

    prefix 0   [heads, P0, dim]        one copy for all rows that share the prompt
    prefix 1   [heads, P1, dim]
    tails      [places, heads, T, dim] a row's tokens after its prefix, one place a row

A pass carries the new tokens of some rows through the model. The model itself is untouched: it calls our attention
function, which hands its queries, keys and values to the pass, and the pass knows where everything lies.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

ATTENTION = "bowerbird_rows"


@dataclass(slots=True)
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


class Tails:
    """The rows' own keys and values, grown on demand: a [places, heads, capacity, dim] pair a layer."""

    def __init__(self, layers: int, heads: int, dim: int, dtype: torch.dtype, device: torch.device) -> None:
        self._shape = (heads, dim)
        self._like: dict[str, Any] = {"dtype": dtype, "device": device}
        self.keys: list[Tensor] = [torch.empty(0, heads, 0, dim, **self._like) for _ in range(layers)]
        self.values: list[Tensor] = [torch.empty(0, heads, 0, dim, **self._like) for _ in range(layers)]

    @property
    def size(self) -> tuple[int, int]:
        return self.keys[0].shape[0], self.keys[0].shape[2]

    def resize(self, places: int, capacity: int) -> None:
        """Room for that many rows of that many tokens; what both sizes share is kept."""
        rows, length = min(self.size[0], places), min(self.size[1], capacity)
        for store in (self.keys, self.values):
            for layer, old in enumerate(store):
                new = torch.zeros(places, self._shape[0], capacity, self._shape[1], **self._like)
                new[:rows, :, :length] = old[:rows, :, :length]
                store[layer] = new

    def move(self, source: int, target: int, length: int) -> None:
        for store in (self.keys, self.values):
            for tensor in store:
                tensor[target, :, :length] = tensor[source, :, :length]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a pass that share one prefix: their indices within the pass."""

    prefix: Prefix
    rows: list[int]


class RowPass:
    """Carries the next tokens of some rows, [rows, n], right-padded where rows have fewer than n.

    `places` [rows] are the rows' places in `tails`; `lengths` [rows] how many tail tokens each has already. Padding is
    written too, beyond the row's end, where the next token overwrites it and until then no query looks.
    """

    def __init__(self, tails: Tails, places: Tensor, lengths: Tensor, n: int, groups: Sequence[Group]) -> None:
        self._tails, self._places = tails, places
        self._whole = bool((places == torch.arange(len(places), device=places.device)).all())
        room = tails.size[
            1
        ]  # padding of a row near the end would lie beyond it: it goes into the last slot, which is free
        self._slots = (lengths[:, None] + torch.arange(n, device=lengths.device)).clamp_(max=room - 1)
        self._used = min(int(lengths.max()) + n, room)
        columns = torch.arange(self._used, device=lengths.device)
        hidden = columns > self._slots[:, :, None]  # [rows, n, used]
        self._mask = hidden[:, None, None]
        self._shared = Shared(groups, lengths.device) if any(g.prefix.ids for g in groups) else None

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor, scaling: float) -> Tensor:
        keys, values = self._store(layer, key, value)
        rows, heads, n, dim = query.shape
        shared = keys.shape[1]  # key/value heads
        repeat = heads // shared
        query = (query * scaling).reshape(rows, shared, repeat * n, dim)
        own = torch.matmul(query, keys.transpose(-1, -2)).float().view(rows, shared, repeat, n, self._used)
        scores = own.masked_fill_(self._mask, float("-inf")).view(rows, shared, repeat * n, self._used)
        if self._shared is None:
            out = torch.matmul(torch.softmax(scores, -1).to(query.dtype), values)
        else:
            scores = torch.cat([self._shared.scores(layer, query).float(), scores], -1)
            weights = torch.softmax(scores, -1).to(query.dtype)
            out = torch.matmul(weights[..., -self._used :], values)
            out += self._shared.values(layer, weights[..., : -self._used])
        return out.view(rows, heads, n, dim).transpose(1, 2)

    def _store(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write the new keys and values [rows, heads, n, dim]; all of the rows' tails [rows, heads, used, dim]."""
        found = []
        for store, new in ((self._tails.keys[layer], key), (self._tails.values[layer], value)):
            store[self._places[:, None], :, self._slots] = new.transpose(1, 2)
            rows = store[: len(self._places)] if self._whole else store[self._places]
            found.append(rows[:, :, : self._used])
        return found[0], found[1]


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
