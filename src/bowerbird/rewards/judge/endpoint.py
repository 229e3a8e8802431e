"""A judge behind an OpenAI-compatible endpoint. Frozen by its owner's word only: no hash can reach its weights."""

import hashlib
import json
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from queue import LifoQueue
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx

from bowerbird.config import JudgeConfig
from bowerbird.rewards.judge.asker import AGAIN_TEMPERATURE, Outage
from bowerbird.types import ConfigError, JsonValue, ModelError

_TOO_LONG = ("context_length", "context length", "maximum context", "too long", "too many tokens")
_FORMS = 3  # an answer under our schema, any JSON object, free text


class EndpointAnswerer:
    """Asks `{endpoint}/chat/completions`, `at_once` questions side by side. One attempt a call."""

    def __init__(self, config: JudgeConfig, transport: httpx.BaseTransport | None = None) -> None:
        """`transport` stands in for the network. Raises ConfigError when the endpoint is no http URL."""
        url = _url(config.endpoint)
        self.model = config.model
        self._config, self._path = config, f"{str(url).rstrip('/')}/chat/completions"
        key = os.environ.get(config.api_key_env, "")
        self._headers = {"Content-Type": "application/json", "User-Agent": "bowerbird"} | _authorization(url, key)
        self._url, self._proxy = httpx.URL(self._path), _proxy(url)
        self._timeout = httpx.Timeout(config.timeout_s).as_dict()
        self._transport = transport
        self._trust = httpx.create_ssl_context()  # shared: making one takes longer than a question
        # One connection a lane: a pool of all of them is searched at every request, and costs more than the answers.
        # And no client around it: cookies, redirects and the like are half of what a question costs us.
        self._lanes: LifoQueue[httpx.BaseTransport | None] = LifoQueue()
        for _ in range(config.at_once):
            self._lanes.put(None)
        self._form = 0  # the strictest form of answer that the server is not known to refuse

    @property
    def model_hash(self) -> str:
        return hashlib.sha256(f"{self.model}\n{self._path}".encode()).hexdigest()

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        return {"temperature": 0.0, "seed": 0, "max_tokens": self._config.max_tokens}

    def ask(self, messages: Sequence[Mapping[str, str]], schema: str, attempt: int = 0) -> str:
        """See `Answerer`. A server that refuses the schema with 400 is asked for plain JSON, then for text."""
        for form in range(self._form, _FORMS):
            response = self._post(self._body(messages, schema, attempt, form))
            if response.status_code != 400 or form == _FORMS - 1:
                break
            _refuse_length(response)
        if response.is_success:
            self._form = max(self._form, form)
            return _content(response)
        _refuse_length(response)
        raise Outage(f"the judge's endpoint answered {response.status_code}: {_said(response)}", _after(response))

    def probe(self) -> None:
        """Ask something small. Raises ConfigError where the endpoint or its settings are wrong: before a run, not in
        the middle of it."""
        messages = [{"role": "user", "content": 'Answer with {"ok": true}.'}]
        properties = {"ok": {"enum": [True]}}
        schema = {"type": "object", "properties": properties, "required": ["ok"], "additionalProperties": False}
        try:
            self.ask(messages, json.dumps(schema))
        except (Outage, ModelError) as error:
            raise ConfigError(
                f"the judge does not answer ({error}): check judge.endpoint and judge.model, and the key in the "
                f"environment variable {self._config.api_key_env}"
            ) from error

    def close(self) -> None:
        """Close idle connections. The answerer opens new ones if it is asked again."""
        idle = [self._lanes.get() for _ in range(self._lanes.qsize())]
        for lane in idle:
            if lane is not None:
                lane.close()
            self._lanes.put(None)

    def _open(self) -> httpx.BaseTransport:
        one = httpx.Limits(max_connections=1, max_keepalive_connections=1)
        return self._transport or httpx.HTTPTransport(verify=self._trust, limits=one, proxy=self._proxy)

    def _body(self, messages: Sequence[Mapping[str, str]], schema: str, attempt: int, form: int) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [dict(message) for message in messages],
            "temperature": AGAIN_TEMPERATURE if attempt else 0.0,
            "seed": attempt,
            "max_tokens": self._config.max_tokens,
        }
        if form == 0:
            named = {"name": "answer", "strict": True, "schema": _loaded(schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        elif form == 1:
            body["response_format"] = {"type": "json_object"}
        return body

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        lane = self._lanes.get()  # waits where at_once questions are under way
        try:
            lane = lane or self._open()
            timeout = {"timeout": self._timeout}
            content = json.dumps(body).encode()
            response = lane.handle_request(
                httpx.Request("POST", self._url, headers=self._headers, content=content, extensions=timeout)
            )
            response.read()
            return response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Outage(f"the judge's endpoint cannot be reached: {type(error).__name__} {error}".rstrip()) from error
        finally:
            self._lanes.put(lane)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"judge.endpoint is no URL: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigError(
            f"judge.endpoint is {text!r}: give the base URL of a server, such as http://localhost:8000/v1"
        )
    return url


def _proxy(url: httpx.URL) -> httpx.Proxy | None:
    """That of the environment, unless the host is excepted there."""
    known = getproxies()
    text = "" if proxy_bypass(url.host) else known.get(url.scheme) or known.get("all", "")
    if not text:
        return None
    try:
        return httpx.Proxy(text if "://" in text else f"http://{text}")
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"the environment names a proxy for {url.scheme} that is none: {error}") from error


def _authorization(url: httpx.URL, key: str) -> dict[str, str]:
    """By the key, else by the name and password of the address, if it has them."""
    if key:
        return {"Authorization": f"Bearer {key}"}
    basic = b64encode(url.userinfo).decode()
    return {"Authorization": f"Basic {basic}"} if basic else {}


@cache
def _loaded(schema: str) -> JsonValue:
    return json.loads(schema)


def _content(response: httpx.Response) -> str:
    try:
        content = response.json()["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Outage("the judge's endpoint answered something else than a chat completion") from error
    if not isinstance(content, str):
        raise Outage("the judge's endpoint gave a completion without text")
    return content


def _refuse_length(response: httpx.Response) -> None:
    if response.status_code in (400, 413, 422) and any(word in response.text.lower() for word in _TOO_LONG):
        raise ModelError(f"too long for the judge's model: {_said(response)}")


def _said(response: httpx.Response) -> str:
    return " ".join(response.text.split())[:200]


def _after(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0
