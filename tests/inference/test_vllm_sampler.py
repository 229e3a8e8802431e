"""vLLM itself as the sampler, where an environment with it is at hand.

BOWERBIRD_VLLM_PYTHON=/path/to/its/bin/python VLLM_CPU_KVCACHE_SPACE=1 pytest tests/inference/test_vllm_sampler.py
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from bowerbird.inference.chat import Chat
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.pool import Pool
from bowerbird.inference.protocol import Request
from bowerbird.inference.vllm_sampler import VllmSampler
from bowerbird.types import Completion, ModelError, PolicyVersion, Sampling
from tests.inference.exact import SCHEMA, copy, furthest

PYTHON = os.environ.get("BOWERBIRD_VLLM_PYTHON", "")
OPTIONS = {"dtype": "float32", "enforce_eager": True, "max_model_len": 2048}
needs_vllm = pytest.mark.skipif(not PYTHON, reason="vLLM lives in an environment of its own: BOWERBIRD_VLLM_PYTHON")


def test_without_vllm_it_says_what_to_install(tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"sampler\.python"):
        VllmSampler(str(tiny), version=0, places=1, options={})


@pytest.fixture(scope="module", params=["tied", "own"])
def head(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def source(head: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(copy(tmp_path_factory.mktemp(head), head))


@pytest.fixture(scope="module")
def pool(source: str) -> Iterator[Pool]:
    make = partial(VllmSampler, source, version=0, places=16, options=OPTIONS)
    pool = Pool(make, Chat(load_tokenizer(source)), 0, lanes=1, python=PYTHON)
    yield pool
    pool.close()


def asked(pool: Pool, tokens: int = 24) -> list[Request]:
    prompt = pool.chat.prompt([{"role": "user", "content": "Write a Python function add(a, b)."}])
    free = [Request(prompt, Sampling(0.8, max_tokens=tokens, seed=seed)) for seed in range(4)]
    return free + [Request(prompt, Sampling(1.5, 0.3, 60, seed), schema=SCHEMA) for seed in range(4)]


@needs_vllm
@pytest.mark.slow
def test_log_probabilities_are_exact_free_and_under_a_grammar(pool: Pool, source: str) -> None:
    calls = pool.generate(asked(pool))
    assert furthest(source, calls) < 1e-3
    assert all(json.loads(call.text).keys() == {"a", "b"} and not all(call.sampled) for call in calls[4:])
    long, short = pool.generate([Request(tuple([5] * 5000), Sampling()), asked(pool)[0]])
    assert (long.finish, long.token_ids) == ("too_long", ())
    assert short.token_ids


@needs_vllm
@pytest.mark.slow
def test_more_prompts_at_once_than_fit_one_pass(pool: Pool) -> None:
    """vLLM carries 2,048 tokens a pass here, and would cut one of these prompts in two."""
    calls = pool.generate([Request((1, *[100 + i] * 300), Sampling(0.8, max_tokens=4, seed=i)) for i in range(16)])
    assert all(call.token_ids for call in calls)


@needs_vllm
@pytest.mark.slow
def test_recomputed_rows_go_on_as_those_of_the_new_weights(
    source: str, head: str, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """Also after the engine was killed: what it had sampled is the beginning of what comes."""
    version = published(copy(tmp_path / "changed", head, 1.01), 7)
    make = partial(VllmSampler, source, version=0, places=16, options=OPTIONS, recompute=True)
    pool = Pool(make, Chat(load_tokenizer(source)), 0, lanes=1, python=PYTHON)
    requests = asked(pool, tokens=40)
    tickets = [pool.submit(request) for request in requests]
    done = dict(pair for _ in range(6) for pair in pool.step())
    pool.load(version)
    done |= dict(pair for _ in range(6) for pair in pool.step())
    os.kill(pool.pids[0], signal.SIGKILL)
    while len(done) < len(tickets):
        done.update(pool.step())
    pool.close()
    for ticket, request in zip(tickets, requests, strict=True):
        call = done[ticket]
        assert list(call.versions) == sorted(call.versions)
        assert len(call.token_ids) <= request.sampling.max_tokens
        switch = sum(v == 0 for v in call.versions)
        assert furthest(source, [call], to=switch) < 1e-3
        assert furthest(version.path, [call], since=switch) < 1e-3


@needs_vllm
@pytest.mark.slow
def test_new_weights_reach_running_rows_and_only_their_tokens_are_stamped(
    pool: Pool, source: str, head: str, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """And what begins afterwards is all of the new weights, though its prompt was in the prefix cache."""
    version = published(copy(tmp_path / "changed", head, 1.01), 7)
    tickets = [pool.submit(request) for request in asked(pool)[:4]]
    done: dict[int, Completion] = {}
    for _ in range(6):
        done.update(pool.step())
    pool.load(version)
    while len(done) < len(tickets):
        done.update(pool.step())
    for call in done.values():
        assert list(call.versions) == sorted(call.versions)
    assert {v for call in done.values() for v in call.versions} == {0, 7}
    after = pool.generate(asked(pool))
    assert {v for call in after for v in call.versions} == {7}
    assert furthest(version.path, after) < 1e-3
    assert furthest(source, after) > 1e-2
