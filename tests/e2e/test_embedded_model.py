"""The real small model, in the real sandbox."""

import json
from pathlib import Path

import pytest
import torch

from bowerbird.config import load_config
from bowerbird.evals.session import train_and_evaluate
from bowerbird.inference.engine import Engine
from bowerbird.inference.loading import load_model
from bowerbird.inference.models import resolve
from bowerbird.inference.protocol import Request
from bowerbird.orchestrator.progress import Silent
from bowerbird.scaffold.card import card_schema, parse_card
from bowerbird.types import Sampling

pytestmark = pytest.mark.slow
CPU, F32 = torch.device("cpu"), torch.float32


@pytest.fixture(scope="module")
def path() -> str:
    return resolve("smollm2-135m")


def test_it_samples_exactly(path: str) -> None:
    engine = Engine(path, places=4, dtype=F32, device=CPU)
    prompt = engine.chat.prompt([{"role": "user", "content": "Write a Python function that adds two numbers."}])
    free = [Request(prompt, Sampling(0.8, 0.0, 12, seed)) for seed in range(3)]
    cards = [Request(prompt, Sampling(1.5, 0.2, 160, seed), schema=card_schema()) for seed in range(3)]
    calls = engine.generate(free + cards)
    model = load_model(path, dtype=F32, device=CPU, attention="sdpa")
    for call in calls[:3]:
        with torch.no_grad():
            logits = model(torch.tensor([call.prompt_ids + call.token_ids])).logits[0] / 0.8
        exact = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1].gather(1, torch.tensor(call.token_ids)[:, None])
        assert call.logprobs == pytest.approx(exact[:, 0].tolist(), abs=2e-3)
    for call in calls[3:]:
        assert parse_card(call.text)[0] is not None
        assert sum(call.sampled) == 11, "one decision a field; a field with one option is forced"


def test_it_trains_a_step(path: str, tmp_path: Path) -> None:
    chosen = load_config(
        Path("recipes/demo.toml"),
        [
            "name=slow",
            "steps=1",
            "model.precision=float32",  # the bounds below are of float32
            "tasks.train=8",
            "tasks.heldout=4",
            "scaffold.proposals=2",
            "rollout.per_scaffold=2",
            "curriculum.tasks_per_step=2",
            "eval.before=false",
        ],
    )
    run = train_and_evaluate(chosen, tmp_path, Silent())
    (row,) = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert row["ratio"] == pytest.approx(1.0, abs=1e-3)
    assert row["kl"] < 1e-4
    assert row["scaffolds_valid"] == 4
    assert row["valid"] == 8
    assert json.loads((run / "eval-after.json").read_text())["version"] == 1
