"""Training samples to packed trees of tokens: what several samples begin with is computed once.

    task ─┬─ scaffold's prompt ─┬─ call 0 ─ call that extends it
          │                     └─ call 1 ─┬─ a repair
          │                                └─ another
          └─ scaffold's prompt ─ ...

A call that is the beginning of a later call is not repeated: its tokens are trained where they lie in the longer one.
Calls that differ from some token on fork there. Nothing is tokenised again: the ids are those that were sampled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bowerbird.types import TrainingSample

_SHARE_FROM = 16  # a fork costs more than it saves where fewer tokens are shared


@dataclass(frozen=True, slots=True)
class Term:
    """One trained token: position `source` of the packed row predicts `target`."""

    source: int
    target: int
    sampler_logprob: float
    advantage: float
    version: int
    temperature: float
    explore: float
    choices: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of tokens of the row, [start, start + length), that follows the end of segment `parent`; -1: the root,
    which follows nothing. `position` is that of its first token in its own sequence."""

    start: int
    length: int
    parent: int
    position: int


@dataclass(frozen=True, slots=True)
class Packed:
    """One micro-batch: a row of tokens, and how its segments hang together. A parent stands before its children."""

    ids: tuple[int, ...]
    segments: tuple[Segment, ...]
    terms: tuple[Term, ...]

    @property
    def positions(self) -> list[int]:
        return [s.position + i for s in self.segments for i in range(s.length)]


@dataclass(slots=True)
class _Leaf:
    """A sequence that no other one extends, and the samples that lie in it."""

    ids: tuple[int, ...]
    samples: list[TrainingSample]


@dataclass(slots=True)
class _Node:
    """Tokens ids[start:end], the samples that end within them, and what forks after them."""

    ids: tuple[int, ...]
    start: int
    end: int
    samples: list[TrainingSample]
    children: "list[_Node]"

    @property
    def size(self) -> int:
        return self.end - self.start + sum(child.size for child in self.children)


def pack(samples: Iterable[TrainingSample], max_tokens: int) -> list[Packed]:
    """Micro-batches of at most `max_tokens` tokens each (more only where one sequence alone is longer).

    Samples with advantage 0 carry no gradient and are left out; the caller counts their tokens.
    """
    lots: list[list[_Leaf]] = []
    for leaf in _leaves([s for s in samples if s.advantage != 0.0]):
        if lots and _fits([*lots[-1], leaf], max_tokens):
            lots[-1].append(leaf)
        else:
            lots.append([leaf])
    return [_flatten(tree) for lot in lots for tree in _grown(lot, 0)]


def _fits(leaves: Sequence[_Leaf], max_tokens: int) -> bool:
    """Whether they make one tree of so many tokens at the most."""
    return len(trees := _grown(leaves, 0)) == 1 and trees[0].size <= max_tokens


def _leaves(samples: Sequence[TrainingSample]) -> list[_Leaf]:
    """In descending order, so that a sequence comes right after those that extend it, and forks lie together."""
    leaves: list[_Leaf] = []
    for sample in sorted(samples, key=_ids, reverse=True):
        ids = _ids(sample)
        if leaves and leaves[-1].ids[: len(ids)] == ids:
            leaves[-1].samples.append(sample)
        else:
            leaves.append(_Leaf(ids, [sample]))
    return leaves


def _grown(leaves: Sequence[_Leaf], start: int) -> list[_Node]:
    """Trees of sorted leaves that share their first `start` tokens, without these."""
    end = _common(leaves[0].ids, leaves[-1].ids)
    if len(leaves) > 1 and end - start >= _SHARE_FROM:
        return [_Node(leaves[0].ids, start, end, [], _branches(leaves, end))]
    return _branches(leaves, start)


def _branches(leaves: Sequence[_Leaf], start: int) -> list[_Node]:
    nodes = []
    for fork in _forks(leaves, start):
        if len(fork) > 1:
            nodes += _grown(fork, start)
        else:
            nodes.append(_Node(fork[0].ids, start, len(fork[0].ids), fork[0].samples, []))
    return nodes


def _flatten(tree: _Node) -> Packed:
    ids: list[int] = []
    segments: list[Segment] = []
    terms: list[Term] = []

    def lay(node: _Node, parent: int, above: list[int]) -> None:
        """`above` says where the tokens before the node's own lie in the row."""
        number, where = len(segments), above + list(range(len(ids), len(ids) + node.end - node.start))
        segments.append(Segment(len(ids), node.end - node.start, parent, node.start))
        ids.extend(node.ids[node.start : node.end])
        for sample in node.samples:
            terms.extend(_terms(sample, where))
        for child in node.children:
            lay(child, number, where)

    lay(tree, -1, [])
    return Packed(tuple(ids), tuple(segments), tuple(terms))


def _forks(leaves: Sequence[_Leaf], start: int) -> list[list[_Leaf]]:
    """Neighbours that share enough beyond `start` to be computed together; the others alone."""
    forks = [[leaves[0]]]
    for leaf in leaves[1:]:
        if _common(forks[-1][0].ids, leaf.ids) - start >= _SHARE_FROM:
            forks[-1].append(leaf)
        else:
            forks.append([leaf])
    return forks


def _ids(sample: TrainingSample) -> tuple[int, ...]:
    return sample.completion.prompt_ids + sample.completion.token_ids


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens they share at their beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _terms(sample: TrainingSample, where: Sequence[int]) -> list[Term]:
    """`where` says at which position of the row each token of the sample's sequence lies."""
    call = sample.completion
    return [
        Term(
            source=where[len(call.prompt_ids) + i - 1],
            target=token,
            sampler_logprob=call.logprobs[i],
            advantage=sample.advantage,
            version=call.versions[i],
            temperature=call.sampling.temperature,
            explore=call.sampling.explore,
            choices=call.choices[i],
        )
        for i, token in enumerate(call.token_ids)
        if call.sampled[i]
    ]
