"""Tokens sampled per second by two processes of one thread each, against one process of two threads.

The same 256 requests, four for each of 64 katas, prompts included; as many rows at once in all.
"""

import functools
import os
from collections.abc import Callable
from time import perf_counter

import torch
from sides import Measured, main, peak_gib

from bowerbird.inference.chat import Chat
from bowerbird.inference.engine import Engine
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.models import resolve
from bowerbird.inference.pool import Pool
from bowerbird.inference.protocol import Request, Sampler
from bowerbird.tasks.katas import family_names, train_heldout_split
from bowerbird.types import Sampling

LANES, PLACES, KV_TOKENS = 2, int(os.environ.get("PLACES", "160")), 20480
TASKS, EACH, TOKENS = 64, 4, 56


def engine(lanes: int, path: str) -> Engine:
    torch.set_num_threads(LANES // lanes)
    share = {"places": PLACES // lanes, "kv_tokens": KV_TOKENS // lanes}
    return Engine(path, dtype=torch.float32, device=torch.device("cpu"), **share)


def requests(chat: Chat) -> list[Request]:
    katas, _ = train_heldout_split(0, TASKS, 1, families=family_names(hardest=0.4))
    found = []
    for number, kata in enumerate(katas):
        prompt = chat.prompt([{"role": "user", "content": f"{kata.view.instruction}\nAnswer with Python code."}])
        for k in range(EACH):
            sampling = Sampling(temperature=0.8, max_tokens=TOKENS, seed=EACH * number + k)
            found.append(Request(prompt, sampling, stop="```", stop_count=2))
    return found


def measured(sampler: Sampler, chat: Chat) -> Measured:
    asked = requests(chat)
    sampler.generate(asked[:EACH])
    start = perf_counter()
    found = sampler.generate(asked)
    seconds = perf_counter() - start
    tokens = sum(len(call.token_ids) for call in found)
    return {"tokens/s": tokens / seconds, "tokens": tokens, "seconds": seconds}


def side(make: Callable[[str, Chat], Sampler]) -> Measured:
    path = resolve("smollm2-135m")
    chat = Chat(load_tokenizer(path))
    return measured(make(path, chat), chat) | {"own peak GiB": peak_gib()}


def processes(path: str, chat: Chat) -> Sampler:
    return Pool(functools.partial(engine, LANES, path), chat, 0, lanes=LANES)


def threads(path: str, chat: Chat) -> Sampler:
    return engine(1, path)


if __name__ == "__main__":
    sides = {"processes": lambda: side(processes), "threads": lambda: side(threads)}
    main(sides, "tokens/s", rounds=int(os.environ.get("ROUNDS", "3")))
