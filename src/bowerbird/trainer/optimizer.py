"""AdamW with float32 masters, gradient clipping and warm-up."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from bowerbird.config import LearnerConfig


class Optimizer:
    """Steps float32 masters and copies them into the model's own parameters.

    In float32 the masters are the parameters. In bfloat16 they are copies: an update of 1e-5 is below what bfloat16
    resolves at the size of a weight and would be lost.
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], config: LearnerConfig) -> None:
        self._config = config
        self._parameters = [p for p in parameters if p.requires_grad]
        self._masters: list[Tensor] = [
            p if p.dtype == torch.float32 else p.detach().float().requires_grad_() for p in self._parameters
        ]
        self._adam = torch.optim.AdamW(
            self._masters, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay, fused=True
        )
        self.steps = 0

    def gather(self) -> None:
        """Add the parameters' gradients to those of the masters, in float32, and clear them.

        To be called after each micro-batch: sums of many in bfloat16 would lose the small ones.
        """
        for master, parameter in zip(self._masters, self._parameters, strict=True):
            if master is not parameter and parameter.grad is not None:
                fresh = parameter.grad.float()
                master.grad = fresh if master.grad is None else master.grad.add_(fresh)
                parameter.grad = None

    def step(self) -> float:
        """One update from what was gathered, which is cleared. Returns the norm before clipping.

        Where the norm is not finite nothing is changed.
        """
        norm = float(torch.nn.utils.clip_grad_norm_(self._masters, self._config.clip_norm))
        if norm == norm and norm != float("inf"):
            self.steps += 1
            warm = min(1.0, self.steps / (self._config.warmup_steps + 1))
            for group in self._adam.param_groups:
                group["lr"] = self._config.learning_rate * warm
            self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        with torch.no_grad():
            for master, parameter in zip(self._masters, self._parameters, strict=True):
                if master is not parameter:
                    parameter.copy_(master)
        return norm

    def state(self) -> dict[str, Any]:
        masters = [m.detach() for m, p in zip(self._masters, self._parameters, strict=True) if m is not p]
        return {"adam": self._adam.state_dict(), "steps": self.steps, "masters": masters}

    def restore(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(state["adam"])
        self.steps = state["steps"]
        held = [m for m, p in zip(self._masters, self._parameters, strict=True) if m is not p]
        with torch.no_grad():
            for master, saved in zip(held, state["masters"], strict=True):
                master.copy_(saved)
