"""Peak memory of one learner step over a 4,096-token sequence: Bowerbird, and the plain step with full logits.

Both start from the same weights and end with an AdamW update in float32. The peak is that of the whole process, so the
weights and the optimiser's state, which both sides need, count on both. A third side recomputes activations
in the plain step too: what is left of the difference is due to the logits alone.
"""

import random

import sides
import torch

from bowerbird.inference.models import resolve

LENGTH, TRAINED = 4096, 3072


def tokens() -> list[int]:
    draw = random.Random(0)
    return [draw.randrange(100, 40000) for _ in range(LENGTH)]


def bowerbird() -> sides.Measured:
    from bowerbird.config import AlgoConfig, LearnerConfig
    from bowerbird.trainer.learner import Learner
    from bowerbird.types import Completion, Sampling, Stage, TrainingSample

    ids, prompt = tokens(), LENGTH - TRAINED
    settings = LearnerConfig(warmup_steps=0)
    learner = Learner(resolve("smollm2-135m"), settings, AlgoConfig(), dtype=torch.float32, device=torch.device("cpu"))
    call = Completion(
        tuple(ids[:prompt]),
        tuple(ids[prompt:]),
        (-10.0,) * TRAINED,
        (0,) * TRAINED,
        (True,) * TRAINED,
        (None,) * TRAINED,
        Sampling(1.0),
        "length",
    )
    stats = learner.step([TrainingSample(call, 1.0, Stage.SOLVE)], 0)
    return {"peak GiB": sides.peak_gib(), "seconds": stats.seconds}


def plain() -> sides.Measured:
    return _plain(recompute=False)


def plain_recomputed() -> sides.Measured:
    return _plain(recompute=True)


def _plain(recompute: bool) -> sides.Measured:
    from time import perf_counter

    from transformers import AutoModelForCausalLM

    from bowerbird.algo import policy_loss

    model = AutoModelForCausalLM.from_pretrained(resolve("smollm2-135m"), dtype=torch.float32).train()
    if recompute:
        model.activation_checkpointing_enable({"use_reentrant": False})
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-5)
    ids = torch.tensor([tokens()])
    start = perf_counter()
    logits = model(ids, use_cache=False).logits
    logprobs = torch.log_softmax(logits[:, :-1].float(), -1).gather(-1, ids[:, 1:, None])[..., 0]
    mask = torch.arange(1, LENGTH)[None] >= LENGTH - TRAINED
    old = torch.full_like(logprobs, -10.0)
    policy_loss(logprobs, old, torch.ones_like(logprobs), mask).mean.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return {"peak GiB": sides.peak_gib(), "seconds": perf_counter() - start}


if __name__ == "__main__":
    sides.main({"bowerbird": bowerbird, "plain": plain, "plain_recomputed": plain_recomputed}, "peak GiB", "lower")
