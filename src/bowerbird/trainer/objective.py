"""From hidden states to the policy loss, a few hundred tokens at a time.

Logits are the widest tensor of a step (tokens times vocabulary). They are made for trained tokens only, in chunks; each
chunk's loss is differentiated at once, down to the hidden states, and its logits are dropped. Then one backward pass
goes through the model. Memory grows with the chunk, not with the sequence.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bowerbird.algo import PolicyLoss
from bowerbird.trainer.packing import Term

LossOf = Callable[[Tensor, Sequence[Term]], PolicyLoss]
_CHUNK = 128


@dataclass(slots=True)
class Sums:
    """Detached sums over trained tokens, for the metrics."""

    loss: float = 0.0
    tokens: float = 0.0
    ratio: float = 0.0
    clipped: float = 0.0
    weight: float = 0.0
    squares: float = 0.0
    kl: float = 0.0
    fresh: float = 0.0
    mismatch: float = 0.0

    def add(self, loss: PolicyLoss) -> None:
        self.loss += float(loss.total.detach())
        for name in ("tokens", "ratio", "clipped", "weight", "squares", "kl", "fresh", "mismatch"):
            setattr(self, name, getattr(self, name) + float(getattr(loss, name)))

    @property
    def effective(self) -> float:
        """Effective sample size of the staleness weights (Kish 1965) over the number of tokens; 1: all are equal."""
        return self.weight**2 / (self.tokens * self.squares) if self.squares else 0.0


def backward(
    hidden: Tensor, head: torch.nn.Module, terms: Sequence[Term], loss_of: LossOf, scale: float, sums: Sums
) -> None:
    """Accumulate the gradient of `scale * loss` in the head and in all that `hidden` [L, width] came from."""
    leaf = hidden.detach().requires_grad_()
    free = [t for t in terms if t.choices is None]
    bound = [t for t in terms if t.choices is not None]
    for part, logprobs_of in ((free, free_logprobs), (bound, choice_logprobs)):
        for start in range(0, len(part), _CHUNK):
            chunk = part[start : start + _CHUNK]
            loss = loss_of(logprobs_of(leaf, head, chunk), chunk)
            (loss.total * scale).backward()
            sums.add(loss)
    hidden.backward(leaf.grad)


def free_logprobs(hidden: Tensor, head: torch.nn.Module, terms: Sequence[Term]) -> Tensor:
    """log softmax(logits / temperature) at the targets, float32 [terms]."""
    device = hidden.device
    rows = _rows(hidden, terms)
    temperatures = torch.tensor([t.temperature for t in terms], device=device)
    targets = torch.tensor([t.target for t in terms], device=device)
    logits = head(rows).float() / temperatures[:, None]
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def choice_logprobs(hidden: Tensor, head: torch.nn.Module, terms: Sequence[Term]) -> Tensor:
    """log of the mixture that choices were drawn from (see `Sampling`), float32 [terms]."""
    device = hidden.device
    logits = head(_rows(hidden, terms)).float()
    found = []
    for row, term in zip(logits, terms, strict=True):
        assert term.choices is not None
        allowed = torch.tensor(term.choices, device=device)
        share = torch.softmax(row[allowed] / term.temperature, 0)[term.choices.index(term.target)]
        found.append(torch.log((1.0 - term.explore) * share + term.explore / len(term.choices)))
    return torch.stack(found)


def _rows(hidden: Tensor, terms: Sequence[Term]) -> Tensor:
    """The hidden state before each term [terms, width].

    Branches share their prompt's last position. `index_select` sums its gradients in the order of the terms;
    `hidden[rows]` would add them as threads get to them, and no run would repeat.
    """
    return hidden.index_select(0, torch.tensor([t.source for t in terms], device=hidden.device))
