"""The endpoint: what is sent, what is refused, what counts as an outage. And one over a real socket."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from bowerbird.config import JudgeConfig
from bowerbird.rewards.judge import Outage, open_judge
from bowerbird.rewards.judge.endpoint import EndpointAnswerer
from bowerbird.rewards.judge.fake import ABSTAINS
from bowerbird.rewards.judge.prompt import SCHEMA
from bowerbird.types import ConfigError, ModelError
from tests.serving import serving

MESSAGES = [{"role": "user", "content": "was it honest?"}]
Reply = Callable[[dict[str, Any]], httpx.Response]


def said(text: str | None) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": {"role": "assistant", "content": text}}]})


def answerer(reply: Reply, seen: list[httpx.Request] | None = None, **changes: Any) -> EndpointAnswerer:
    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        return reply(json.loads(request.content))

    config = JudgeConfig.model_validate({"endpoint": "http://judge.example/v1/", "model": "big", **changes})
    return EndpointAnswerer(config, httpx.MockTransport(handle))


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", "secret")
    seen: list[httpx.Request] = []
    asked = answerer(lambda _: said("yes"), seen, api_key_env="JUDGE_KEY", max_tokens=99)
    assert asked.ask(MESSAGES, SCHEMA) == "yes"
    body = json.loads(seen[0].content)
    assert str(seen[0].url) == "http://judge.example/v1/chat/completions"
    assert seen[0].headers["authorization"] == "Bearer secret"
    assert body["model"] == "big"
    assert body["messages"] == MESSAGES
    assert (body["temperature"], body["seed"], body["max_tokens"]) == (0.0, 0, 99)
    assert body["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)
    asked.ask(MESSAGES, SCHEMA, 2)
    again = json.loads(seen[1].content)
    assert (again["seed"], again["temperature"] > 0) == (2, True)


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    seen: list[httpx.Request] = []
    answerer(lambda _: said("yes"), seen).ask(MESSAGES, SCHEMA)
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("accepted", ["json_object", None])
def test_a_server_that_knows_no_schema_is_asked_more_plainly_and_remembered(accepted: str | None) -> None:
    seen: list[httpx.Request] = []

    def reply(body: dict[str, Any]) -> httpx.Response:
        kind = body.get("response_format", {}).get("type")
        return said("yes") if kind == accepted else httpx.Response(400, text="unknown response_format")

    asked = answerer(reply, seen)
    assert asked.ask(MESSAGES, SCHEMA) == "yes"
    tries = len(seen)
    assert tries == (2 if accepted else 3)
    assert asked.ask(MESSAGES, SCHEMA) == "yes"
    assert len(seen) == tries + 1


def test_a_refusal_of_everything_is_an_outage_and_forgets_nothing() -> None:
    seen: list[httpx.Request] = []
    asked = answerer(lambda _: httpx.Response(400, text="no such model"), seen)
    for _ in range(2):
        with pytest.raises(Outage, match="no such model"):
            asked.ask(MESSAGES, SCHEMA)
    assert len(seen) == 6


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(500, text="oops"),
        httpx.Response(401, text="who are you"),
        httpx.Response(302, headers={"location": "http://elsewhere.example"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(200, json={"choices": [{"message": {"content": ["x"]}}]}),
        said(None),
        httpx.Response(200, content=b"[" * 100_000),
    ],
)
def test_anything_but_a_completion_is_an_outage(response: httpx.Response) -> None:
    with pytest.raises(Outage):
        answerer(lambda _: response).ask(MESSAGES, SCHEMA)


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_what_happens_on_the_wire_is_an_outage(kind: type[httpx.TransportError]) -> None:
    def reply(_: object) -> httpx.Response:
        raise kind("broken")

    with pytest.raises(Outage, match="cannot be reached"):
        answerer(reply).ask(MESSAGES, SCHEMA)


@pytest.mark.parametrize(("header", "wait"), [("7", 7.0), ("soon", 0.0), ("-1", 0.0), ("\u00b2", 0.0)])
def test_a_busy_server_says_how_long(header: str, wait: float) -> None:
    response = httpx.Response(429, headers=[(b"retry-after", header.encode("latin-1"))])
    with pytest.raises(Outage) as caught:
        answerer(lambda _: response).ask(MESSAGES, SCHEMA)
    assert caught.value.after_s == wait


def test_a_prompt_that_is_too_long_is_told_apart() -> None:
    text = '{"error": {"code": "context_length_exceeded", "message": "maximum context length is 8192"}}'
    with pytest.raises(ModelError, match="too long"):
        answerer(lambda _: httpx.Response(400, text=text)).ask(MESSAGES, SCHEMA)


def test_the_hash_names_model_and_endpoint_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "one")
    first = answerer(lambda _: said("")).model_hash
    monkeypatch.setenv("OPENAI_API_KEY", "two")
    assert answerer(lambda _: said("")).model_hash == first
    assert answerer(lambda _: said(""), model="other").model_hash != first
    assert answerer(lambda _: said(""), endpoint="http://other.example").model_hash != first


@pytest.mark.parametrize("url", ["judge.example/v1", "ftp://judge.example", "http://", "http://a:b:c", "/v1"])
def test_an_endpoint_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="endpoint"):
        answerer(lambda _: said(""), endpoint=url)


def test_a_probe_says_what_to_check() -> None:
    answerer(lambda _: said("{}")).probe()
    with pytest.raises(ConfigError, match=r"OPENAI_API_KEY"):
        answerer(lambda _: httpx.Response(401)).probe()


# -- over a socket --------------------------------------------------------------------------------------------------


class Slow:
    """Answers every question after a while; notes how many were under way at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = self.most = 0

    def __call__(self, question: str) -> str:
        del question
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.2)
        with self._lock:
            self._now -= 1
        return ABSTAINS


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def endpoint(slow: Slow) -> Iterator[str]:
    with serving(slow) as url:
        yield url


def test_many_questions_are_under_way_and_no_more_than_allowed(slow: Slow, endpoint: str) -> None:
    config = JudgeConfig(endpoint=endpoint, at_once=4)
    asked = EndpointAnswerer(config)
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: asked.ask(MESSAGES, SCHEMA), range(12)))
    assert answers == [ABSTAINS] * 12
    assert slow.most == 4
    asked.close()
    assert asked.ask(MESSAGES, SCHEMA) == ABSTAINS
    asked.close()


def test_patience_ends(endpoint: str) -> None:
    asked = EndpointAnswerer(JudgeConfig(endpoint=endpoint, timeout_s=0.05))
    with pytest.raises(Outage, match="Timeout"):
        asked.ask(MESSAGES, SCHEMA)


def test_a_judge_from_its_settings(endpoint: str) -> None:
    judge = open_judge(JudgeConfig(endpoint=endpoint, model="m"))
    assert judge.model == "m"
    with pytest.raises(ConfigError, match="does not answer"):
        open_judge(JudgeConfig(endpoint="http://127.0.0.1:9/v1", timeout_s=2.0))
