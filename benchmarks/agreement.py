"""The loss and gradients of Bowerbird and of TRL on the same completions, advantages and log-probabilities."""

import sides
import torch
from throughput import GROUP, prompts, reward

from bowerbird.algo import group_advantages
from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.inference.engine import Engine
from bowerbird.inference.models import resolve
from bowerbird.inference.protocol import Request
from bowerbird.trainer.learner import Learner
from bowerbird.types import Completion, Outcome, Sampling, Stage, TrainingSample

LONGEST, PERTURB = 24, 0.1


def rollouts(path: str) -> list[TrainingSample]:
    """Two groups; the recorded log-probabilities are shifted a little, so that ratios differ from 1 and some clip."""
    engine = Engine(path, places=2 * GROUP, dtype=torch.float32, device=torch.device("cpu"))
    requests = [
        Request(engine.chat.prompt(prompts()[i // GROUP]), Sampling(1.0, 0.0, LONGEST, i)) for i in range(2 * GROUP)
    ]
    done = engine.generate(requests)
    shift = torch.Generator().manual_seed(0)
    samples = []
    for g in range(2):
        group = done[g * GROUP : (g + 1) * GROUP]
        values = group_advantages([reward(c.text) for c in group], [Outcome.VALID] * GROUP)
        samples += [
            TrainingSample(_shifted(c, shift), a or 0.0, Stage.SOLVE) for c, a in zip(group, values, strict=True)
        ]
    return samples


def _shifted(call: Completion, generator: torch.Generator) -> Completion:
    from dataclasses import replace

    noise = (torch.randn(len(call.logprobs), generator=generator) * PERTURB).tolist()
    return replace(call, logprobs=tuple(p + n for p, n in zip(call.logprobs, noise, strict=True)))


def ours(path: str, samples: list[TrainingSample]) -> tuple[float, dict[str, torch.Tensor]]:
    learner = Learner(path, LearnerConfig(), AlgoConfig(), dtype=torch.float32, device=torch.device("cpu"))
    gradients: dict[str, torch.Tensor] = {}

    def capture() -> float:
        gradients.update({n: p.grad for n, p in learner.base.named_parameters() if p.grad is not None})
        return 0.0

    learner.optimizer.step = capture  # type: ignore[method-assign]
    return learner.step(samples, 0).loss, gradients


def theirs(path: str, samples: list[TrainingSample]) -> tuple[float, dict[str, torch.Tensor]]:
    from datasets import Dataset
    from torch.nn.utils.rnn import pad_sequence
    from transformers import AutoModelForCausalLM
    from trl import GRPOConfig, GRPOTrainer

    args = GRPOConfig(
        output_dir="/tmp/trl-bench",
        use_cpu=True,
        bf16=False,
        per_device_train_batch_size=len(samples),
        num_generations=GROUP,
        max_completion_length=LONGEST,
        beta=0.0,
        epsilon=0.2,
        epsilon_high=0.28,
        loss_type="bnpo",
        temperature=1.0,
        report_to=[],
        gradient_checkpointing=False,
    )
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
    data = Dataset.from_list([{"prompt": p} for p in prompts()])
    trainer = GRPOTrainer(
        model=model, reward_funcs=lambda completions, **_: [0.0] * len(completions), args=args, train_dataset=data
    )
    calls = [s.completion for s in samples]

    def column(rows: list[tuple[float, ...]], dtype: torch.dtype, side: str = "right") -> torch.Tensor:
        return pad_sequence([torch.tensor(r, dtype=dtype) for r in rows], batch_first=True, padding_side=side)

    inputs = {
        "prompt_ids": column([c.prompt_ids for c in calls], torch.long, "left"),
        "prompt_mask": column([(1,) * len(c.prompt_ids) for c in calls], torch.long, "left"),
        "completion_ids": column([c.token_ids for c in calls], torch.long),
        "completion_mask": column([(1,) * len(c.token_ids) for c in calls], torch.long),
        "old_per_token_logps": column([c.logprobs for c in calls], torch.float32),
        "advantages": torch.tensor([s.advantage for s in samples]),
    }
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    return float(loss.detach()), {n: p.grad for n, p in trainer.model.named_parameters() if p.grad is not None}


def compare() -> sides.Measured:
    path = resolve("smollm2-135m")
    samples = rollouts(path)
    (our_loss, our_gradients), (their_loss, their_gradients) = ours(path, samples), theirs(path, samples)
    shared = sorted(our_gradients.keys() & their_gradients.keys())
    a = torch.cat([our_gradients[n].flatten() for n in shared])
    b = torch.cat([their_gradients[n].flatten() for n in shared])
    return {
        "our loss": our_loss,
        "their loss": their_loss,
        "relative difference of the gradients": float((a - b).norm() / b.norm()),
        "parameters compared": len(shared),
    }


if __name__ == "__main__":
    import os

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    for name, value in compare().items():
        print(f"{name}: {value}")
