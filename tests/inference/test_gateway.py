"""A sampler behind an OpenAI-compatible address: budgets, exact calls, clear refusals."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import httpx
import pytest

from bowerbird.inference.fake import FakeSampler, byte_chat
from bowerbird.inference.gateway import Gateway, Line
from bowerbird.inference.protocol import Request, no_answer
from bowerbird.types import Completion, InfraError

CHAT = byte_chat()
QUESTION = [{"role": "user", "content": "who?"}]


def echo(request: Request) -> str:
    return "you: " + CHAT.decode(request.prompt_ids).replace("\0", "|")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with closing(Gateway(FakeSampler(CHAT, echo))) as found:
        yield found


def ask(line: Line, **more: object) -> httpx.Response:
    body = {"model": "m", "messages": QUESTION, **more}
    return httpx.post(f"{line.url}/chat/completions", json=body, timeout=10.0)


def test_a_call_is_answered_counted_and_kept_as_it_was_sampled(gateway: Gateway) -> None:
    line = gateway.line(1000, 7)
    found = ask(line, temperature=0.5, max_tokens=40).json()
    said = found["choices"][0]
    assert said["message"]["content"] == "you: user: who?assistant: "
    assert said["finish_reason"] == "stop"
    (call,) = line.calls
    assert found["usage"] == {
        "prompt_tokens": len(call.prompt_ids),
        "completion_tokens": len(call.token_ids),
        "total_tokens": len(call.prompt_ids) + len(call.token_ids),
    }
    assert (call.sampling.temperature, call.sampling.max_tokens, call.sampling.seed) == (0.5, 40, 7)
    assert line.left == 1000 - len(call.token_ids)


def test_the_budget_ends_as_a_context_does(gateway: Gateway) -> None:
    line, other = gateway.line(30, 0), gateway.line(30, 0)
    assert ask(line).json()["choices"][0]["finish_reason"] == "stop"
    assert ask(line).json()["choices"][0]["finish_reason"] == "length"
    assert line.left == 0
    refused = ask(line)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert ask(other).status_code == 200  # its own


class SmallContext(FakeSampler):
    def _answer(self, request: Request) -> Completion:
        return no_answer(request) if request.sampling.max_tokens > 40 else super()._answer(request)


class Broken(FakeSampler):
    def _answer(self, request: Request) -> Completion:
        raise InfraError("the engine died")


def test_a_call_takes_less_where_the_context_has_no_room_for_all_that_is_left() -> None:
    with closing(Gateway(SmallContext(CHAT, echo))) as gateway:
        line, none = gateway.line(1000, 0, call_tokens=30), gateway.line(1000, 0, call_tokens=50)
        assert ask(line).status_code == 200
        assert line.calls[0].sampling.max_tokens == 30
        refused = ask(none)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")
        assert [call.finish for call in none.calls] == ["too_long"]
        assert (line.broken, none.broken) == (None, None)


def test_our_own_trouble_is_remembered_as_ours() -> None:
    with closing(Gateway(Broken(CHAT, echo))) as gateway:
        line = gateway.line(100, 0)
        assert ask(line).status_code == 503
        assert line.broken == "AnswerLost: the engine died"
        assert line.calls == []


def test_once_it_is_closed_nobody_samples() -> None:
    sampler = FakeSampler(CHAT, echo)
    gateway = Gateway(sampler)
    line = gateway.line(100, 0)
    gateway.close()
    with pytest.raises(InfraError):
        gateway.answer(line, {"messages": QUESTION})
    assert sampler.requests == []


def test_stop_texts_end_an_answer_and_are_no_part_of_it(gateway: Gateway) -> None:
    line = gateway.line(100, 0)
    assert ask(line, stop=["who"]).json()["choices"][0]["message"]["content"] == "you: user: "
    assert ask(line, stop=["a", "b"]).status_code == 400


def test_contents_may_come_in_parts(gateway: Gateway) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    found = ask(gateway.line(100, 0), messages=[{"role": "user", "content": parts}]).json()
    assert "one two" in found["choices"][0]["message"]["content"]


@pytest.mark.parametrize(
    "more",
    [
        {"stream": True},
        {"tools": [{}]},
        {"messages": 3},
        {"messages": [{"role": "user"}]},
        {"max_tokens": "x"},
        {"max_tokens": -1},
    ],
)
def test_what_is_not_offered_is_refused_and_costs_nothing(gateway: Gateway, more: dict[str, object]) -> None:
    line = gateway.line(100, 0)
    assert ask(line, **more).status_code == 400
    assert line.calls == []


def test_strangers_find_nothing(gateway: Gateway) -> None:
    line = gateway.line(100, 0)
    wrong = httpx.post(line.url.replace("/v1", "x/v1") + "/chat/completions", content=json.dumps({}))
    assert wrong.status_code == 404
    assert httpx.get(line.url).status_code == 501
    with socket.create_connection(("127.0.0.1", int(line.url.split(":")[2].split("/")[0]))) as wire:
        wire.sendall(
            f"POST /{line.url.split('/', 3)[3]}/chat/completions HTTP/1.1\r\ncontent-length: -1\r\n\r\n".encode()
        )
        assert b"404" in wire.recv(1000)


def test_many_ask_at_once_and_each_gets_its_own(gateway: Gateway) -> None:
    def one(number: int) -> str:
        found = ask(gateway.line(500, number), messages=[{"role": "user", "content": f"n{number}"}]).json()
        return str(found["choices"][0]["message"]["content"])

    with ThreadPoolExecutor(48) as pool:
        answers = list(pool.map(one, range(96)))
    assert [f"user: n{i}" in answer for i, answer in enumerate(answers)] == [True] * 96


def test_a_lost_answer_is_missed_by_whoever_asked() -> None:
    def reply(request: Request) -> str:
        if "n7" in CHAT.decode(request.prompt_ids):
            raise InfraError("lost")
        return echo(request)

    with closing(Gateway(FakeSampler(CHAT, reply))) as gateway, ThreadPoolExecutor(16) as pool:
        lines = [gateway.line(500, i) for i in range(16)]
        asked = [[{"role": "user", "content": f"n{i};"}] for i in range(16)]
        found = list(pool.map(lambda i: ask(lines[i], messages=asked[i]).status_code, range(16)))
    assert found == [503 if i == 7 else 200 for i in range(16)]
    assert [bool(line.broken) for line in lines] == [i == 7 for i in range(16)]
