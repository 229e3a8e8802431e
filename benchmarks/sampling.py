"""The in-process sampler and `transformers.generate`: 32 rows with a shared prompt, sampled tokens per second."""

from time import perf_counter

import sides
import torch

from bowerbird.inference.models import resolve

ROWS, LONGEST, ROUNDS = 32, 64, 2
TEXT = "Write a long and detailed description of every part of a computer. " * 12


def bowerbird() -> sides.Measured:
    from bowerbird.inference.engine import Engine
    from bowerbird.inference.protocol import Request
    from bowerbird.types import Sampling

    engine = Engine(resolve("smollm2-135m"), places=ROWS, dtype=torch.float32, device=torch.device("cpu"))
    prompt = engine.chat.prompt([{"role": "user", "content": TEXT}])
    tokens, seconds = 0, 0.0
    for attempt in range(ROUNDS + 1):
        engine._prefixes.clear()  # every round pays for its prompt
        start = perf_counter()
        done = engine.generate([Request(prompt, Sampling(1.0, 0.0, LONGEST, 50 * attempt + i)) for i in range(ROWS)])
        if attempt:
            seconds += perf_counter() - start
            tokens += sum(len(c.token_ids) for c in done)
    return {"tokens/s": tokens / seconds, "tokens": tokens, "prompt": len(prompt), "peak GiB": sides.peak_gib()}


def transformers() -> sides.Measured:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = resolve("smollm2-135m")
    tokenizer = AutoTokenizer.from_pretrained(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": TEXT}], tokenize=False, add_generation_prompt=True
    )
    prompt = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]] * ROWS)
    tokens, seconds = 0, 0.0
    for attempt in range(ROUNDS + 1):
        torch.manual_seed(attempt)
        start = perf_counter()
        with torch.inference_mode():
            out = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                max_new_tokens=LONGEST,
                pad_token_id=0,
            )
        if attempt:
            seconds += perf_counter() - start
            tokens += int((out[:, prompt.shape[1] :] != 0).sum())
    return {"tokens/s": tokens / seconds, "tokens": tokens, "prompt": prompt.shape[1], "peak GiB": sides.peak_gib()}


if __name__ == "__main__":
    sides.main({"bowerbird": bowerbird, "transformers": transformers}, "tokens/s")
