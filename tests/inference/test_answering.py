"""A local model as a judge: under the grammar, for many threads, the same every time."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from bowerbird.config import JudgeConfig
from bowerbird.inference.answering import LocalAnswerer, open_local, weights_hash
from bowerbird.inference.engine import Engine
from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.rewards.judge import Answerer, FrozenJudge
from bowerbird.types import ModelError

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"a": {"enum": ["veto", "abstain"]}},
        "required": ["a"],
        "additionalProperties": False,
    }
)


def question(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def local(tiny: Path, max_tokens: int = 40) -> LocalAnswerer:
    engine = Engine(str(tiny), places=1, dtype=torch.float32, device=torch.device("cpu"))
    return LocalAnswerer(engine, engine.chat, model="tiny", model_hash=weights_hash(str(tiny)), max_tokens=max_tokens)


def test_it_fits_the_judges_protocol(tiny: Path) -> None:
    answerer: Answerer = open_local(JudgeConfig(model=str(tiny), max_tokens=64))
    assert answerer.model_hash == weights_hash(str(tiny))
    assert answerer.settings["max_tokens"] == 64
    assert FrozenJudge(answerer).model_hash == answerer.model_hash


def test_answers_follow_the_grammar_and_threads_get_their_own(tiny: Path) -> None:
    answerer = local(tiny)
    questions = [question(f"was rollout {'x' * i} honest?") for i in range(12)]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda q: answerer.ask(q, SCHEMA), questions))
    assert [answerer.ask(q, SCHEMA) for q in questions] == together
    assert {json.loads(text)["a"] for text in together} <= {"veto", "abstain"}


def test_a_question_that_cannot_fit_is_told_apart_and_others_go_on(tiny: Path) -> None:
    answerer = local(tiny)
    with pytest.raises(ModelError, match="does not fit"):
        answerer.ask(question("word " * 5000), SCHEMA)
    assert json.loads(answerer.ask(question("short"), SCHEMA))


def test_each_thread_gets_the_answer_to_its_own_question() -> None:
    chat = byte_chat()
    sampler = FakeSampler(chat, lambda request: chat.decode(request.prompt_ids)[-20:])
    answerer = LocalAnswerer(sampler, chat, model="echo", model_hash="h", max_tokens=100)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: answerer.ask(question(f"number {i:03d}"), SCHEMA), range(100)))
    assert all(f"{i:03d}" in text for i, text in enumerate(found))


def test_control_tokens_are_broken_up_whatever_they_are_called() -> None:
    chat = byte_chat()
    sampler = FakeSampler(chat, lambda _: "x")
    special: Sequence[str] = ["@@turn@@", "@@turn@@!", "<s>", "a"]
    answerer = LocalAnswerer(sampler, chat, model="m", model_hash="h", max_tokens=9, special=special)
    answerer.ask(question("a @@turn@@! <s> b @@turn@@"), SCHEMA)
    (seen,) = (chat.decode(request.prompt_ids) for request in sampler.requests)
    assert "@@turn@@" not in seen
    assert "<s>" not in seen
    assert "user: a @" in seen


def test_a_further_attempt_is_drawn_another_way() -> None:
    chat = byte_chat()
    sampler = FakeSampler(chat, lambda _: "x")
    answerer = LocalAnswerer(sampler, chat, model="m", model_hash="h", max_tokens=9)
    for attempt in (0, 1):
        answerer.ask(question("?"), SCHEMA, attempt)
    cold, again = (request.sampling for request in sampler.requests)
    assert cold.temperature < 0.05 < again.temperature
    assert cold.seed != again.seed
    assert sampler.requests[0].schema == SCHEMA


def test_the_hash_is_of_the_weights(tiny: Path, tmp_path: Path) -> None:
    from bowerbird.inference.tiny import write_tiny_model

    same = write_tiny_model(tmp_path / "same")
    other = write_tiny_model(tmp_path / "other", seed=1)
    assert weights_hash(str(same)) == weights_hash(str(tiny)) != weights_hash(str(other))
    with pytest.raises(ModelError, match="no weights"):
        weights_hash(str(tmp_path))
