"""A chat endpoint as a model: what is sent are the messages, whatever rollouts say in ids."""

import json
from collections.abc import Callable

import httpx
import pytest

from bowerbird.inference import remote
from bowerbird.inference.protocol import Request
from bowerbird.inference.remote import Endpoint, RemoteSampler
from bowerbird.types import ConfigError, InfraError, PolicyVersion, Sampling

SAMPLING = Sampling(0.5, max_tokens=50, seed=3)


def opened(answer: Callable[[httpx.Request], httpx.Response]) -> RemoteSampler:
    return RemoteSampler(Endpoint("http://model.test/v1", "m"), transport=httpx.MockTransport(answer))


def said(text: str, **more: object) -> httpx.Response:
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    return httpx.Response(200, json={"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 2}})


def test_a_talk_is_sent_as_the_messages_it_is() -> None:
    bodies: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return said("the first answer" if len(bodies) == 1 else "and the second")

    sampler = opened(answer)
    ids = sampler.chat.prompt([{"role": "system", "content": "be short"}, {"role": "user", "content": "one"}])
    (first,) = sampler.generate([Request(ids, SAMPLING)])
    assert first.text == sampler.chat.decode(first.token_ids) == "the first answer"
    ids = sampler.chat.extend(ids + first.token_ids, "two")
    (second,) = sampler.generate([Request(ids, SAMPLING, schema='{"type": "object"}')])
    assert second.text == "and the second"
    assert bodies[1]["messages"] == [
        {"role": "system", "content": "be short"},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "the first answer"},
        {"role": "user", "content": "two"},
    ]
    assert (bodies[0]["temperature"], bodies[0]["max_tokens"], bodies[0]["seed"]) == (0.5, 50, 3)
    assert "response_format" not in bodies[0]
    assert "response_format" in bodies[1]
    assert (sampler.usage.calls, sampler.usage.prompt, sampler.usage.completion) == (2, 14, 4)
    sampler.close()


def test_outages_are_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)
    left = iter([httpx.Response(503), httpx.Response(429), said("there", finish_reason="length")])
    sampler = opened(lambda _: next(left))
    (found,) = sampler.generate([Request(sampler.chat.prompt([{"role": "user", "content": "x"}]), SAMPLING)])
    assert (found.text, found.finish) == ("there", "length")
    gone = opened(lambda _: httpx.Response(500, text="down"))
    with pytest.raises(InfraError, match="500 down"):
        gone.generate([Request(gone.chat.prompt([{"role": "user", "content": "x"}]), SAMPLING)])


def test_what_the_endpoint_refuses_is_said() -> None:
    request = Request((0,), SAMPLING)
    sampler = opened(lambda _: httpx.Response(401, text="no such key"))
    sampler.chat.prompt([{"role": "user", "content": "x"}])
    with pytest.raises(ConfigError, match="no such key"):
        sampler.generate([request])
    long = opened(lambda _: httpx.Response(400, text="This model's maximum context length is 10 tokens"))
    long.chat.prompt([{"role": "user", "content": "x"}])
    assert long.generate([request])[0].finish == "too_long"
    with pytest.raises(ConfigError, match="not trained"):
        sampler.load(PolicyVersion(1, "x"))
    odd = opened(lambda _: httpx.Response(200, json={"choices": []}))
    odd.chat.prompt([{"role": "user", "content": "x"}])
    with pytest.raises(InfraError, match="something else"):
        odd.generate([request])
