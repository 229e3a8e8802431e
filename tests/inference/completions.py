"""The part of vLLM's server that `ServerSampler` speaks to, on a real socket, over the model of the tests."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import torch

from bowerbird.inference.loading import load_model
from tests.serving import listening


class Served:
    """One model, one token at a time. `raw` gives log-probabilities of another distribution than the sampled one, as
    vLLM does where nothing is said; `break_after` drops the connection after so many tokens, once."""

    def __init__(self, checkpoint: Path, *, raw: bool = False, listed: bool = True, break_after: int = 0) -> None:
        self._lock = threading.Lock()
        self._raw, self._listed, self._left = raw, listed, break_after
        self.reloads: list[str] = []
        self.gone = False
        self.load(str(checkpoint))

    def load(self, path: str) -> None:
        model = load_model(path, dtype=torch.float32, device=torch.device("cpu"), attention="eager")
        with self._lock:
            self._model: Any = model

    def tokens(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        ids, random = list(asked["prompt"]), torch.Generator().manual_seed(asked.get("seed", 0))
        for _ in range(asked["max_tokens"]):
            with self._lock, torch.no_grad():
                row = self._model(torch.tensor([ids])).logits[0, -1]
            if allowed := asked.get("allowed_token_ids"):
                kept = torch.full_like(row, float("-inf"))
                kept[allowed] = row[allowed]
            else:
                kept = row
            logprobs = torch.log_softmax(kept / asked["temperature"], 0)
            token = int(torch.multinomial(logprobs.exp(), 1, generator=random))
            told = torch.log_softmax(row, 0) if self._raw else logprobs
            near = {f"token_id:{i}": float(told[i]) for i in asked.get("logprob_token_ids", ())} if self._listed else {}
            ids.append(token)
            yield {
                "token_ids": [token],
                "logprobs": {"token_logprobs": [float(told[token])], "top_logprobs": [near]},
            }
            if token in asked.get("stop_token_ids", ()):
                return
            if self._left:
                self._left -= 1
                if not self._left:
                    raise ConnectionResetError
            time.sleep(0.002)  # a reload comes between tokens


@contextmanager
def completions(served: Served) -> Iterator[str]:
    """Its base URL."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say({"data": [{"id": "tiny", "max_model_len": 2048}]})

        def do_POST(self) -> None:
            if served.gone:  # a connection that was kept alive
                self.close_connection = True
                return
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path == "/v1/completions":
                self._stream(asked)
            else:
                served.reloads.append(asked["method"])
                if asked["method"] == "reload_weights":
                    served.load(asked["kwargs"]["weights_path"])
                self._say({})

        def _stream(self, asked: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for token in served.tokens(asked):
                    self._chunk(f"data: {json.dumps({'choices': [token]})}\n\n".encode())
                self._chunk(b"data: [DONE]\n\n")
                self.wfile.write(b"0\r\n\r\n")
            except ConnectionError:
                self.close_connection = True

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

        def _say(self, found: dict[str, Any]) -> None:
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with listening(Answers) as url:
        try:
            yield url
        finally:
            served.gone = True
