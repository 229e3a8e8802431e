"""A server as the sampler: any with OpenAI's completions interface that takes and returns token ids, as vLLM's does.

    rows ──prompt so far──▶ server ──tokens, one event each──▶ rows

Weights arrive by reload from the published folder, which the server must see under the same path. For that the streams
are ended; then every row goes on from the tokens it has, whose keys and values the server computes anew. So no rollout
is lost and every token's version is known. The server is ours alone: whoever else reloads its weights spoils the
versions.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx
import numpy as np

from bowerbird.inference.chat import Chat
from bowerbird.inference.grammar import GrammarCompiler
from bowerbird.inference.protocol import Request, Sampler, fits, no_answer
from bowerbird.inference.row import Row
from bowerbird.types import Completion, InfraError, ModelError, PolicyVersion

_TURN_S = 0.05  # the longest that a step waits for a row to finish
_POLL_S, _PAUSE_S = 1.0, 0.2
_TIMEOUT = httpx.Timeout(600.0, connect=10.0)
_NAME = "token_id:"  # how a token is named where it is a key
_TRIES = 20  # in a row that a server breaks off one and the same answer
# A server fills what is left out from the model's own generation settings, and would sample from something else.
_PLAIN = {
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is and how it reloads. `patience` is how long to wait for one that is gone, in seconds."""

    endpoint: str
    reload: Literal["vllm", "sglang"] = "vllm"
    key: str = ""
    patience: float = 300.0


