"""Seconds from a published version to the first token under it, rows running on: in-flight, against a fresh sampler.

The other side is what a sampler without in-flight updates does: it is made anew from the same folder and begins the
same rows again. Medians of ROUNDS updates; the version is in the page cache, as it is right after it was published.
With VLLM_PYTHON, the interpreter of vLLM's environment, also vLLM's engine as our sampler.
"""

import os
import statistics
import tempfile
from pathlib import Path
from time import perf_counter

import torch
from sides import Measured, main

from bowerbird.inference.engine import Engine
from bowerbird.inference.protocol import Request, Sampler
from bowerbird.inference.vllm_sampler import VllmSampler
from bowerbird.types import PolicyVersion, Sampling

ROWS, ROUNDS, TOKENS = 8, 7, 400
CPU = torch.device("cpu")


def checkpoint() -> str:
    from bowerbird.inference.models import resolve  # not in vLLM's environment

    return resolve("smollm2-135m")


def version(folder: Path) -> PolicyVersion:
    from bowerbird.config import AlgoConfig, LearnerConfig
    from bowerbird.trainer.learner import Learner
    from bowerbird.trainer.publish import publish

    source = checkpoint()
    learner = Learner(source, LearnerConfig(), AlgoConfig(), dtype=torch.float32, device=CPU)
    return publish(learner.base, source, folder, 1)


def made(path: str) -> Engine:
    engine = Engine(path, places=ROWS, dtype=torch.float32, device=CPU)
    begin(engine)
    return engine


def begin(sampler: Sampler) -> None:
    prompt = sampler.chat.prompt([{"role": "user", "content": "Tell a long story about a bowerbird."}])
    for seed in range(ROWS):
        sampler.submit(Request(prompt, Sampling(temperature=1.0, max_tokens=TOKENS, seed=seed)))
    sampler.step()


def updates(sampler: Sampler, published: PolicyVersion) -> Measured:
    loads, firsts = [], []
    for _ in range(ROUNDS):
        for _ in range(10):
            sampler.step()
        start = perf_counter()
        sampler.load(published)
        loads.append(perf_counter() - start)
        sampler.step()
        firsts.append(perf_counter() - start)
    return {"first token s": statistics.median(firsts), "loading s": statistics.median(loads), "rows": ROWS}


def in_flight(recompute: bool = False) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        published = version(Path(folder))
        engine = made(checkpoint())
        engine._recompute = recompute
        return updates(engine, published)


def vllm() -> Measured:
    options = {"dtype": "float32", "max_model_len": 2048, "enforce_eager": True}
    sampler = VllmSampler(os.environ["CHECKPOINT"], version=0, places=ROWS, options=options)
    begin(sampler)
    return updates(sampler, PolicyVersion(1, os.environ["PUBLISHED"]))


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
    other = os.environ.get("VLLM_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        if other:
            sides["vllm"] = vllm
            if "PUBLISHED" not in os.environ:
                os.environ["CHECKPOINT"], os.environ["PUBLISHED"] = checkpoint(), version(Path(folder)).path
        main(sides, "first token s", better="lower", pythons={"vllm": other} if other else None)
