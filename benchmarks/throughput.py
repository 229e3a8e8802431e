"""End to end: completion tokens generated and learned per second, Bowerbird and TRL's GRPOTrainer.

Same weights, prompts, group size, longest completion, temperature, precision, optimiser and machine. The first step of
each side warms up and is not counted.
"""

import random
from functools import cache
from time import perf_counter
from typing import Any

import sides
import torch

from bowerbird.inference.models import resolve
from bowerbird.rollout.prompts import first_prompt
from bowerbird.tasks.katas import family_names, train_heldout_split

MODEL, GROUP, PROMPTS, LONGEST, STEPS, TEMPERATURE = "smollm2-135m", 8, 4, 48, 3, 1.0


@cache
def prompts() -> list[list[dict[str, str]]]:
    """The opening of a rollout that shows the examples, on tasks of the demo: about 120 tokens each."""
    tasks, _ = train_heldout_split(0, 16, 1, families=family_names(hardest=0.4))
    return [[dict(m) for m in first_prompt(task.view, "tests_first").messages] for task in tasks]


def reward(text: str) -> float:
    """Any function of the text does; this one varies within groups."""
    return random.Random(text).random()


def bowerbird() -> sides.Measured:
    from bowerbird.algo import group_advantages
    from bowerbird.config import AlgoConfig, LearnerConfig
    from bowerbird.inference.engine import Engine
    from bowerbird.inference.protocol import Request
    from bowerbird.trainer.learner import Learner
    from bowerbird.types import Outcome, Sampling, Stage, TrainingSample

    path, cpu = resolve(MODEL), torch.device("cpu")
    engine = Engine(path, places=GROUP * PROMPTS, dtype=torch.float32, device=cpu)
    learner = Learner(path, LearnerConfig(learning_rate=1e-6), AlgoConfig(), dtype=torch.float32, device=cpu)
    tokens, clock = 0, {"generate": 0.0, "forward": 0.0, "backward": 0.0, "publish": 0.0}
    for step in range(STEPS + 1):
        if step == 1:
            tokens, clock = 0, dict.fromkeys(clock, 0.0)
        start = perf_counter()
        tasks = [prompts()[(step * PROMPTS + i) % len(prompts())] for i in range(PROMPTS)]
        requests = [
            Request(engine.chat.prompt(task), Sampling(TEMPERATURE, 0.0, LONGEST, 100 * step + i))
            for i, task in enumerate(t for t in tasks for _ in range(GROUP))
        ]
        done = engine.generate(requests)
        clock["generate"] += perf_counter() - start
        samples = []
        for g in range(PROMPTS):
            group = done[g * GROUP : (g + 1) * GROUP]
            values = group_advantages([reward(c.text) for c in group], [Outcome.VALID] * GROUP)
            samples += [TrainingSample(c, a or 0.0, Stage.SOLVE) for c, a in zip(group, values, strict=True)]
        stats = learner.step(samples, step)
        clock["forward"] += stats.seconds_forward
        clock["backward"] += stats.seconds - stats.seconds_forward  # with the optimiser
        start = perf_counter()
        publish_to(learner, path, step + 1, engine)
        clock["publish"] += perf_counter() - start
        tokens += stats.tokens
    return summary(tokens, sum(clock.values()), **clock)


def publish_to(learner: Any, source: str, number: int, engine: Any) -> None:
    import tempfile
    from pathlib import Path

    from bowerbird.trainer.publish import publish

    with tempfile.TemporaryDirectory() as folder:
        engine.load(publish(learner.base, source, Path(folder), number))


def trl() -> sides.Measured:
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    counted: list[int] = []
    stamps: list[tuple[float, dict[str, float]]] = []
    parts = {"generate": 0.0, "forward": 0.0}

    def score(completions: list[Any], completion_ids: list[list[int]], **_: Any) -> list[float]:
        counted.append(sum(len(ids) for ids in completion_ids))
        return [reward(c[0]["content"]) for c in completions]

    class Stamp(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            stamps.append((perf_counter(), dict(parts)))

    class Timed(GRPOTrainer):  # type: ignore[misc]
        """The trainer as it is, with a clock around its parts."""

        def _generate_and_score_completions(self, inputs: Any) -> Any:
            return timed("generate", super()._generate_and_score_completions, inputs)

        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            return timed("forward", super().compute_loss, *args, **kwargs)

    def timed(name: str, call: Any, *args: Any, **kwargs: Any) -> Any:
        start = perf_counter()
        result = call(*args, **kwargs)
        parts[name] += perf_counter() - start
        return result

    args = GRPOConfig(
        output_dir="/tmp/trl-bench",
        use_cpu=True,
        bf16=False,
        per_device_train_batch_size=GROUP * PROMPTS,
        num_generations=GROUP,
        max_completion_length=LONGEST,
        temperature=TEMPERATURE,
        max_steps=STEPS + 1,
        learning_rate=1e-6,
        beta=0.0,
        epsilon=0.2,
        epsilon_high=0.28,
        loss_type="bnpo",
        gradient_checkpointing=False,
        report_to=[],
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        shuffle_dataset=False,
    )
    trainer = Timed(
        model=resolve(MODEL),
        reward_funcs=score,
        args=args,
        train_dataset=Dataset.from_list([{"prompt": p} for p in prompts()]),
        callbacks=[Stamp()],
    )
    trainer.model.float()
    trainer.train()
    (start, before), (end, after) = stamps[0], stamps[-1]
    spent = {name: after[name] - before[name] for name in parts}
    rest = end - start - sum(spent.values())
    return summary(sum(counted[1:]), end - start, **spent, backward=rest)  # with the optimiser


def summary(tokens: int, seconds: float, **parts: float) -> sides.Measured:
    shown = {f"{name} s": value for name, value in parts.items()}
    return {"tokens/s": tokens / seconds, "tokens": tokens, "seconds": seconds, **shown, "peak GiB": sides.peak_gib()}


if __name__ == "__main__":
    sides.main({"bowerbird": bowerbird, "trl": trl}, "tokens/s")
