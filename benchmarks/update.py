"""Seconds from a published version to the first token under it, rows running on: in-flight, against a fresh sampler.

The other side is what a sampler without in-flight updates does: it is made anew from the same folder and begins the
same rows again. Medians of ROUNDS updates; the version is in the page cache, as it is right after it was published.
"""

import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import torch
from sides import Measured, main

from bowerbird.config import AlgoConfig, LearnerConfig
from bowerbird.inference.engine import Engine
from bowerbird.inference.models import resolve
from bowerbird.inference.protocol import Request
from bowerbird.trainer.learner import Learner
from bowerbird.trainer.publish import publish
from bowerbird.types import PolicyVersion, Sampling

ROWS, ROUNDS, TOKENS = 8, 7, 400
CPU = torch.device("cpu")


def version(folder: Path) -> PolicyVersion:
    source = resolve("smollm2-135m")
    learner = Learner(source, LearnerConfig(), AlgoConfig(), dtype=torch.float32, device=CPU)
    return publish(learner.base, source, folder, 1)


def made(path: str) -> Engine:
    engine = Engine(path, places=ROWS, dtype=torch.float32, device=CPU)
    prompt = engine.chat.prompt([{"role": "user", "content": "Tell a long story about a bowerbird."}])
    for seed in range(ROWS):
        engine.submit(Request(prompt, Sampling(temperature=1.0, max_tokens=TOKENS, seed=seed)))
    engine.step()
    return engine


def in_flight(recompute: bool = False) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        published = version(Path(folder))
        engine = made(resolve("smollm2-135m"))
        engine._recompute = recompute
        loads, firsts = [], []
        for _ in range(ROUNDS):
            for _ in range(10):
                engine.step()
            start = perf_counter()
            engine.load(published)
            loads.append(perf_counter() - start)
            engine.step()
            firsts.append(perf_counter() - start)
    return {"first token s": statistics.median(firsts), "loading s": statistics.median(loads), "rows": ROWS}


def fresh() -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        published = version(Path(folder))
        firsts = []
        for _ in range(3):
            start = perf_counter()
            made(published.path)
            firsts.append(perf_counter() - start)
    return {"first token s": statistics.median(firsts), "rows": ROWS}


if __name__ == "__main__":
    sides = {"in-flight": in_flight, "recompute": lambda: in_flight(recompute=True), "fresh": fresh}
    main(sides, "first token s", better="lower")
