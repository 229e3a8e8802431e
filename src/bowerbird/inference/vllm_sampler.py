"""vLLM as a sampler: its engine, stepped by us, so that every token's version is known.

Runs in vLLM's own environment, in a process of its own (`Pool` with `python`). Free text is one request. A scaffold
under a grammar is one request a choice: the engine gives the log-probabilities of the allowed tokens, one is drawn here
from the same mixture as in `Engine`, and what the grammar forces goes back as prompt, of which the engine's prefix
cache has all but the new tokens.
"""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bowerbird.inference.chat import Chat
from bowerbird.inference.grammar import GrammarCompiler
from bowerbird.inference.protocol import Part, Request, Sampler, fits, no_answer
from bowerbird.inference.row import Row, news
from bowerbird.inference.vllm_worker import Worker
from bowerbird.types import Completion, ModelError, PolicyVersion


class VllmSampler(Sampler):
    """A `Sampler` over one vLLM engine. `options` are vLLM's own engine arguments.

    When new weights come running rows keep their keys and values, but under a grammar, where each choice is a request
    of its own; with `recompute` all are computed anew. Raises ModelError where vLLM is not installed or cannot load the
    model.
    """

    def __init__(
        self, path: str, *, version: int, places: int, options: Mapping[str, Any], recompute: bool = False
    ) -> None:
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # the engine steps when we say so, and not ahead
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        try:
            from vllm import EngineArgs
            from vllm.platforms import current_platform
            from vllm.v1.engine.llm_engine import LLMEngine
        except ImportError as error:
            raise ModelError(
                f"vLLM is not installed there ({error}): pip install vllm into an environment of its own, and name its "
                "interpreter in sampler.python"
            ) from error
        arguments = {
            "max_num_seqs": places,
            "logprobs_mode": "processed_logprobs",  # of the distribution that is sampled from
            "enable_prefix_caching": True,
            "async_scheduling": False,
            # a request with a seed takes its last draw back when its prompt is cut in two, which no CPU generator can
            "enable_chunked_prefill": False if current_platform.is_cpu() else None,  # None: as vLLM has it
            "seed": 0,
        }
        try:
            self._engine: Any = LLMEngine.from_engine_args(EngineArgs(model=path, **(arguments | dict(options))))
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"vLLM cannot load {path}: {error}") from error
        tokenizer = self._engine.get_tokenizer()
        self.chat, self._grammars = Chat(tokenizer), GrammarCompiler(tokenizer)
        self._context = int(self._engine.model_config.max_model_len)
        self._version, self._recompute = version, recompute
        self._tickets, self._asked = 0, 0
        self._rows: dict[str, Row] = {}  # by the engine's name for the request under way
        self._done: list[tuple[int, Completion]] = []

    @property
    def version(self) -> int:
        return self._version

    def submit(self, request: Request) -> int:
        self._tickets += 1
        if not fits(request, self._context):
            self._done.append((self._tickets, no_answer(request)))
            return self._tickets
        row = Row.begun(self._tickets, request, self._grammars, self._version)
        self._go_on(row)
        return self._tickets

    def step(self) -> list[tuple[int, Completion]]:
        for output in self._engine.step() if self._rows else ():
            row, found = self._rows[output.request_id], output.outputs[0]
            for token, logprobs in zip(found.token_ids, found.logprobs, strict=True):
                if not row.finish:
                    self._took(row, int(token), {int(i): float(entry.logprob) for i, entry in logprobs.items()})
            if output.finished or row.finish:
                del self._rows[output.request_id]
                if not output.finished:
                    self._engine.abort_request([output.request_id])
                self._go_on(row)
        done, self._done = self._done, []
        return sorted(done, key=lambda pair: pair[0])

    def news(self) -> list[tuple[int, Part]]:
        return news(self._rows.values())

    def load(self, version: PolicyVersion) -> None:
        """Requests that begin now share no old keys and values (see `_ask`)."""
        self._engine.collective_rpc("reload_weights", kwargs={"weights_path": version.path})
        self._engine.collective_rpc(Worker.repack_head)
        self._version = version.number
        if self._recompute:
            rows, self._rows = self._rows, {}
            self._engine.abort_request(list(rows))
            for row in rows.values():
                self._ask(row)

    # -- rows --------------------------------------------------------------------------------------

    def _go_on(self, row: Row) -> None:
        """The next request of a row, or its end."""
        if row.finish:
            row.text = self.chat.decode(row.ids)
            self._done.append((row.ticket, row.completion()))
        else:
            self._ask(row)

    def _ask(self, row: Row) -> None:
        from vllm import SamplingParams, TokensPrompt
        from vllm.sampling_params import RequestOutputKind

        shared = {"detokenize": False, "output_kind": RequestOutputKind.DELTA, "ignore_eos": True}
        sampling = row.request.sampling
        if row.free:
            own: dict[str, Any] = {
                "temperature": sampling.temperature,
                "max_tokens": sampling.max_tokens - len(row.ids) if row.grammar is None else 1,
                "seed": (sampling.seed + len(row.ids)) % (1 << 63),
                "logprobs": 0,
                "stop_token_ids": sorted(self.chat.end_ids),
            }
        else:
            assert row.grammar is not None
            own = {"temperature": 1.0, "max_tokens": 1, "logprob_token_ids": list(row.grammar.allowed())}
        self._asked += 1
        name = f"{row.ticket}.{self._asked}"
        self._rows[name] = row
        # the salt keeps what other weights computed out of the prefix cache
        prompt = TokensPrompt(prompt_token_ids=[*row.request.prompt_ids, *row.ids], cache_salt=str(self._version))
        self._engine.add_request(name, prompt, SamplingParams(**shared, **own))

    def _took(self, row: Row, token: int, logprobs: Mapping[int, float]) -> None:
        """One token more. Under a grammar the engine's own is thrown away, and one of the allowed is drawn."""
        if not row.free:
            assert row.grammar is not None
            allowed = row.grammar.allowed()
            row.choose(np.array([logprobs[i] for i in allowed]), allowed, self._version)
        else:
            row.took(token, logprobs[token], self._version, self.chat.end_ids, self.chat.decode)
