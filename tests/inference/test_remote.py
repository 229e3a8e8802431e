"""A chat endpoint as a model: what is sent are the messages, whatever rollouts say in ids."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bowerbird.inference import remote
from bowerbird.inference.protocol import AnswerLost, Request
from bowerbird.inference.remote import Endpoint, RemoteSampler
from bowerbird.rollout.actions import Action, parse_action
from bowerbird.rollout.tools import TOOLS, schemas
from bowerbird.types import Completion, ConfigError, InfraError, PolicyVersion, Sampling

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
    with pytest.raises(InfraError, match="500 down") as out:
        gone.generate([Request(gone.chat.prompt([{"role": "user", "content": "x"}]), SAMPLING)])
    assert not isinstance(out.value, AnswerLost), "what never answered is not asked again and again"


def test_one_lost_answer_is_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text="down") if b"bad" in request.content else said("there")

    sampler = opened(answer)
    sampler.generate([Request(sampler.chat.prompt([{"role": "user", "content": "good"}]), SAMPLING)])
    words = ["good", "bad", "good", *["bad"] * 40]
    tickets = [
        sampler.submit(Request(sampler.chat.prompt([{"role": "user", "content": word}]), SAMPLING)) for word in words
    ]
    lost: list[int] = []
    found: dict[int, Completion] = {}
    while len(found) < 2 or not lost:
        try:
            found.update(sampler.step())
        except AnswerLost as error:
            lost.append(error.ticket)
    assert set(found) == {tickets[0], tickets[2]}
    with pytest.raises(InfraError, match="500 down") as out:
        _to_the_end(sampler)
    assert not isinstance(out.value, AnswerLost), "as often as that, it counts as out"
    sampler.close()


def _to_the_end(sampler: RemoteSampler) -> None:
    for _ in range(1000):
        with suppress(AnswerLost):
            sampler.step()


def test_what_the_endpoint_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAUSE_S", 0.0)
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
    page = opened(lambda _: httpx.Response(200, text="<html>"))
    page.chat.prompt([{"role": "user", "content": "x"}])
    with pytest.raises(InfraError, match="200 <html>"):
        page.generate([request])
    odd = opened(lambda _: httpx.Response(200, json={"choices": []}))
    odd.chat.prompt([{"role": "user", "content": "x"}])
    with pytest.raises(InfraError, match="something else"):
        odd.generate([request])


def test_an_answer_is_asked_for_as_long_as_the_context_has_room() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["max_tokens"])
        if asked[-1] > 300:
            return httpx.Response(400, text="This model's maximum context length is 1000 tokens")
        return httpx.Response(200, json={"choices": [{"message": {"content": "fits"}}]})

    sampler = opened(answer)
    prompt = sampler.chat.prompt([{"role": "user", "content": "x"}])
    (found,) = sampler.generate([Request(prompt, replace(SAMPLING, max_tokens=1000))])
    assert (found.text, asked) == ("fits", [1000, 500, 250])


def test_a_stop_text_in_the_models_reasoning_stops_nothing() -> None:
    answer = "<think>```a```</think>```b``` and more"
    sampler = opened(lambda _: said(answer, finish_reason="length"))
    prompt = sampler.chat.prompt([{"role": "user", "content": "x"}])
    (found,) = sampler.generate([Request(prompt, SAMPLING, stop="```", stop_count=2)])
    assert (found.text, found.finish) == ("<think>```a```</think>```b```", "stop")


def test_a_server_without_grammars_is_asked_without() -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        if "response_format" in bodies[-1]:
            return httpx.Response(422, text="response_format is not supported")
        return httpx.Response(200, json={"choices": [{"message": {"content": "{}"}}]})

    sampler = opened(answer)
    prompt = sampler.chat.prompt([{"role": "user", "content": "x"}])
    (found,) = sampler.generate([Request(prompt, SAMPLING, schema="{}")])
    assert (found.text, len(bodies)) == ("{}", 2)


def test_tools_go_out_and_calls_come_back_in_the_form_of_the_api() -> None:
    bodies: list[dict[str, Any]] = []
    call = {"id": "x", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        if len(bodies) > 1:
            return said("done")
        message = {"role": "assistant", "content": "I look.", "tool_calls": [call, call]}
        return said("", message=message)

    sampler = RemoteSampler(Endpoint("http://model.test/v1", "m"), tools=True, transport=httpx.MockTransport(answer))
    assert sampler.chat.takes_tools
    shown = schemas([TOOLS["read"], TOOLS["list"]])
    ids = sampler.chat.prompt([{"role": "user", "content": "mend it"}], tools=shown)
    (first,) = sampler.generate([Request(ids, SAMPLING)])
    assert parse_action(first.text, TOOLS) == Action("read", {"path": "a.py"}, called=True)
    ids = sampler.chat.extend(ids + first.token_ids, "x = 1", role="tool")
    assert sampler.generate([Request(ids, SAMPLING)])[0].text == "done"
    assert bodies[0]["tools"] == bodies[1]["tools"] == shown
    assert bodies[0]["messages"] == [{"role": "user", "content": "mend it"}]
    sent = bodies[1]["messages"]
    assert sent[1]["content"] == "I look."
    assert sent[1]["tool_calls"][0]["function"]["name"] == "read"
    assert json.loads(sent[1]["tool_calls"][0]["function"]["arguments"]) == {"path": "a.py"}
    assert sent[2] == {"role": "tool", "tool_call_id": sent[1]["tool_calls"][0]["id"], "content": "x = 1"}


def test_a_call_that_a_server_took_for_text_stays_text() -> None:
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return said("<tool_call>\n{broken\n</tool_call>")

    sampler = RemoteSampler(Endpoint("http://model.test/v1", "m"), tools=True, transport=httpx.MockTransport(answer))
    ids = sampler.chat.prompt([{"role": "user", "content": "x"}], tools=schemas([TOOLS["list"]]))
    (first,) = sampler.generate([Request(ids, SAMPLING)])
    sampler.generate([Request(sampler.chat.extend(ids + first.token_ids, "no JSON", role="tool"), SAMPLING)])
    assert [message["role"] for message in bodies[1]["messages"]] == ["user", "assistant", "user"]
