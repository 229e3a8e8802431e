"""The in-process sampler: batched, continuous, and nothing that is known is computed twice.

A row is one running request. `step` refills free places, lets rows with several tokens to catch up on (a prompt's tail,
a run forced by a grammar) go through the model together, then moves every row on by one token. What a row finds
computed already it takes over: a long beginning that several prompts share as one copy for all (`Prefix`), all else, of
a running or a finished row, as a copy of its own. Results depend on the requests and their order alone, never on the
clock.
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
from bowerbird.inference.kv import ATTENTION, Group, Prefix, PrefixPass, RowPass, register
from bowerbird.inference.loading import load_model, load_tokenizer
from bowerbird.inference.memory import trim
from bowerbird.inference.packed import pack_linears
from bowerbird.inference.places import Place, Places
from bowerbird.inference.protocol import Part, Request, Sampler, fits, no_answer
from bowerbird.inference.recall import Kept, Recall, common
from bowerbird.inference.row import Row, news
from bowerbird.types import Completion, PolicyVersion

_PASS_TOKENS = 2048  # most tokens carried through the model at once: bounds the activations
_WAIT_FROM = 16  # to wait until another row has computed a common beginning shorter than this is not worth it
_SHARED = 64  # nor is one copy for all of one shorter than this, or
_SAVED = 1024  # of one that saves fewer tokens: a product for each costs more than it spares
_NOTHING = Prefix(())


@dataclass(slots=True, eq=False)
class _Running(Row):
    """A row with its place in the model."""

    place: Place = field(kw_only=True)
    prefix: Prefix = _NOTHING
    pending: list[int] = field(default_factory=list)  # tokens known but not yet carried through the model
    since: int = 0  # the policy version that computed all it has
    after: "tuple[_Running, int] | None" = None  # begins with so many tokens of a row that catches up first

    def add(self, token: int, logprob: float, version: int, sampled: bool, choices: tuple[int, ...] | None) -> None:
        Row.add(self, token, logprob, version, sampled, choices)
        self.pending.append(token)

    @property
    def known(self) -> tuple[int, ...]:
        """Prompt and answer so far."""
        return (*self.request.prompt_ids, *self.ids)

    @property
    def reach(self) -> tuple[int, ...]:
        """What of it others may take over: a row with several tokens to catch up on does so before they begin."""
        return self.known if len(self.pending) > 1 else self.known[:-1]


class Engine(Sampler):
    """A `Sampler` over one Transformers model in this process.

    At most `places` rows run at once, and no more than have room for `kv_tokens` tokens of their own, which bounds the
    memory: long beginnings that they share do not count, nor `kept_tokens` tokens of finished rows, from which others
    go on. A request that goes on from a finished row comes before those that begin anew.

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
        kept_tokens: int = 16384,
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
        self._device, self._most, self._version, self._recompute = device, places, version, recompute
        config = self._model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self._places = Places(config.num_hidden_layers, heads, dim, tokens=kv_tokens, dtype=dtype, device=device)
        self._recall = Recall(kept_tokens)
        self._context = int(getattr(config, "max_position_embeddings", 1 << 30))
        self._prefixes: list[Prefix] = []
        self._waiting: deque[tuple[int, Request]] = deque()
        self._urgent: deque[tuple[int, Request]] = deque()  # they go on from a finished row
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
            queue = self._urgent if self._recall.goes_on(request.prompt_ids) else self._waiting
            queue.append((self._tickets, request))
        else:
            self._unfit.append((self._tickets, no_answer(request)))
        return self._tickets

    @torch.inference_mode()
    def step(self) -> list[tuple[int, Completion]]:
        self._admit()
        self._catch_up()
        finished, self._unfit = [*self._unfit, *self._release()], []
        if level := [row for row in self._rows if len(row.pending) == 1]:
            self._advance(level)
        return sorted([*finished, *self._release()], key=lambda pair: pair[0])

    def news(self) -> list[tuple[int, Part]]:
        return news(self._rows)

    def load(self, version: PolicyVersion) -> None:
        from bowerbird.inference.weights import read_weights

        read_weights(self._model, self._packed, version)
        self._version = version.number
        self.forget()  # that is of the old weights; running rows hold theirs themselves
        if self._recompute:
            self._restart()

    def forget(self) -> None:
        """Drop all that is kept for further requests. Running rows go on."""
        self._prefixes.clear()
        self._recall.kept.clear()

    @torch.inference_mode()
    def _restart(self) -> None:
        """Every running row catches up from its first token, in its own place."""
        for prefix in dict.fromkeys(row.prefix.ids for row in self._rows if row.prefix.ids):
            self._compute(prefix)
        for i, row in enumerate(self._rows):
            row.prefix = self._longest((*row.prefix.ids, 0))
            row.place.length, row.since = 0, self._version
            self._begin(row, self._rows[:i])

    # -- admission ---------------------------------------------------------------------------------

    def _admit(self) -> None:
        coming = [*self._urgent, *self._waiting][: self._most - len(self._rows)]
        if not coming:
            return
        prompts = [request.prompt_ids for _, request in coming]
        self._share(prompts)
        for ticket, request in coming:
            prefix = self._longest(request.prompt_ids)
            place = self._places.take(len(request.prompt_ids) - len(prefix.ids) + request.sampling.max_tokens + 1)
            if place is None:
                break
            (self._urgent or self._waiting).popleft()
            grammar = self._grammars.start(request.schema) if request.schema else None
            random = np.random.default_rng(request.sampling.seed)
            row = _Running(ticket, request, random, grammar, place=place, prefix=prefix, since=self._version)
            self._begin(row, self._rows)
            row.force(self._version)
            self._rows.append(row)

    def _begin(self, row: _Running, rows: Sequence[_Running]) -> None:
        """Take over what finished rows have computed of its tokens, or `rows` will have; the rest is pending."""
        tokens, base = row.known, len(row.prefix.ids)
        wanted = tokens[:-1]  # the last is carried in any case: its logits are wanted
        kept = [kept for kept in self._recall.kept if kept.prefix is row.prefix]
        alike = [other for other in rows if other.prefix is row.prefix and other.since == self._version]
        finished = max(((common(k.ids, wanted), i) for i, k in enumerate(kept)), default=(base, 0))
        running = max(((_offered(other, wanted), i) for i, other in enumerate(alike)), default=(base, 0))
        row.after = None
        if running[0] >= max(base + _WAIT_FROM, finished[0] + 1):
            row.after = (alike[running[1]], running[0] - base)
        elif finished[0] > base:
            row.place.write(kept[finished[1]].kv[..., : finished[0] - base, :])
        row.pending = list(tokens[running[0] if row.after else finished[0] :])

    def _share(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Compute once what many prompts begin with: whole prompts asked for several times, and what all have."""
        counts: dict[tuple[int, ...], int] = {}
        for prompt in prompts:
            # the last token stays with the row: its logits are wanted
            counts[prompt[:-1]] = counts.get(prompt[:-1], 0) + 1
        wanted = list(counts.items())
        if len(counts) > 1:
            low, high = min(counts), max(counts)  # what these two have in common, all have
            wanted.insert(0, (low[: common(low, high)], len(prompts)))
        for start, count in wanted:
            worth = len(start) >= _SHARED and len(start) * (count - 1) >= _SAVED
            if worth and not any(p.ids[: len(start)] == start for p in self._prefixes):
                self._compute(start)
        self._forget(prompts)

    def _forget(self, prompts: Sequence[tuple[int, ...]]) -> None:
        """Drop the prefixes that neither rows, running or kept, nor `prompts` use."""
        used = {id(row.prefix) for row in self._rows} | {id(kept.prefix) for kept in self._recall.kept}
        used |= {id(self._longest(prompt)) for prompt in prompts}
        self._prefixes = [p for p in self._prefixes if id(p) in used]

    def _longest(self, prompt: tuple[int, ...]) -> Prefix:
        """The longest stored prefix of the prompt that leaves at least one token to carry."""
        fitting = [p for p in self._prefixes if len(p.ids) < len(prompt) and prompt[: len(p.ids)] == p.ids]
        return max(fitting, key=lambda p: len(p.ids), default=_NOTHING)

    def _compute(self, ids: tuple[int, ...]) -> None:
        """A prefix, on top of what another has of it."""
        pairs = [(common(p.ids, ids[:-1]), i) for i, p in enumerate(self._prefixes)]
        shared, i = max(pairs, default=(0, 0))
        carry = PrefixPass(ids, self._prefixes[i] if shared else None, shared)
        new = torch.tensor([ids[shared:]], device=self._device)
        positions = torch.arange(shared, len(ids), device=self._device)[None]
        self._decoder(input_ids=new, position_ids=positions, use_cache=False, rows=carry)
        self.tokens_carried += new.numel()
        self._prefixes.append(carry.prefix)

    # -- one pass ----------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Rows with several tokens to carry, those first that others go on from."""
        behind = [row for row in self._rows if len(row.pending) > 1 or row.after]
        while behind:
            ready = [row for row in behind if row.after is None or row.after[0] not in behind]
            for row in ready:
                if row.after is not None:
                    other, length = row.after
                    row.place.write(other.place.read(length))
                    row.after = None
            for batch in _by_tokens([row for row in ready if len(row.pending) > 1]):
                self._advance(batch)
            behind = [row for row in behind if row not in ready]

    def _advance(self, rows: list[_Running]) -> None:
        rows = sorted(rows, key=lambda row: (row.place.slab.number, row.place.index))
        n = max(len(row.pending) for row in rows)
        ids = torch.tensor([row.pending + [0] * (n - len(row.pending)) for row in rows], device=self._device)
        starts = torch.tensor([len(row.prefix.ids) + row.place.length for row in rows], device=self._device)
        carry = RowPass([row.place for row in rows], n, self._groups(rows))
        positions = starts[:, None] + torch.arange(n, device=self._device)
        hidden = self._decoder(input_ids=ids, position_ids=positions, use_cache=False, rows=carry).last_hidden_state
        last = torch.tensor([len(row.pending) - 1 for row in rows], device=self._device)
        logits = self._head(hidden[torch.arange(len(rows), device=self._device), last]).float()
        for row in rows:
            self.tokens_carried += len(row.pending)
            row.place.length += len(row.pending)
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
        """Take finished rows out, and keep what they computed."""
        finished = []
        for row in [row for row in self._rows if row.finish]:
            row.text = self.chat.decode(row.ids)
            finished.append((row.ticket, row.completion()))
            self._rows.remove(row)
            if row.since == self._version:
                length = row.place.length
                carried = row.known[: len(row.prefix.ids) + length]
                self._recall.keep(Kept(carried, row.prefix, row.place.read(length).clone()))
            self._places.give_back(row.place)
        if finished and not (self._rows or self._waiting or self._urgent):
            trim()  # an idle sampler leaves the memory to the learner
        return finished


def _offered(row: _Running, wanted: tuple[int, ...]) -> int:
    """How many of these tokens to take over from a row. One that itself waits for another is worth waiting for only
    where it has all of them: else ever smaller passes would follow each other."""
    length = common(row.reach, wanted)
    return length if row.after is None or length == len(wanted) else 0


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
