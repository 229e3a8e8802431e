"""What a sampler says against plain forward passes of the model that it samples from."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from bowerbird.inference.loading import load_model, load_tokenizer
from bowerbird.inference.models import resolve
from bowerbird.types import Completion

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"a": {"enum": ["none", "notes"]}, "b": {"enum": [1, 2, 3]}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
)


def recomputed(path: str | Path, call: Completion) -> list[float]:
    """Each token's log-probability from one plain forward pass over the whole sequence."""
    model = load_model(str(path), dtype=torch.float32, device=torch.device("cpu"), attention="eager")
    with torch.no_grad():
        logits = model(torch.tensor([call.prompt_ids + call.token_ids])).logits[0].double()
    found = []
    for i, token in enumerate(call.token_ids):
        row, allowed = logits[len(call.prompt_ids) + i - 1] / call.sampling.temperature, call.choices[i]
        if not call.sampled[i]:
            found.append(0.0)
        elif allowed is None:
            found.append(float(torch.log_softmax(row, 0)[token]))
        else:
            share = torch.softmax(row[list(allowed)], 0)[allowed.index(token)]
            explore = call.sampling.explore
            found.append(float(torch.log((1 - explore) * share + explore / len(allowed))))
    return found


def furthest(path: str | Path, calls: Sequence[Completion], *, since: int = 0, to: int | None = None) -> float:
    """The largest difference to these, of the tokens from `since` up to `to`."""
    pairs = [pair for call in calls for pair in list(zip(recomputed(path, call), call.logprobs, strict=True))[since:to]]
    return max((abs(wanted - said) for wanted, said in pairs), default=0.0)


def copy(folder: Path, head: str, scale: float = 1.0) -> Path:
    """The embedded model, all weights times `scale`; its output layer is `tied` to the embedding, or its `own`."""
    from transformers import AutoModelForCausalLM

    source = resolve("smollm2-135m")
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    if head == "own":
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    model.save_pretrained(folder)
    load_tokenizer(source).save_pretrained(folder)
    return folder
