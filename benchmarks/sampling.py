"""The in-process sampler and `transformers.generate`: 32 rows with a shared prompt, sampled tokens per second.

Where VLLM_PYTHON names the Python of an environment with vLLM (its CPU build wants one of its own), vLLM too.
"""

import os
from time import perf_counter

import sides

ROWS, LONGEST, ROUNDS = 32, 64, 2
TEXT = "Write a long and detailed description of every part of a computer. " * 12


def bowerbird() -> sides.Measured:
    import torch

    from bowerbird.inference.engine import Engine
    from bowerbird.inference.models import resolve
    from bowerbird.inference.protocol import Request
    from bowerbird.types import Sampling

    engine = Engine(resolve("smollm2-135m"), places=ROWS, dtype=torch.float32, device=torch.device("cpu"))
    prompt = engine.chat.prompt([{"role": "user", "content": TEXT}])
    tokens, seconds = 0, 0.0
    for attempt in range(ROUNDS + 1):
        engine.forget()  # every round pays for its prompt
        start = perf_counter()
        done = engine.generate([Request(prompt, Sampling(1.0, 0.0, LONGEST, 50 * attempt + i)) for i in range(ROWS)])
        if attempt:
            seconds += perf_counter() - start
            tokens += sum(len(c.token_ids) for c in done)
    return {"tokens/s": tokens / seconds, "tokens": tokens, "prompt": len(prompt), "peak GiB": sides.peak_gib()}


def transformers() -> sides.Measured:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from bowerbird.inference.models import resolve

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


def vllm() -> sides.Measured:
    from vllm import LLM, SamplingParams

    engine = LLM(os.environ["CHECKPOINT"], dtype="float32", max_model_len=2048, max_num_seqs=ROWS)
    text = engine.get_tokenizer().apply_chat_template(
        [{"role": "user", "content": TEXT}], tokenize=False, add_generation_prompt=True
    )
    prompt = engine.get_tokenizer()(text, add_special_tokens=False)["input_ids"]
    tokens, seconds = 0, 0.0
    for attempt in range(ROUNDS + 1):
        engine.reset_prefix_cache()
        settings = [SamplingParams(temperature=1.0, max_tokens=LONGEST, seed=50 * attempt + i) for i in range(ROWS)]
        start = perf_counter()
        done = engine.generate([{"prompt_token_ids": prompt}] * ROWS, settings, use_tqdm=False)
        if attempt:
            seconds += perf_counter() - start
            tokens += sum(len(output.outputs[0].token_ids) for output in done)
    return {"tokens/s": tokens / seconds, "tokens": tokens, "prompt": len(prompt)}


if __name__ == "__main__":
    parts = {"bowerbird": bowerbird, "transformers": transformers}
    if other := os.environ.get("VLLM_PYTHON"):
        parts["vllm"] = vllm
        if "CHECKPOINT" not in os.environ:  # not in vLLM's own environment: it has no Bowerbird
            from bowerbird.inference.models import resolve

            os.environ["CHECKPOINT"] = resolve("smollm2-135m")
    sides.main(parts, "tokens/s", pythons={"vllm": other} if other else None)