class ServerSampler(Sampler):
    """A `Sampler` over one server. `tokenizer` is that of its model.

    Raises ModelError for a server that cannot give exact log-probabilities, and InfraError for one that stays away.
    One that comes back is given the newest weights, and every row goes on.
    """

    def __init__(
        self,
        server: Server,
        tokenizer: Any,
        *,
        places: int,
        version: PolicyVersion,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`version` is loaded: the server may have been trained before. One that is no folder, but a name that the
        server knows, is what it was started with. `transport` stands in for a network."""
        self.chat, self._grammars = Chat(tokenizer), GrammarCompiler(tokenizer)
        self._server, self._version = server, version.number
        self._loaded = version if Path(version.path).is_dir() else None
        self._salt = uuid4().hex  # another run's version 6 is another version 6
        self._loop = asyncio.new_event_loop()
        self._places, self._mending = asyncio.Semaphore(places), asyncio.Lock()
        self._mended = 0  # how often the server was gone and came back
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {server.key}"} if server.key else {},
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=None),
            transport=transport,
        )
        self._tickets = 0
        self._rows: dict[int, Row] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._unfit: list[tuple[int, Completion]] = []
        self._model, self._context = self._loop.run_until_complete(self._meet())

    @property
    def version(self) -> int:
        return self._version

    def submit(self, request: Request) -> int:
        self._tickets += 1
        if not fits(request, self._context):
            self._unfit.append((self._tickets, no_answer(request)))
            return self._tickets
        row = Row.begun(self._tickets, request, self._grammars, self._version)
        self._begin(row)
        return self._tickets

    def step(self) -> list[tuple[int, Completion]]:
        if self._tasks and not self._unfit:
            waiting = asyncio.wait(self._tasks.values(), timeout=_TURN_S, return_when=asyncio.FIRST_COMPLETED)
            self._loop.run_until_complete(waiting)
        found, self._unfit = self._unfit, []
        for ticket in [ticket for ticket, task in self._tasks.items() if task.done()]:
            self._tasks.pop(ticket).result()
            row = self._rows.pop(ticket)
            row.text = self.chat.decode(row.ids)
            found.append((ticket, row.completion()))
        return sorted(found, key=lambda pair: pair[0])

    def load(self, version: PolicyVersion) -> None:
        self._stop()
        self._loop.run_until_complete(self._reloaded(version))
        self._loaded, self._version = version, version.number
        for row in self._rows.values():
            self._begin(row)

    def close(self) -> None:
        self._stop()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def _begin(self, row: Row) -> None:
        self._rows[row.ticket] = row
        self._tasks[row.ticket] = self._loop.create_task(self._run(row))

    def _stop(self) -> None:
        """End every stream; the rows keep what has come."""
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            self._loop.run_until_complete(asyncio.wait(self._tasks.values()))
        self._tasks.clear()

    # -- one row -----------------------------------------------------------------------------------

    async def _run(self, row: Row) -> None:
        async with self._places:
            failed = 0
            while not row.finish:
                async with self._mending:  # nobody asks a server that came back before it has the weights
                    seen = self._mended
                before = len(row.ids)
                try:
                    await self._ask(row)
                except httpx.TransportError as error:
                    failed = failed + 1 if len(row.ids) == before else 0
                    if failed == _TRIES:
                        raise self._gone(error) from error
                    await self._mend(seen, error)

    async def _ask(self, row: Row) -> None:
        """One request for the rest of a free answer, or for the next choice under a grammar."""
        sampling, before = row.request.sampling, len(row.ids)
        body: dict[str, Any] = {
            "model": self._model,
            "prompt": [*row.request.prompt_ids, *row.ids],
            "stream": True,
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
            "ignore_eos": True,  # the ends are ours to see, and belong to the answer
            **_PLAIN,
            "cache_salt": f"{self._salt}.{self._version}",  # nothing of other weights comes out of the prefix cache
        }
        if row.free:
            body |= {
                "temperature": sampling.temperature,
                "max_tokens": sampling.max_tokens - len(row.ids) if row.grammar is None else 1,
                "seed": (sampling.seed + len(row.ids)) % (1 << 63),  # what goes on must not draw the same numbers again
                "stop_token_ids": sorted(self.chat.end_ids),
                "logprobs": 0,
            }
            async with aclosing(self._stream(body)) as tokens:
                async for token, logprob, _ in tokens:
                    row.took(token, logprob, self._version, self.chat.end_ids, self.chat.decode)
                    if row.finish:
                        break
        else:
            assert row.grammar is not None
            allowed = row.grammar.allowed()
            body |= {"temperature": 1.0, "max_tokens": 1, "logprobs": 1, "logprob_token_ids": list(allowed)}
            async with aclosing(self._stream(body)) as tokens:
                async for _, _, listed in tokens:
                    row.choose(_values(listed, allowed, self._server.endpoint), allowed, self._version)
        if len(row.ids) == before:
            raise ModelError(f"{self._server.endpoint} ended an answer of {before} tokens without a reason")

    async def _stream(self, body: Mapping[str, Any]) -> AsyncGenerator[tuple[int, float, Mapping[str, float]]]:
        """Tokens as they come, with their log-probabilities and those of the tokens listed beside them. Raises
        TransportError also where the server says that its engine has failed."""
        async with self._client.stream("POST", f"{self._server.endpoint}/completions", json=body) as response:
            if not response.is_success:
                await response.aread()
                if response.status_code >= 500:
                    raise httpx.RemoteProtocolError(_said(response))
                raise ModelError(f"{self._server.endpoint} refused a request: {_said(response)}")
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    event = json.loads(line.removeprefix("data: "))
                    if "error" in event:
                        raise httpx.RemoteProtocolError(str(event["error"])[:200])
                    for found in _tokens(event, self._server.endpoint):
                        yield found

    # -- the server --------------------------------------------------------------------------------

    async def _meet(self) -> tuple[str, int]:
        """The model's name and the length of its context. Raises ModelError where the server will not do."""
        try:
            response = await self._client.get(f"{self._server.endpoint}/models")
            model = response.raise_for_status().json()["data"][0]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError) as error:
            raise ModelError(
                f"no server with a model at {self._server.endpoint} ({type(error).__name__}: {error}): give the base "
                "URL in sampler.endpoint, such as http://localhost:8000/v1"
            ) from error
        if self._loaded is not None:
            await self._reload(self._loaded)
        await self._probe(str(model["id"]))
        return str(model["id"]), int(model.get("max_model_len") or 1 << 30)

    async def _probe(self, model: str) -> None:
        """Where one token alone is allowed its log-probability is 0, if it is that of the distribution sampled from."""
        (allowed,) = self.chat.encode("a")[:1]
        body = {"model": model, "prompt": [allowed], "stream": True, "max_tokens": 1, "temperature": 0.5, "logprobs": 0}
        body |= _PLAIN
        asked = {"allowed_token_ids": [allowed], "return_token_ids": True, "return_tokens_as_token_ids": True}
        try:
            found = [(token, logprob) async for token, logprob, _ in self._stream(body | asked)]
        except httpx.TransportError as error:
            raise ModelError(f"{self._server.endpoint} does not answer: {error}") from error
        if len(found) != 1 or found[0][0] != allowed or abs(found[0][1]) > 1e-3:
            raise ModelError(
                f"{self._server.endpoint} does not give log-probabilities of the distribution it samples from: start "
                "it with --logprobs-mode processed_logprobs"
            )

    async def _reloaded(self, version: PolicyVersion) -> None:
        """By a server that may be gone just now."""
        try:
            await self._reload(version)
        except InfraError as error:
            await self._returned(error)
            await self._reload(version)

    async def _reload(self, version: PolicyVersion) -> None:
        root = self._server.endpoint.removesuffix("/v1")
        if self._server.reload == "sglang":
            await self._post(f"{root}/update_weights_from_disk", {"model_path": version.path})
            return
        reload = {"method": "reload_weights", "kwargs": {"weights_path": version.path}}
        await self._post(f"{root}/collective_rpc", reload)
        await self._post(f"{root}/collective_rpc", {"method": "repack_head"})

    async def _post(self, url: str, body: Mapping[str, Any]) -> None:
        try:
            response = await self._client.post(url, json=body)
        except httpx.HTTPError as error:
            raise InfraError(f"{url} did not answer: {type(error).__name__} {error}") from error
        if not response.is_success:
            raise ModelError(
                f"{url} did not load new weights: {_said(response)}. vLLM's server has to be started with "
                "VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls bowerbird.inference.vllm_worker.Worker, and must "
                "see the run's folder under the same path"
            )

    async def _mend(self, seen: int, error: httpx.TransportError) -> None:
        """Wait until a server that is gone is back, and give it the newest weights. One row does it for all."""
        async with self._mending:
            if self._mended != seen:
                return
            await asyncio.sleep(_PAUSE_S)
            await self._returned(error)
            if self._loaded is not None:
                await self._reloaded(self._loaded)
            self._mended += 1

    async def _returned(self, error: Exception) -> None:
        end = self._loop.time() + self._server.patience
        while self._loop.time() < end:
            try:
                if (await self._client.get(f"{self._server.endpoint}/models")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(_POLL_S)
        raise self._gone(error)

    def _gone(self, error: Exception) -> InfraError:
        return InfraError(
            f"the sampler's server at {self._server.endpoint} is gone ({type(error).__name__} {error}) and did not "
            f"come back within {self._server.patience:.0f} s; nothing is lost: start it, then resume"
        )


def _tokens(event: Mapping[str, Any], endpoint: str) -> list[tuple[int, float, Mapping[str, float]]]:
    """Raises ModelError where a server leaves out what is needed."""
    found = []
    try:
        for choice in event["choices"]:
            ids = choice.get("token_ids") or []
            if ids:
                told = choice["logprobs"]
                listed = told.get("top_logprobs") or [None] * len(ids)
                values = [float(value) for value in told["token_logprobs"]]
                found += [(int(i), p, near or {}) for i, p, near in zip(ids, values, listed, strict=True)]
    except (LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"{endpoint} does not return token ids with log-probabilities (return_token_ids, logprobs): "
            f"{str(event)[:200]}"
        ) from error
    return found


def _values(
    listed: Mapping[str, float], allowed: Sequence[int], endpoint: str
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    try:
        return np.array([listed[f"{_NAME}{i}"] for i in allowed])
    except KeyError as error:
        raise ModelError(
            f"{endpoint} does not give the log-probabilities that it is asked for (logprob_token_ids), which scaffolds "
            "under a grammar need: use vLLM 0.20 or newer, or scaffold.grammar = false"
        ) from error


def _said(response: httpx.Response) -> str:
    return f"{response.status_code} {' '.join(response.text.split())[:300]}"
