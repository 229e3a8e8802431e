"""Any OpenAI-compatible chat endpoint as a model to work with, though not one to learn from: it gives text, and neither
token ids nor log-probabilities.

Rollouts speak of token ids, so here an id stands for a piece of text: a whole message of the prompt, or about a token's
worth of an answer. What is sent is always the messages themselves.
"""

import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

import httpx

from bowerbird.inference.chat import Chat, Message, Schema, spoken
from bowerbird.inference.protocol import AnswerLost, Request, Sampler, no_answer
from bowerbird.types import Completion, ConfigError, InfraError, PolicyVersion

_PIECE = 4  # characters of an answer that count as one token
_HALVINGS, _LEAST = 8, 64  # of an answer that the context has no room for; fewer tokens are no answer
_TURN_S = 0.1
_TRIES, _PAUSE_S, _LONGEST_PAUSE_S = 8, 1.0, 60.0
_FIRST_TRIES = 5  # while nothing ever came: the address may be wrong
_LOST = 3  # times as many answers as are asked for at once, none coming between: the endpoint counts as out
_TOO_LONG = ("context length", "context_length", "maximum context", "too long", "too many tokens")
TOOLS = "tools"  # the role of a message that holds what a prompt was given to call
_CALL, _CALLED = "<tool_call>\n", "\n</tool_call>"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`url` is the base URL, such as https://api.example.com/v1; `key_env` names the variable that holds the key."""

    url: str
    model: str
    key_env: str = "OPENAI_API_KEY"
    timeout_s: float = 600.0


