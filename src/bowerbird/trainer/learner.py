"""The learner: samples in, one optimiser step, weights out. It knows nothing of tasks or scaffolds."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from bowerbird.algo import PolicyLoss, policy_loss
from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.trainer.attention import ATTENTION, Layout, register
from bowerbird.trainer.objective import Sums, backward
from bowerbird.trainer.optimizer import Optimizer
from bowerbird.trainer.packing import Packed, Term, pack
from bowerbird.types import ModelError, TrainingSample


@dataclass(frozen=True, slots=True)
class LearnerStats:
    """What one step did. `tokens` counts trained tokens, those with advantage 0 included; means are over `used`."""

    loss: float
    tokens: int
    used: int  # trained tokens that carried a gradient
    carried: int  # tokens that went through the model, prompts included
    grad_norm: float
    ratio: float
    clip_fraction: float
    kl: float
    weight: float
    effective: float  # effective sample size of the weights over `used`, in [0, 1]
    mismatch: float | None  # mean |log ratio| of tokens of the learner's own version; None where there are none
    seconds: float
    seconds_forward: float  # of the trunk; the head belongs to the backward pass, chunk by chunk. Host time on a GPU


class Learner:
    """One model, its optimiser and its step.

    Raises ModelError when `path` is no checkpoint of a causal language model.
    """

    def __init__(
        self,
        path: str,
        learner: LearnerConfig,
        algo: AlgoConfig,
        *,
        dtype: torch.dtype,
        device: torch.device,
        lora_rank: int = 0,
    ) -> None:
        from transformers import AutoModelForCausalLM
        from transformers.utils import logging

        logging.disable_progress_bar()  # a run shows its own
        register()
        self._config, self._algo, self._device = learner, algo, device
        try:
            model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=dtype, attn_implementation=ATTENTION)
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelError(f"cannot load the model {path!r}: {error}") from error
        _without_dropout(model)
        self.base = model.to(device)
        self.model: Any = _with_lora(model, lora_rank) if lora_rank else model
        self.model.train()
        self.optimizer = Optimizer(self.model.parameters(), learner)

    def step(self, samples: Sequence[TrainingSample], version: int) -> LearnerStats:
        """One update. `version` is the learner's policy version now, against which ages are counted.

        The loss is divided by the count of all trained tokens: those of equal groups (advantage 0) count, and the
        staleness weight does not.
        """
        started = perf_counter()
        tokens = sum(sum(s.completion.sampled) for s in samples)
        packs = pack(samples, self._config.micro_batch_tokens)
        sums, carried, forward = Sums(), 0, 0.0
        for packed in packs:
            forward += self._accumulate(packed, version, 1.0 / max(tokens, 1), sums)
            self.optimizer.gather()
            carried += len(packed.ids)
        norm = self.optimizer.step() if packs else 0.0
        used = max(sums.tokens, 1.0)
        return LearnerStats(
            loss=sums.loss / max(tokens, 1),
            tokens=tokens,
            used=int(sums.tokens),
            carried=carried,
            grad_norm=norm,
            ratio=sums.ratio / used if packs else 1.0,
            clip_fraction=sums.clipped / used,
            kl=sums.kl / used,
            weight=sums.weight / used if packs else 1.0,
            effective=sums.effective if packs else 1.0,
            mismatch=sums.mismatch / sums.fresh if sums.fresh else None,
            seconds=perf_counter() - started,
            seconds_forward=forward,
        )

    def _accumulate(self, packed: Packed, version: int, scale: float, sums: Sums) -> float:
        """Add the gradient of one pack; seconds of its forward pass."""
        started = perf_counter()
        self._recompute(len(packed.ids) > self._config.recompute_above)
        ids = torch.tensor([packed.ids], device=self._device)
        positions = torch.tensor([packed.positions], device=self._device)
        layout = Layout(packed, self._device)
        hidden = self.base.get_decoder()(
            input_ids=ids, position_ids=positions, use_cache=False, layout=layout
        ).last_hidden_state[0]
        forward = perf_counter() - started
        head = self.base.get_output_embeddings()
        backward(hidden, head, packed.terms, partial(self._loss, version), scale, sums)
        return forward

    def _loss(self, version: int, logprobs: Tensor, terms: Sequence[Term]) -> PolicyLoss:
        def column(values: Sequence[float]) -> Tensor:
            return torch.tensor(values, device=self._device)

        return policy_loss(
            logprobs,
            column([t.sampler_logprob for t in terms]),
            column([t.advantage for t in terms]),
            torch.ones(len(terms), device=self._device),
            torch.tensor([version - t.version for t in terms], device=self._device),
            eps_low=self._algo.eps_low,
            eps_high=self._algo.eps_high,
            k1=self._algo.k1,
            k2=self._algo.k2,
            decay=self._algo.decay,
        )

    def _recompute(self, wanted: bool) -> None:
        if wanted != self.base.is_activation_checkpointing:
            if wanted:
                self.base.activation_checkpointing_enable({"use_reentrant": False})
            else:
                self.base.activation_checkpointing_disable()


def _without_dropout(model: Any) -> None:
    """The sampler drops nothing: a learner that did would compare two different policies."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0


def _with_lora(model: Any, rank: int) -> Any:
    """Adapters that start the same in every run: peft draws them from torch's global generator."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        wrapped = get_peft_model(model, settings)
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()  # adapters are small: train them in full precision
    return wrapped
