"""Several engines behind one sampler: what one engine gives, whatever dies."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import torch

from bowerbird.inference.chat import Chat
from bowerbird.inference.engine import Engine
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.pool import Pool
from bowerbird.inference.protocol import Request
from bowerbird.inference.tiny import write_tiny_model
from bowerbird.types import Completion, ModelError, PolicyVersion, ProcessDied, Sampling


def engine_of(path: Path) -> "partial[Engine]":
    return partial(Engine, str(path), places=4, dtype=torch.float32, device=torch.device("cpu"))


@pytest.fixture
def pool(tiny: Path) -> Iterator[Pool]:
    pool = Pool(engine_of(tiny), Chat(load_tokenizer(str(tiny))), 0, lanes=2)
    yield pool
    pool.close()


def asked(pool: Pool, count: int = 12) -> list[Request]:
    prompts = [pool.chat.prompt([{"role": "user", "content": f"words {i % 3}"}]) for i in range(count)]
    return [Request(prompt, Sampling(0.8, max_tokens=20, seed=i)) for i, prompt in enumerate(prompts)]


def near(found: Completion, wanted: Completion) -> bool:
    """The same tokens; log-probabilities as far as other batches round them."""
    return found.token_ids == wanted.token_ids and found.logprobs == pytest.approx(wanted.logprobs, abs=1e-4)


def kill(pool: Pool, lane: int) -> None:
    pid = pool.pids[lane]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_two_lanes_give_what_one_engine_gives_and_repeat(pool: Pool, tiny: Path) -> None:
    requests = asked(pool)
    found = pool.generate(requests)
    assert all(map(near, found, engine_of(tiny)().generate(requests)))
    assert pool.generate(requests) == found


def test_a_prompt_stays_in_its_lane_until_the_other_has_much_less_to_do(pool: Pool) -> None:
    one, other = (pool.chat.prompt([{"role": "user", "content": text}]) for text in ("one", "other"))
    for seed in range(4):
        pool.submit(Request(one, Sampling(seed=seed)))
        pool.submit(Request(other, Sampling(seed=seed)))
    assert [set(lane.prompts) for lane in pool._lanes] == [{one}, {other}]
    for seed in range(20):
        pool.submit(Request(one, Sampling(seed=seed)))
    assert min(len(lane.asked) for lane in pool._lanes) > 4


def test_new_weights_reach_every_lane_between_two_tokens(
    pool: Pool, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    tickets = [pool.submit(request) for request in asked(pool, 8)]
    done = dict(pair for _ in range(5) for pair in pool.step())
    pool.load(published(write_tiny_model(tmp_path / "other", seed=1), 3))
    while len(done) < len(tickets):
        done.update(pool.step())
    assert pool.version == 3
    assert all(list(call.versions) == sorted(call.versions) for call in done.values())
    assert {version for call in done.values() for version in call.versions} == {0, 3}


def test_a_lane_that_is_killed_loses_nothing(
    pool: Pool, tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """Killed between steps and before new weights: it comes back with those, and answers what it was asked."""
    other = write_tiny_model(tmp_path / "other", seed=1)
    pool.load(published(other, 3))
    requests = asked(pool)
    tickets = [pool.submit(request) for request in requests]
    done = dict(pair for _ in range(4) for pair in pool.step())
    kill(pool, 0)
    while len(done) < len(tickets):
        done.update(pool.step())
    wanted = engine_of(other)().generate(requests)
    assert all(near(done[ticket], call) for ticket, call in zip(tickets, wanted, strict=True))
    assert {version for call in done.values() for version in call.versions} == {3}
    kill(pool, 1)
    pool.load(published(tiny, 4))
    assert all(near(*pair) for pair in zip(pool.generate(requests), engine_of(tiny)().generate(requests), strict=True))


def test_a_lane_that_dies_again_and_again_is_an_error(pool: Pool) -> None:
    pool.submit(asked(pool)[0])
    for _ in range(2):
        kill(pool, 0)
        assert pool.step() == []
    kill(pool, 0)
    with pytest.raises(ProcessDied, match="resume"):
        pool.step()


def test_a_model_that_is_not_there_is_said_at_once(tiny: Path) -> None:
    with pytest.raises(ModelError, match="no-such-model"):
        Pool(engine_of(Path("/no-such-model")), Chat(load_tokenizer(str(tiny))), 0)


def test_a_prompt_that_cannot_fit_gets_no_answer(pool: Pool) -> None:
    long, short = pool.generate([Request(tuple([5] * 5000), Sampling()), Request((5, 6), Sampling(max_tokens=4))])
    assert long.finish == "too_long"
    assert short.token_ids