@dataclass(slots=True)
class Usage:
    """Tokens as the endpoint counted them."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0


class RemoteChat(Chat):
    """Messages as ids, and back. `tools`: whether the endpoint takes them, which nobody can ask it."""

    constrains = False

    def __init__(self, *, tools: bool = False) -> None:
        self.takes_tools = tools
        self._texts: list[str] = []
        self._ids: dict[str, int] = {}
        self._messages: dict[int, Message] = {}
        self._lock = threading.Lock()  # answers are encoded in threads

    def prompt(self, messages: Sequence[Message], prefill: str = "", tools: Sequence[Schema] = ()) -> tuple[int, ...]:
        """`prefill` is asked for in words: an endpoint cannot be made to begin with it."""
        if prefill:
            *before, last = messages
            asked = f"{last['content']}\nBegin your answer with exactly:\n{prefill}"
            messages = [*before, {"role": last["role"], "content": asked}]
        shown = [{"role": TOOLS, "content": json.dumps(list(tools))}] if tools else []
        return tuple(self._message(dict(message)) for message in (*shown, *messages))

    def extend(self, ids: Sequence[int], text: str, prefill: str = "", role: str = "user") -> tuple[int, ...]:
        return (*ids, *self.prompt([{"role": role, "content": text}], prefill))

    def encode(self, text: str) -> tuple[int, ...]:
        return tuple(self._id(text[i : i + _PIECE]) for i in range(0, len(text), _PIECE))

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self._texts[i] for i in ids if i not in self._messages)

    @property
    def end_ids(self) -> frozenset[int]:
        return frozenset()

    def messages(self, ids: Sequence[int]) -> list[Message]:
        """What is to be sent: runs of an answer's pieces are the assistant's."""
        found: list[Message] = []
        said: list[int] = []
        for i in [*ids, -1]:
            if i in self._messages or i < 0:
                if said:
                    found.append({"role": "assistant", "content": self.decode(said)})
                    said = []
                if i >= 0:
                    found.append(self._messages[i])
            else:
                said.append(i)
        return found

    def _message(self, message: dict[str, str]) -> int:
        number = self._id(f"\0{json.dumps(message)}")
        self._messages[number] = message
        return number

    def _id(self, text: str) -> int:
        with self._lock:
            if text not in self._ids:
                self._ids[text] = len(self._texts)
                self._texts.append(text)
            return self._ids[text]


def _messages_of(messages: Sequence[Message]) -> dict[str, Any]:
    """The talk in the form of the API: tools apart, and calls with the ids that their results refer to."""
    tools = [schema for message in messages if message["role"] == TOOLS for schema in json.loads(message["content"])]
    talk: list[dict[str, Any]] = []
    for message in (message for message in messages if message["role"] != TOOLS):
        call = _call_in(message) if tools else None
        if call is not None:
            said, function = call
            calls = [{"id": f"call_{len(talk)}", "type": "function", "function": function}]
            talk.append({"role": "assistant", "content": said, "tool_calls": calls})
        elif message["role"] == "tool" and talk and "tool_calls" in talk[-1]:
            talk.append({"role": "tool", "tool_call_id": f"call_{len(talk) - 1}", "content": message["content"]})
        else:  # what a server took for plain text stays that
            talk.append({**message, "role": "user" if message["role"] == "tool" else message["role"]})
    return {"messages": talk, "tools": tools} if tools else {"messages": talk}


def _call_in(message: Message) -> tuple[str, dict[str, str]] | None:
    """What an answer says before its call, and the call."""
    said, mark, call = message["content"].partition(_CALL)
    if message["role"] != "assistant" or not mark:
        return None
    try:
        found = json.loads(call.removesuffix(_CALLED))
        return said, {"name": str(found["name"]), "arguments": json.dumps(found["arguments"])}
    except (ValueError, LookupError, TypeError, RecursionError):
        return None


def _text_of(message: Mapping[str, Any]) -> str:
    """An answer as one text; of its tool calls the first, as models write them."""
    said = message.get("content") or ""
    calls = message.get("tool_calls") or []
    if not calls:
        return str(said)
    function = calls[0]["function"]
    try:
        arguments = json.loads(function["arguments"] or "{}")
    except (ValueError, RecursionError):  # the model's own affair: whoever reads the call says so
        arguments = str(function["arguments"])
    return f"{said}{_CALL}{json.dumps({'name': function['name'], 'arguments': arguments})}{_CALLED}"


class RemoteSampler(Sampler):
    """A `Sampler` of answers without log-probabilities (0.0 stands there). Raises AnswerLost for one that does not
    come, InfraError where the endpoint stays out, and ConfigError where it refuses: a wrong key, a wrong model."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        at_once: int = 8,
        tools: bool = False,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`tools`: the endpoint takes tools and gives tool calls. `transport` stands in for the network."""
        if not endpoint.url.startswith(("http://", "https://")):
            raise ConfigError(f"{endpoint.url!r} is no endpoint: give a base URL, such as http://localhost:8000/v1")
        self.chat, self.usage = RemoteChat(tools=tools), Usage()
        self._endpoint = endpoint
        key = os.environ.get(endpoint.key_env, "")
        self._client = httpx.Client(
            headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=endpoint.timeout_s, transport=transport
        )
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="endpoint")
        self._asked: dict[int, Future[Completion]] = {}
        self._tickets = self._lost = 0
        self._most_lost = _LOST * at_once

    @property
    def version(self) -> int:
        return 0

    def submit(self, request: Request) -> int:
        self._tickets += 1
        self._asked[self._tickets] = self._pool.submit(self._answer, request)
        return self._tickets

    def step(self) -> list[tuple[int, Completion]]:
        wait(self._asked.values(), timeout=_TURN_S, return_when=FIRST_COMPLETED)
        done = sorted(ticket for ticket, future in self._asked.items() if future.done())
        for ticket in done:
            if isinstance(error := self._asked[ticket].exception(), InfraError):
                del self._asked[ticket]
                self._lost += 1
                out = not self.usage.calls or self._lost > self._most_lost
                raise error if out else AnswerLost(ticket, str(error))
        self._lost = 0 if done else self._lost
        return [(ticket, self._asked.pop(ticket).result()) for ticket in done]

    def load(self, version: PolicyVersion) -> None:
        raise ConfigError("an endpoint takes no weights: it can be worked with, not trained")

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def _answer(self, request: Request) -> Completion:
        found = self._asked_for(request)
        if found is None:
            return no_answer(request)
        try:
            choice = found["choices"][0]
            text = _text_of(choice["message"])
        except (LookupError, TypeError, AttributeError) as error:
            raise InfraError(f"{self._endpoint.url} answered something else than a chat completion") from error
        self._count(found.get("usage") or {}, text)
        finish = "length" if choice.get("finish_reason") == "length" else "stop"
        answer = spoken(text)
        if request.stop and answer.count(request.stop) >= request.stop_count:
            # kept, as the other samplers do, and not an endpoint's own `stop`; what came after it was not asked for
            text = text.removesuffix(answer) + answer[: _nth(answer, request.stop, request.stop_count)]
            finish = "stop"
        ids = self.chat.encode(text)
        n = len(ids)
        return Completion(
            request.prompt_ids, ids, (0.0,) * n, (0,) * n, (True,) * n, (None,) * n, request.sampling, finish, text
        )

    def _asked_for(self, request: Request) -> dict[str, Any] | None:
        """What the endpoint says, asked for as much as its context has room for; None where that is nothing."""
        for halvings in range(_HALVINGS):
            limit = request.sampling.max_tokens >> halvings
            if halvings and limit < _LEAST:
                return None
            found = self._posted(replace(request, sampling=replace(request.sampling, max_tokens=limit)))
            if found is not None:
                return found
        return None

    def _posted(self, request: Request) -> dict[str, Any] | None:
        try:
            return self._post(self._body(request))
        except ConfigError:
            if not request.schema:
                raise
            return self._post(self._body(replace(request, schema="")))  # some take no grammar: it was told in words too

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            **_messages_of(self.chat.messages(request.prompt_ids)),
            "temperature": request.sampling.temperature,
            "max_tokens": request.sampling.max_tokens,
            "seed": request.sampling.seed % (1 << 31),
        }
        if request.schema:
            named = {"name": "answer", "schema": json.loads(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    def _post(self, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """None where the prompt does not fit into the model's context."""
        url = f"{self._endpoint.url.rstrip('/')}/chat/completions"
        problem = ""
        for attempt in range(_TRIES if self.usage.calls else _FIRST_TRIES):
            if attempt:
                time.sleep(min(_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S))
            try:
                response = self._client.post(url, json=body)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__} {error}"
                continue
            if response.is_success and (found := _object(response.text)) is not None:
                return found
            problem = f"{response.status_code} {' '.join(response.text.split())[:300]}"
            time.sleep(min(_seconds(response.headers.get("retry-after", "")), _LONGEST_PAUSE_S))
            if response.status_code in (400, 413, 422) and any(w in response.text.lower() for w in _TOO_LONG):
                return None
            if 300 <= response.status_code < 500 and response.status_code not in (408, 409, 429):
                raise ConfigError(f"{url} refused: {problem}. The key is read from {self._endpoint.key_env}")
        raise InfraError(f"{url} does not answer: {problem}")

    def _count(self, usage: Mapping[str, Any], text: str) -> None:
        self.usage.calls += 1
        self.usage.prompt += int(usage.get("prompt_tokens") or 0)
        self.usage.completion += int(usage.get("completion_tokens") or len(text) // _PIECE)


def _object(text: str) -> dict[str, Any] | None:
    """None for what is no JSON object: a proxy's page, say."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _seconds(text: str) -> float:
    """A number of seconds; a date, which is the other form, is none."""
    return float(text) if text.isdecimal() else 0.0


def _nth(text: str, part: str, count: int) -> int:
    """Where the part ends for the count-th time, or the text."""
    end = 0
    for _ in range(count):
        at = text.find(part, end)
        if at < 0:
            return len(text)
        end = at + len(part)
    return end
