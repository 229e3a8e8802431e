"""What finished rows leave behind: a conversation goes on from it, and whoever asks the same begins with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bowerbird.inference.kv import Prefix


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The tokens that a row carried: `prefix`, and then its own, [layers, 2, heads, own, dim]."""

    ids: tuple[int, ...]
    prefix: Prefix
    kv: Tensor


class Recall:
    """The newest finished rows, as many as have `tokens` tokens, shared ones counted once; the newest in any case."""

    def __init__(self, tokens: int) -> None:
        self._tokens, self.kept = tokens, list[Kept]()

    def keep(self, kept: Kept) -> None:
        self.kept.append(kept)
        while len(self.kept) > 1 and self._held() > self._tokens:
            self.kept.pop(0)

    def _held(self) -> int:
        prefixes = {id(kept.prefix): len(kept.prefix.ids) for kept in self.kept}
        return sum(kept.kv.shape[3] for kept in self.kept) + sum(prefixes.values())

    def goes_on(self, prompt: tuple[int, ...]) -> bool:
        """Whether this prompt begins with a whole finished row, or is the beginning of one."""
        return any(common(kept.ids, prompt) >= min(len(kept.ids), len(prompt) - 1) for kept in self.kept)


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """The length of the longest common beginning: whole slices are compared, much faster than one by one."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
