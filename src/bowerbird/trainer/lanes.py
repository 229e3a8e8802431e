"""Micro-batches side by side, each lane on threads of its own and with gradients of its own over the same weights.

On a few cores one product split over threads waits at its end for the slowest, and everything small between two
products runs on one thread anyway. Two micro-batches that each keep to their own core waste neither. Gradients are
added up in the order of the lanes, so that a step repeats bit for bit.
"""

import copy
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import torch

from bowerbird.trainer.packing import Packed

Result = TypeVar("Result")


class Lanes:
    """`count` views of one model (0: two on a CPU with two threads or more, one elsewhere)."""

    def __init__(self, model: Any, device: torch.device, count: int = 0) -> None:
        count = count or (2 if device.type == "cpu" and torch.get_num_threads() > 1 else 1)
        self.models = [model, *(_view(model) for _ in range(count - 1))]
        share = max(1, torch.get_num_threads() // count)
        self._pool = (
            ThreadPoolExecutor(count, "learner", initializer=torch.set_num_threads, initargs=(share,))
            if count > 1
            else None
        )

    def run(self, function: Callable[[Any, list[Packed]], Result], packs: Sequence[Packed]) -> list[Result]:
        """`function` once for each lane, with its model and its share of the micro-batches."""
        shares = _balanced(packs, len(self.models))
        if self._pool is None:
            return [function(self.models[0], shares[0])]
        found = list(self._pool.map(function, self.models, shares))
        self._gather()
        return found

    def _gather(self) -> None:
        """Add the other lanes' gradients to the first one's, and clear them."""
        first = list(self.models[0].parameters())
        for other in self.models[1:]:
            for target, source in zip(first, other.parameters(), strict=True):
                if source.grad is not None:
                    target.grad = source.grad if target.grad is None else target.grad.add_(source.grad)
                    source.grad = None


def _view(model: Any) -> Any:
    """Another module over the same memory: updates of the one are seen by the other, gradients are not."""
    memo: dict[int, Any] = {
        id(p): torch.nn.Parameter(p.detach(), requires_grad=p.requires_grad) for p in model.parameters()
    }
    memo.update({id(b): b for b in model.buffers()})
    return copy.deepcopy(model, memo)


def _balanced(packs: Sequence[Packed], count: int) -> list[list[Packed]]:
    """Shares of like size: the largest first, each to the lane that has the least."""
    shares: list[list[Packed]] = [[] for _ in range(count)]
    loads = [0] * count
    for packed in sorted(packs, key=lambda p: -len(p.ids)):
        lane = loads.index(min(loads))
        shares[lane].append(packed)
        loads[lane] += len(packed.ids)
    return shares
