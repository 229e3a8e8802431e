"""A sampler as an OpenAI-compatible chat endpoint, for agents that are not ours.

    agent ──messages──▶ its own address ──token ids──▶ sampler
          ◀──text────── (counts, keeps)  ◀──completion──

Each trial of an agent has an address of its own, with a budget of tokens: so every arm of an evaluation has the same
model, the same version and as many tokens, and every call is kept exactly as it was sampled. When the budget is spent
an agent is told what it would be told at the end of a model's context.
"""

import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bowerbird.inference.chat import Message
from bowerbird.inference.protocol import Request, Sampler
from bowerbird.inference.shared import SharedSampler
from bowerbird.types import Completion, InfraError, Sampling

_COLD = 0.01  # as good as the likeliest token, and still a division
_MOST_BYTES = 16 << 20  # of one question
_SPENT = "context_length_exceeded"  # the code that agents know, and at which they end
_NOT_OFFERED = ("stream", "tools", "functions", "response_format", "logprobs")


class _Refused(ValueError):
    """What is wrong with a question, for whoever asked it."""

    def __init__(self, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Line:
    """One trial's own way to the model. `calls` are what it has asked so far, in order; `broken` says what went wrong
    here, on our side."""

    url: str
    tokens: int  # in all that may be sampled
    call_tokens: int  # in one call, where the context has no room for more
    seed: int
    calls: list[Completion] = field(default_factory=list)
    broken: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def left(self) -> int:
        return self.tokens - sum(len(call.token_ids) for call in self.calls)


class Gateway:
    """Listens on a free port of `address`, which must be one of this machine's, until it is closed.

    Raises OSError where it cannot. Addresses are not to be guessed, but whoever knows one can ask.
    """

    def __init__(self, sampler: Sampler, address: str = "127.0.0.1") -> None:
        self._shared = SharedSampler(sampler)
        self._lines: dict[str, Line] = {}
        self._server = _Server((address, 0), _handler(self))
        self._base = f"http://{address}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self._thread.start()

    def line(self, tokens: int, seed: int, call_tokens: int = 1024) -> Line:
        """A new address. The sampling of its calls depends on `seed` and on nothing else's."""
        name = secrets.token_urlsafe(12)
        self._lines[name] = line = Line(f"{self._base}/{name}/v1", tokens, call_tokens, seed)
        return line

    def close(self) -> None:
        """Calls under way are given up; the sampler is nobody's when this returns."""
        self._shared.stop()
        for line in self._lines.values():
            with line.lock:
                pass
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def found(self, path: str) -> Line | None:
        """Whose address `path` belongs to."""
        name, _, rest = path.lstrip("/").partition("/")
        return self._lines.get(name) if rest == "v1/chat/completions" else None

    def answer(self, line: Line, asked: Mapping[str, Any]) -> dict[str, Any]:
        """One call, in the form of OpenAI's chat completions. Raises ValueError for one that cannot be answered."""
        if unknown := [name for name in _NOT_OFFERED if asked.get(name)]:
            raise _Refused(f"{unknown[0]} is not offered here: plain text in, plain text out")
        with line.lock:
            request, stop = self._request(line, asked)
            call = self._answered(line, request)
            if call.finish == "too_long" and request.sampling.max_tokens > line.call_tokens:
                less = replace(request.sampling, max_tokens=line.call_tokens)
                call = self._answered(line, replace(request, sampling=less))
            line.calls.append(call)
            if call.finish == "too_long":
                raise _Refused("the maximum context length of the model is exceeded", _SPENT)
        return _said(call, stop, str(asked.get("model", "")))

    def _answered(self, line: Line, request: Request) -> Completion:
        try:
            return self._shared.answer(request)
        except Exception as error:
            line.broken = f"{type(error).__name__}: {error}"
            raise

    def _request(self, line: Line, asked: Mapping[str, Any]) -> tuple[Request, str]:
        if line.left <= 0:
            raise _Refused(f"the maximum context length is exceeded: the budget of {line.tokens} is spent", _SPENT)
        stop = asked.get("stop") or ""
        if not isinstance(stop, str):
            if len(stop) > 1:
                raise _Refused("one stop text is offered, not several")
            stop = str(stop[0])
        wanted = asked.get("max_completion_tokens") or asked.get("max_tokens") or line.left
        if int(wanted) < 1:
            raise _Refused("max_tokens must be 1 or more")
        temperature = asked.get("temperature")
        sampling = Sampling(
            temperature=max(_COLD, 1.0 if temperature is None else float(temperature)),
            max_tokens=min(int(wanted), line.left),
            seed=line.seed + len(line.calls),
        )
        return Request(self._shared.chat.prompt(_messages(asked["messages"])), sampling, stop=stop), stop


def _messages(raw: Sequence[Mapping[str, Any]]) -> list[Message]:
    """Contents may come in parts, as long as all are text."""
    found: list[Message] = []
    for message in raw:
        content = message["content"]
        if not isinstance(content, str):
            content = "".join(part["text"] for part in content)
        found.append({"role": str(message["role"]), "content": content})
    return found


def _said(call: Completion, stop: str, model: str) -> dict[str, Any]:
    text = call.text.partition(stop)[0] if stop else call.text
    prompt, sampled = len(call.prompt_ids), len(call.token_ids)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": call.finish}
    usage = {"prompt_tokens": prompt, "completion_tokens": sampled, "total_tokens": prompt + sampled}
    return {
        "id": "call",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice],
        "usage": usage,
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # agents that knock at once; of more than the library's 5 a busy machine turns some away


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            line, length = gateway.found(self.path), self.headers.get("content-length", "")
            if line is None or not length.isdecimal() or int(length) > _MOST_BYTES:
                self.close_connection = True  # what was sent is not read
                return self._send(404, _error("no such address, or no body that is read here", "not_found"))
            try:
                self._send(200, gateway.answer(line, json.loads(self.rfile.read(int(length)))))
            except _Refused as refused:
                self._send(400, _error(str(refused), refused.code))
            except InfraError as error:
                self._send(503, _error(str(error), "unavailable"))
            except (ValueError, LookupError, TypeError) as error:
                self._send(400, _error(f"cannot be understood: {error!r}", "invalid_request"))

        def _send(self, status: int, what: Mapping[str, Any]) -> None:
            body = json.dumps(what).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody looks at this server's own words."""

    return Handler


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": code}}
