"""The in-process sampler: batched, continuous, shared prompts computed once.

A row is one running request. `step` refills free places, then moves every row on: rows with several tokens to catch
up on (a prompt's tail, a run forced by a grammar) go through the model together, the rest one token each.
Results depend on the requests and their order alone, never on the clock.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bowerbird.inference.chat import Chat
from bowerbird.inference.choose import draw_free
from bowerbird.inference.grammar import GrammarCompiler
from bowerbird.inference.kv import ATTENTION, Group, Prefix, PrefixPass, RowPass, Tails, register
from bowerbird.inference.loading import load_model, load_tokenizer
from bowerbird.inference.memory import trim
from bowerbird.inference.packed import pack_linears
from bowerbird.inference.protocol import Request, Sampler, fits, no_answer
from bowerbird.inference.row import Row
from bowerbird.types import Completion, PolicyVersion

_PASS_TOKENS = 2048  # most tokens carried through the model at once: bounds the activations
_SHARE_FROM = 16  # a common beginning shorter than this is not worth an entry
_KEPT_TOKENS = 4096  # of prefixes that nobody uses now; whoever asks again soon finds them
_STEP = 64  # the store's capacity grows by this many tokens


@dataclass(slots=True, eq=False)
class _Running(Row):
    """A row with its place in the model."""

    prefix: Prefix = field(default_factory=lambda: Prefix(()))
    pending: list[int] = field(default_factory=list)  # tokens known but not yet carried through the model
    length: int = 0  # tail tokens carried so far

    def add(self, token: int, logprob: float, version: int, sampled: bool, choices: tuple[int, ...] | None) -> None:
        Row.add(self, token, logprob, version, sampled, choices)
        self.pending.append(token)


class Engine(Sampler):
    """A `Sampler` over one Transformers model in this process.

    At most `places` rows run at once, and no more than have room for `kv_tokens` tokens of their own: what is shared
    does not count, and each row counts as much as the longest may become. That bounds the memory.

    New weights may come while rows run: what a row has is kept, and its further tokens are of the new version. Its old
    keys and values are kept too, as those of the policy that wrote them, or with `recompute` computed anew. Raises
    ModelError for a model that cannot be sampled exactly.
    """

    def __init__(
        self,
        path: str,
        *,
        places: int = 64,
        kv_tokens: int = 32768,
        dtype: torch.dtype,
        device: torch.device,
        version: int = 0,
        recompute: bool = False,
    ) -> None:
        register()
        self.tokenizer = load_tokenizer(path)
        self.chat = Chat(self.tokenizer)
        self._model: Any = load_model(path, dtype=dtype, device=device, attention=ATTENTION)
        self._packed = pack_linears(self._model, dtype, device)
        trim()  # of the weights that were packed
        self._decoder, self._head = self._model.get_decoder(), self._model.get_output_embeddings()
        self._grammars = GrammarCompiler(self.tokenizer)
        self._device, self._places, self._kv_tokens, self._version = device, places, kv_tokens, version
        self._recompute = recompute
        config = self._model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._tails = Tails(config.num_hidden_layers, heads, dim, dtype, device)
        self._context = int(getattr(config, "max_position_embeddings", 1 << 30))
        self._prefixes: list[Prefix] = []
        self._waiting: deque[tuple[int, Request]] = deque()
        self._unfit: list[tuple[int, Completion]] = []
        self._rows: list[_Running] = []
        self._tickets = 0
        self._ends = _end_ids(self._model, self.chat)
        self.tokens_carried = 0  # through the model, prompts included
        self.tokens_sampled = 0

    @property
    def version(self) -> int:
        return self._version

    def submit(self, request: Request) -> int:
        if not request.prompt_ids:
            raise ValueError("a request without a prompt")
        self._tickets += 1
        if fits(request, self._context):
            self._waiting.append((self._tickets, request))
        else:
            self._unfit.append((self._tickets, no_answer(request)))
        return self._tickets

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Completion]]:
        self._admit()
        behind = [row for row in self._rows if len(row.pending) > 1]
        for batch in _by_tokens(behind):
            self._advance(batch)
        if level := [row for row in self._rows if len(row.pending) == 1 and row not in behind]:
            self._advance(level)
        unfit, self._unfit = self._unfit, []
        return unfit + self._release()

    def load(self, version: PolicyVersion) -> None:
        from bowerbird.inference.weights import read_weights

        read_weights(self._model, self._packed, version)
        self._version = version.number
        self._prefixes.clear()  # their keys and values are of the old weights; running rows hold theirs themselves
        if self._recompute and self._rows:
            self._restart()

    @torch.inference_mode()
    def _restart(self) -> None:
        """Every running row catches up from its prompt, all its tokens as they are."""
        self._share([row.request.prompt_ids for row in self._rows])
        for row in self._rows:
            row.prefix = self._longest(row.request.prompt_ids)
            row.pending = [*row.request.prompt_ids[len(row.prefix.ids) :], *row.ids]
            row.length = 0
        self._fit()

    # -- admission ---------------------------------------------------------------------------------

    def _admit(self) -> None:
        room = max((_room(row.request, row.prefix) for row in self._rows), default=1)
        free = min(self._places, self._kv_tokens // room) - len(self._rows)
        batch = [self._waiting.popleft() for _ in range(min(free, len(self._waiting)))]
        if not batch:
            return
        self._share([request.prompt_ids for _, request in batch])
        admitted = self._roomy(room, [request for _, request in batch])
        self._waiting.extendleft(reversed(batch[admitted:]))
        for ticket, request in batch[:admitted]:
            prefix = self._longest(request.prompt_ids)
            row = _Running(
                ticket,
                request,
                np.random.default_rng(request.sampling.seed),
                self._grammars.start(request.schema) if request.schema else None,
                prefix=prefix,
                pending=list(request.prompt_ids[len(prefix.ids) :]),
            )
            self._rows.append(row)
            row.force(self._version)
        self._fit()

    def _roomy(self, room: int, requests: Sequence[Request]) -> int:
        """How many of these, first come first served, the store has room for beside the running rows, which need
        `room` each. The first always has where nothing runs."""
        for i, request in enumerate(requests):
            room = max(room, _room(request, self._longest(request.prompt_ids)))
            rows = len(self._rows) + i + 1
            if rows > 1 and rows * room > self._kv_tokens:
                return i
        return len(requests)

    def _fit(self) -> None:
        """Room in the store for all that the running rows may become."""
        room = max(_room(row.request, row.prefix) for row in self._rows)
        places, capacity = self._tails.size
        if len(self._rows) > places or room > capacity:
            places = max(len(self._rows), min(self._places, self._kv_tokens // room))
            self._tails.resize(places, room)

    def _share(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Compute what several prompts begin with once: whole prompts asked for twice, and the common beginning."""
        counts: dict[tuple[int, ...], int] = {}
        for prompt in prompts:
            # the last token stays with the row: its logits are wanted
            counts[prompt[:-1]] = counts.get(prompt[:-1], 0) + 1
        if len(counts) > 1:
            start = _common(list(counts))
            if len(start) >= _SHARE_FROM and not any(p.ids[: len(start)] == start for p in self._prefixes):
                self._compute(start)
        for prompt, count in counts.items():
            if count > 1 and len(prompt) >= _SHARE_FROM and not any(p.ids == prompt for p in self._prefixes):
                self._compute(prompt)
        self._forget(prompts)

    def _forget(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Drop the oldest prefixes that neither running rows nor `prompts` use, beyond a fixed number of tokens."""
        used = {id(row.prefix) for row in self._rows} | {id(self._longest(prompt)) for prompt in prompts}
        idle = [p for p in self._prefixes if id(p) not in used]
        excess = sum(len(p.ids) for p in idle) - _KEPT_TOKENS
        dropped = set()
        for prefix in idle:
            if excess > 0:
                excess -= len(prefix.ids)
                dropped.add(id(prefix))
        self._prefixes = [p for p in self._prefixes if id(p) not in dropped]

    def _longest(self, prompt: tuple[int, ...]) -> Prefix:
        """The longest stored prefix of the prompt that leaves at least one token to carry."""
        fitting = [p for p in self._prefixes if len(p.ids) < len(prompt) and prompt[: len(p.ids)] == p.ids]
        return max(fitting, key=lambda p: len(p.ids), default=Prefix(()))

    def _compute(self, ids: tuple[int, ...]) -> None:
        parent, shared = None, 0
        for candidate in self._prefixes:
            length = len(_common([candidate.ids, ids[:-1]]))
            if length > shared:
                parent, shared = candidate, length
        carry = PrefixPass(ids, parent, shared)
        new = torch.tensor([ids[shared:]], device=self._device)
        positions = torch.arange(shared, len(ids), device=self._device)[None]
        self._decoder(input_ids=new, position_ids=positions, use_cache=False, rows=carry)
        self.tokens_carried += new.numel()
        self._prefixes.append(carry.prefix)

    # -- one pass ----------------------------------------------------------------------------------

    def _advance(self, rows: list[_Running]) -> None:
        n = max(len(row.pending) for row in rows)
        ids = torch.tensor([row.pending + [0] * (n - len(row.pending)) for row in rows], device=self._device)
        lengths = torch.tensor([row.length for row in rows], device=self._device)
        starts = lengths + torch.tensor([len(row.prefix.ids) for row in rows], device=self._device)
        place = {id(row): i for i, row in enumerate(self._rows)}
        places = torch.tensor([place[id(row)] for row in rows], device=self._device)
        carry = RowPass(self._tails, places, lengths, n, self._groups(rows))
        positions = starts[:, None] + torch.arange(n, device=self._device)
        hidden = self._decoder(input_ids=ids, position_ids=positions, use_cache=False, rows=carry).last_hidden_state
        last = torch.tensor([len(row.pending) - 1 for row in rows], device=self._device)
        logits = self._head(hidden[torch.arange(len(rows), device=self._device), last]).float()
        for row in rows:
            self.tokens_carried += len(row.pending)
            row.length += len(row.pending)
            row.pending.clear()
        self._draw(rows, logits)

    def _groups(self, rows: list[_Running]) -> list[Group]:
        members: dict[int, list[int]] = {}
        for i, row in enumerate(rows):
            members.setdefault(id(row.prefix), []).append(i)
        return [Group(rows[indices[0]].prefix, indices) for indices in members.values()]

    def _draw(self, rows: list[_Running], logits: Tensor) -> None:
        free = [i for i, row in enumerate(rows) if row.free]
        bound = [i for i, row in enumerate(rows) if not row.free]
        if free:
            temperatures = torch.tensor([rows[i].request.sampling.temperature for i in free], device=self._device)
            uniforms = torch.tensor([rows[i].random.random() for i in free], device=self._device, dtype=torch.float32)
            picked = logits[free] if bound else logits
            for i, token, logprob in zip(free, *draw_free(picked, temperatures, uniforms), strict=True):
                rows[i].took(token, logprob, self._version, self._ends, self.chat.decode)
        for i in bound:
            grammar = rows[i].grammar
            assert grammar is not None
            allowed = grammar.allowed()
            rows[i].choose(logits[i, list(allowed)].double().cpu().numpy(), allowed, self._version)
        self.tokens_sampled += len(rows)

    def _release(self) -> list[tuple[int, Completion]]:
        """Take finished rows out; the last row moves into the freed place, so that places stay dense."""
        finished = []
        for i in reversed(range(len(self._rows))):
            row = self._rows[i]
            if row.finish:
                row.text = self.chat.decode(row.ids)
                finished.append((row.ticket, row.completion()))
                last = self._rows.pop()
                if last is not row:
                    self._tails.move(len(self._rows), i, last.length)
                    self._rows[i] = last
        if not self._rows and not self._waiting:
            self._tails.resize(0, 0)  # an idle sampler leaves the memory to the learner
            trim()
        return sorted(finished, key=lambda pair: pair[0])


def _room(request: Request, prefix: Prefix) -> int:
    """The store's tokens that a row may come to fill, in whole steps."""
    return -(-(len(request.prompt_ids) - len(prefix.ids) + request.sampling.max_tokens + 1) // _STEP) * _STEP


def _common(sequences: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The longest common beginning."""
    low, high = min(sequences), max(sequences)
    length = next((i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:length]


def _by_tokens(rows: list[_Running]) -> list[list[_Running]]:
    """Split rows, longest first, into batches that stay within the tokens of one pass, padding included."""
    batches: list[list[_Running]] = []
    for row in sorted(rows, key=lambda r: (-len(r.pending), r.ticket)):
        if batches and len(batches[-1][0].pending) * (len(batches[-1]) + 1) <= _PASS_TOKENS:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches


def _end_ids(model: Any, chat: Chat) -> frozenset[int]:
    named = model.generation_config.eos_token_id if model.generation_config else None
    extra = named if isinstance(named, list) else [named]
    return chat.end_ids | frozenset(i for i in extra if i is not None)
