"""A server as the sampler: exact log-probabilities, new weights in flight, a server that goes away and comes back.

The real one, where an environment with vLLM is at hand (see test_vllm_sampler.py):
BOWERBIRD_VLLM_PYTHON=/path/to/its/bin/python VLLM_CPU_KVCACHE_SPACE=1 pytest tests/inference/test_server_sampler.py
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import bowerbird
from bowerbird.inference.loading import load_tokenizer
from bowerbird.inference.models import resolve
from bowerbird.inference.protocol import Request
from bowerbird.inference.server_sampler import Server, ServerSampler
from bowerbird.inference.tiny import write_tiny_model
from bowerbird.types import Completion, InfraError, ModelError, PolicyVersion, Sampling
from tests.inference.completions import Served, completions
from tests.inference.exact import SCHEMA, furthest

PYTHON = os.environ.get("BOWERBIRD_VLLM_PYTHON", "")


@contextmanager
def sampling(served: Served, tiny: Path, places: int = 4, patience: float = 5.0) -> Iterator[ServerSampler]:
    with completions(served) as url:
        sampler = opened(url, tiny, places, patience)
        try:
            yield sampler
        finally:
            sampler.close()


def opened(url: str, checkpoint: Path | str, places: int = 4, patience: float = 5.0) -> ServerSampler:
    at = PolicyVersion(0, str(checkpoint))
    return ServerSampler(Server(url, patience=patience), load_tokenizer(str(checkpoint)), places=places, version=at)


def asked(sampler: ServerSampler, tokens: int = 24) -> list[Request]:
    prompt = sampler.chat.prompt([{"role": "user", "content": "some words for these rows"}])
    free = [Request(prompt, Sampling(0.8, max_tokens=tokens, seed=seed)) for seed in range(4)]
    return free + [Request(prompt, Sampling(1.5, 0.3, 60, seed), schema=SCHEMA) for seed in range(4)]


def test_log_probabilities_are_exact_free_and_under_a_grammar(tiny: Path) -> None:
    with sampling(Served(tiny), tiny) as sampler:
        calls = sampler.generate(asked(sampler))
        long, short = sampler.generate([Request(tuple([5] * 3000), Sampling()), asked(sampler)[0]])
    assert furthest(str(tiny), calls) < 1e-4
    assert all(call.text.startswith('{"a"') and not all(call.sampled) for call in calls[4:])
    assert (long.finish, long.token_ids) == ("too_long", ())
    assert short == calls[0]


def test_new_weights_reach_running_rows(
    tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """No row is lost, each token carries its version, and each version's tokens are of its own weights."""
    other = write_tiny_model(tmp_path / "other", seed=5)
    served = Served(tiny)
    with sampling(served, tiny) as sampler:
        tickets = [sampler.submit(request) for request in asked(sampler, tokens=200)[:4]]
        done: dict[int, Completion] = {}
        while not done and all(len(row.ids) < 20 for row in sampler._rows.values()):
            done.update(sampler.step())
        sampler.load(published(other, 3))
        while len(done) < len(tickets):
            done.update(sampler.step())
        after = sampler.generate(asked(sampler))
    mixed = [call for call in done.values() if set(call.versions) == {0, 3}]
    assert mixed
    assert all(list(call.versions) == sorted(call.versions) for call in mixed)
    assert served.reloads == ["reload_weights", "repack_head"] * 2, "once when it is met, once for the new version"
    assert {v for call in after for v in call.versions} == {3}
    assert furthest(str(other), after) < 1e-4
    assert furthest(str(tiny), after) > 1e-2
    for call in mixed:
        switch = call.versions.index(3)
        assert furthest(str(tiny), [call], to=switch) < 1e-4
        assert furthest(str(other), [call], since=switch) < 1e-4


def test_a_server_that_breaks_off_is_asked_for_the_rest(
    tiny: Path, published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    other = published(write_tiny_model(tmp_path / "other", seed=5), 2)
    served = Served(tiny, break_after=30)
    with sampling(served, tiny) as sampler:
        sampler.load(other)
        calls = sampler.generate(asked(sampler))
    assert served.reloads.count("reload_weights") == 3, "it may have come back with the weights it was started with"
    assert furthest(other.path, calls) < 1e-4


def test_a_server_that_stays_away_is_said(tiny: Path) -> None:
    with completions(Served(tiny)) as url:
        sampler = opened(url, tiny, patience=1.0)
        request = asked(sampler, tokens=400)[0]
    with pytest.raises(InfraError, match="did not come back"):
        sampler.generate([request])
    sampler.close()


def test_what_a_server_must_be_able_to_do_is_said(tiny: Path) -> None:
    with pytest.raises(ModelError, match=r"sampler\.endpoint"):
        opened("http://127.0.0.1:9/v1", tiny)
    with completions(Served(tiny, raw=True)) as url, pytest.raises(ModelError, match="processed_logprobs"):
        opened(url, tiny)
    with sampling(Served(tiny, listed=False), tiny) as sampler, pytest.raises(ModelError, match="logprob_token_ids"):
        sampler.generate(asked(sampler)[4:])


@contextmanager
def vllm_serves(model: str, log: Path) -> Iterator[str]:
    """vLLM's own server, as its users start it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--port", str(port)]
    command += [
        "--dtype",
        "float32",
        "--max-model-len",
        "2048",
        "--enforce-eager",
        "--logprobs-mode",
        "processed_logprobs",
    ]
    command += ["--worker-extension-cls", "bowerbird.inference.vllm_worker.Worker"]
    source = str(Path(bowerbird.__file__).parents[1])
    env = os.environ | {"VLLM_SERVER_DEV_MODE": "1", "PYTHONPATH": source}
    with log.open("wb") as out, subprocess.Popen(command, env=env, stdout=out, stderr=out) as server:
        try:
            _await(port, server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _await(port: int, server: "subprocess.Popen[bytes]") -> None:
    while server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError("vLLM's server ended")


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON, reason="vLLM lives in an environment of its own: BOWERBIRD_VLLM_PYTHON")
def test_vllm_serves_exactly_and_takes_new_weights(
    published: Callable[[Path, int], PolicyVersion], tmp_path: Path
) -> None:
    """The embedded model, whose output layer is its embedding."""
    from tests.inference.exact import copy

    model = resolve("smollm2-135m")
    version = published(copy(tmp_path / "changed", "tied", 1.01), 7)
    with vllm_serves(model, tmp_path / "log") as url:
        sampler = opened(url, model, places=16)
        before = sampler.generate(asked(sampler))
        tickets = [sampler.submit(request) for request in asked(sampler, tokens=60)[:4]]
        done: dict[int, Completion] = {}
        while not done and all(len(row.ids) < 5 for row in sampler._rows.values()):
            done.update(sampler.step())
        sampler.load(version)
        while len(done) < len(tickets):
            done.update(sampler.step())
        after = sampler.generate(asked(sampler))
        sampler.close()
    assert furthest(model, before) < 1e-3
    assert any(set(call.versions) == {0, 7} for call in done.values())
    assert furthest(version.path, after) < 1e-3
    assert furthest(model, after) > 1e-2
