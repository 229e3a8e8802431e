"""Conversations of many turns, as agents have them: going on from what is computed, against computing each anew."""

from time import perf_counter

import sides

CONVERSATIONS, TURNS, LONGEST = 8, 6, 32
REPLY = "exit code 1: expected 5, found 4, in line 12 of the file that was changed last. " * 6


def kept() -> sides.Measured:
    return turns(forget=False)


def anew() -> sides.Measured:
    return turns(forget=True)


def turns(forget: bool) -> sides.Measured:
    import torch

    from bowerbird.inference.engine import Engine
    from bowerbird.inference.models import resolve
    from bowerbird.inference.protocol import Request
    from bowerbird.types import Sampling

    engine = Engine(resolve("smollm2-135m"), places=CONVERSATIONS, dtype=torch.float32, device=torch.device("cpu"))
    prompts = [engine.chat.prompt([{"role": "user", "content": f"Task {i}. {REPLY}"}]) for i in range(CONVERSATIONS)]
    start = perf_counter()
    for turn in range(TURNS):
        if forget:
            engine.forget()
        done = engine.generate([Request(p, Sampling(1.0, 0.0, LONGEST, 9 * turn + i)) for i, p in enumerate(prompts)])
        prompts = [engine.chat.extend(c.prompt_ids + c.token_ids, REPLY) for c in done]
    return {
        "turns/s": CONVERSATIONS * TURNS / (perf_counter() - start),
        "tokens carried": engine.tokens_carried,
        "longest": max(map(len, prompts)),
        "peak GiB": sides.peak_gib(),
    }


if __name__ == "__main__":
    sides.main({"kept": kept, "anew": anew}, "turns/s")
