"""Several samplers behind one: what one of them gives, whatever dies. The engines' own part is in one test."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.pool import Pool
from bowerbird.inference.protocol import Part, Request, Sampler
from bowerbird.types import Completion, ModelError, PolicyVersion, ProcessDied, Sampling


def echo(request: Request) -> str:
    return f"{byte_chat().decode(request.prompt_ids)}, {request.sampling.seed}"


def fake() -> Sampler:
    return FakeSampler(byte_chat(), echo)


def missing() -> Sampler:
    raise ModelError("no model at all")


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(fake, byte_chat(), 0, lanes=2)
    yield pool
    pool.close()


def asked(pool: Pool, count: int = 12) -> list[Request]:
    prompts = [pool.chat.prompt([{"role": "user", "content": f"words {i % 3}"}]) for i in range(count)]
    return [Request(prompt, Sampling(0.8, max_tokens=20, seed=i)) for i, prompt in enumerate(prompts)]


def kill(pool: Pool, lane: int) -> None:
    os.kill(pool.pids[lane], signal.SIGKILL)


def test_answers_come_in_the_order_asked(pool: Pool) -> None:
    requests = asked(pool)
    assert pool.generate(requests) == fake().generate(requests)


def test_a_prompt_stays_in_its_lane_until_the_other_has_much_less_to_do(pool: Pool) -> None:
    one, other = (pool.chat.prompt([{"role": "user", "content": text}]) for text in ("one", "other"))
    for seed in range(4):
        pool.submit(Request(one, Sampling(seed=seed)))
        pool.submit(Request(other, Sampling(seed=seed)))
    assert [set(lane.prompts) for lane in pool._lanes] == [{one}, {other}]
    for seed in range(20):
        pool.submit(Request(one, Sampling(seed=seed)))
    assert min(len(lane.asked) for lane in pool._lanes) > 4


def test_a_conversation_stays_in_its_lane(pool: Pool) -> None:
    requests = asked(pool, 6)
    calls = pool.generate(requests)
    for turn in range(3):
        further = [pool.chat.extend(call.prompt_ids + call.token_ids, f"go on {turn}") for call in calls]
        homes = [next(i for i, lane in enumerate(pool._lanes) if lane.has(prompt)) for prompt in further]
        assert set(homes) == {0, 1}
        for i in reversed(range(6)):  # in another order, so that chance would not find the lanes
            pool.submit(Request(further[i], Sampling(0.8, max_tokens=20, seed=i)))
        assert [prompt in pool._lanes[home].prompts for prompt, home in zip(further, homes, strict=True)] == [True] * 6
        done: dict[int, Completion] = {}
        while len(done) < 6:
            done.update(pool.step())
        calls = [done[ticket] for ticket in sorted(done, reverse=True)]


def test_new_weights_reach_every_lane_between_two_steps(pool: Pool) -> None:
    tickets = [pool.submit(request) for request in asked(pool, 8)]
    done = dict(pair for _ in range(2) for pair in pool.step())
    pool.load(PolicyVersion(3, ""))
    while len(done) < len(tickets):
        done.update(pool.step())
    assert pool.version == 3
    assert sorted(max(call.versions) for call in done.values()) == [0] * 4 + [3] * 4


def test_a_lane_that_is_killed_loses_nothing(pool: Pool) -> None:
    """It comes back with the newest weights, and answers what it was asked."""
    pool.load(PolicyVersion(3, ""))
    requests = asked(pool)
    tickets = [pool.submit(request) for request in requests]
    done = dict(pair for _ in range(2) for pair in pool.step())
    kill(pool, 0)
    while len(done) < len(tickets):
        done.update(pool.step())
    assert [done[ticket].text for ticket in tickets] == [call.text for call in fake().generate(requests)]
    assert {version for call in done.values() for version in call.versions} == {3}
    kill(pool, 1)
    pool.load(PolicyVersion(4, ""))
    assert {version for call in pool.generate(requests) for version in call.versions} == {4}


def test_a_lane_that_hangs_is_as_good_as_dead() -> None:
    heard: list[str] = []
    pool = Pool(fake, byte_chat(), 0, lanes=2, patience=5.0, says=heard.append)
    requests, stopped = asked(pool), pool.pids[0]
    try:
        tickets = [pool.submit(request) for request in requests]
        done = dict(pool.step())
        os.kill(stopped, signal.SIGSTOP)
        while len(done) < len(tickets):
            done.update(pool.step())
        assert [done[ticket] for ticket in tickets] == fake().generate(requests)
        said = "warning: the sampler's process gave no sign for 5 s (sampler.patience_s) and is started again"
        assert set(heard) == {said}
        assert stopped not in pool.pids
        with pytest.raises(ProcessLookupError):
            os.kill(stopped, 0)
    finally:
        pool.close()


def test_a_lane_that_dies_again_and_again_is_an_error(pool: Pool) -> None:
    pool.submit(asked(pool)[0])
    for _ in range(2):
        kill(pool, 0)
        assert pool.step() == []
    kill(pool, 0)
    with pytest.raises(ProcessDied, match="resume"):
        pool.step()


def test_a_model_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(ModelError, match="no model at all"):
        Pool(missing, byte_chat(), 0)


def test_engines_in_lanes_sample_what_one_engine_samples(
    tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """The same tokens; log-probabilities as far as other batches round them. A revived lane has the new weights too."""
    import torch  # here: the lanes of the other tests load this module, and need no model

    from bowerbird.inference.chat import Chat
    from bowerbird.inference.engine import Engine
    from bowerbird.inference.loading import load_tokenizer
    from bowerbird.inference.tiny import write_tiny_model

    make = partial(Engine, str(tiny), places=4, dtype=torch.float32, device=torch.device("cpu"))
    other = published(write_tiny_model(tmp_path / "other", seed=1), 3)
    one, pool = make(), Pool(make, Chat(load_tokenizer(str(tiny))), 0)
    requests = asked(pool)
    try:
        assert all(map(near, pool.generate(requests), one.generate(requests)))
        one.load(other)
        pool.load(other)
        tickets = [pool.submit(request) for request in requests]
        done = dict(pair for _ in range(4) for pair in pool.step())
        kill(pool, 1)
        while len(done) < len(tickets):
            done.update(pool.step())
    finally:
        pool.close()
    assert all(near(done[ticket], call) for ticket, call in zip(tickets, one.generate(requests), strict=True))
    assert {version for call in done.values() for version in call.versions} == {3}


def test_what_a_lane_told_of_before_it_was_killed_is_the_beginning_of_the_answer(
    tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """Each token with its own log-probability and version, of the weights of that version; none comes twice."""
    import torch

    from bowerbird.inference.chat import Chat
    from bowerbird.inference.engine import Engine
    from bowerbird.inference.loading import load_tokenizer
    from bowerbird.inference.tiny import write_tiny_model
    from tests.inference.exact import SCHEMA, furthest

    make = partial(Engine, str(tiny), places=12, dtype=torch.float32, device=torch.device("cpu"))
    other = published(write_tiny_model(tmp_path / "other", seed=1), 3)
    pool = Pool(make, Chat(load_tokenizer(str(tiny))), 0, lanes=1)
    requests = [replace(r, sampling=replace(r.sampling, max_tokens=100)) for r in asked(pool, 6)]
    requests += [Request(r.prompt_ids, Sampling(1.5, 0.3, 60, seed), SCHEMA) for seed, r in enumerate(requests[:4])]
    tickets = [pool.submit(request) for request in requests]
    known: dict[int, Part] = {}
    done: dict[int, Completion] = {}
    try:
        for steps, version in ((5, None), (7, other), (9, None)):
            done |= dict(pair for _ in range(steps) for pair in pool.step())
            if version is not None:
                pool.load(version)
            known |= {ticket: pool._lanes[0].request(ticket).begun for ticket in pool._lanes[0].asked}
            kill(pool, 0)
        while len(done) < len(tickets):
            done |= dict(pool.step())
    finally:
        pool.close()
    assert sum(len(part.token_ids) > 15 for part in known.values()) > 4
    assert all(set(done[ticket].versions) == {0, 3} for ticket in tickets[:6])
    for ticket, request in zip(tickets, requests, strict=True):
        call, before = done[ticket], known.get(ticket, Part())
        columns = call.token_ids, call.logprobs, call.versions, call.sampled, call.choices
        assert tuple(column[: len(before.token_ids)] for column in columns) == before
        assert {len(column) for column in columns} == {len(call.token_ids)}
        assert len(call.token_ids) <= request.sampling.max_tokens
        assert (len(call.token_ids) == request.sampling.max_tokens) is (call.finish == "length")
        assert list(call.versions) == sorted(call.versions)
        switch = call.versions.count(0)
        assert furthest(tiny, [call], to=switch) < 1e-4
        assert furthest(other.path, [call], since=switch) < 1e-4


def near(found: Completion, wanted: Completion) -> bool:
    return found.token_ids == wanted.token_ids and found.logprobs == pytest.approx(wanted.logprobs, abs=1e-4)


def dies_at_first(mark: Path) -> Sampler:
    """Killed while its model is loaded, once."""
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return fake()


def test_a_lane_that_is_killed_while_it_starts_is_started_again(tmp_path: Path) -> None:
    pool = Pool(partial(dies_at_first, tmp_path / "mark"), byte_chat(), 0, lanes=1)
    requests = asked(pool)
    assert pool.generate(requests) == fake().generate(requests)
    pool.close()
