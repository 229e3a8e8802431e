"""Where rows keep the keys and values that are theirs alone: in slabs of places of one size.

    slab   [layers, 2, places, heads, capacity, dim]

Rows that may become about as long lie together, so that no row's attention is padded to that of a much longer one, and
memory follows what each row may need.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

_STEP = 64  # places are multiples of so many tokens, long ones of about an eighth of their size
_SLABS = 16  # about so many slabs make up the whole store: fewer waste places, more take more products


@dataclass(slots=True, eq=False)
class Slab:
    """Places of one size; the first ones are taken, without a gap."""

    number: int  # in the order they were made
    kv: Tensor
    taken: list["Place"] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        return self.kv.shape[4]

    @property
    def tokens(self) -> int:
        return self.kv.shape[2] * self.kv.shape[4]

    @property
    def full(self) -> bool:
        return len(self.taken) == self.kv.shape[2]


@dataclass(slots=True, eq=False)
class Place:
    """One row's: where it lies, and how many tokens are in it."""

    slab: Slab
    index: int
    length: int = 0

    def read(self, length: int) -> Tensor:
        """The first tokens' keys and values, [layers, 2, heads, length, dim]: a view."""
        return self.slab.kv[:, :, self.index, :, :length]

    def write(self, kv: Tensor) -> None:
        """Begin with these keys and values, [layers, 2, heads, length, dim]."""
        self.length = kv.shape[3]
        self.slab.kv[:, :, self.index, :, : self.length] = kv


class Places:
    """All places, made as they are needed, for `tokens` tokens at most; a longer request has the store to itself."""

    def __init__(
        self, layers: int, heads: int, dim: int, *, tokens: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._layers, self._heads, self._dim, self._tokens = layers, heads, dim, tokens
        self._dtype, self._device = dtype, device
        self._slabs: dict[int, list[Slab]] = {}  # by capacity; all but the last of each are full
        self._made = 0

    @property
    def tokens(self) -> int:
        """For how many tokens there is memory now."""
        return sum(slab.tokens for slabs in self._slabs.values() for slab in slabs)

    def take(self, size: int) -> Place | None:
        """A place for `size` tokens; None while there is no room beside what is taken."""
        capacity = _capacity(size)
        slabs = self._slabs.setdefault(capacity, [])
        if not slabs or slabs[-1].full:
            room = (self._tokens - self.tokens) // capacity
            if room < 1 and self.tokens:
                return None
            count = max(1, min(room, self._tokens // _SLABS // capacity))
            shape = (self._layers, 2, count, self._heads, capacity, self._dim)
            # zeros: what a mask hides is multiplied by 0, and must be a number
            self._made += 1
            slabs.append(Slab(self._made, torch.zeros(shape, dtype=self._dtype, device=self._device)))
        place = Place(slabs[-1], len(slabs[-1].taken))
        slabs[-1].taken.append(place)
        return place

    def give_back(self, place: Place) -> None:
        """The last place of that size moves into the gap."""
        slabs = self._slabs[place.slab.capacity]
        last = slabs[-1].taken.pop()
        if last is not place:
            place.slab.kv[:, :, place.index, :, : last.length] = last.read(last.length)
            place.slab.taken[place.index] = last
            last.slab, last.index = place.slab, place.index
        if not slabs[-1].taken:
            slabs.pop()


def _capacity(size: int) -> int:
    """The size of the smallest place that holds so many tokens."""
    step = max(_STEP, 1 << max(0, (size - 1).bit_length() - 3))
    return -(-size // step) * step
