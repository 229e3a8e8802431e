"""Training samples to packed groups: what several samples begin with is computed once.

    prompt ─┬─ branch 0   (a call, and the calls that extend it)
            ├─ branch 1
            └─ branch 2

A call that is the beginning of a later call is not repeated: its tokens are trained where they lie in the longer one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bowerbird.types import TrainingSample


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
class Packed:
    """One micro-batch: a prompt of `prompt` tokens, then branches of `lengths` tokens, one after the other."""

    ids: tuple[int, ...]
    prompt: int
    lengths: tuple[int, ...]
    terms: tuple[Term, ...]

    @property
    def positions(self) -> list[int]:
        """Every branch goes on where the prompt ended."""
        after = (self.prompt + i for length in self.lengths for i in range(length))
        return [*range(self.prompt), *after]


@dataclass(slots=True)
class _Branch:
    prompt: tuple[int, ...]  # of the first call in the chain
    ids: tuple[int, ...]  # the whole sequence, prompt included
    samples: list[TrainingSample]


def pack(samples: Iterable[TrainingSample], max_tokens: int) -> list[Packed]:
    """Micro-batches of at most `max_tokens` tokens each (more only where one sequence alone is longer).

    Samples with advantage 0 carry no gradient and are left out; the caller counts their tokens.
    """
    groups: dict[tuple[int, ...], list[_Branch]] = {}
    for branch in _chains([s for s in samples if s.advantage != 0.0]):
        groups.setdefault(branch.prompt, []).append(branch)
    return [packed for branches in groups.values() for packed in _split(branches, max_tokens)]


def _chains(samples: Sequence[TrainingSample]) -> list[_Branch]:
    """One branch for each sequence that no other sequence extends."""
    branches: list[_Branch] = []
    # in descending order a sequence comes right after those that extend it
    order = sorted(samples, key=lambda s: (*s.completion.prompt_ids, *s.completion.token_ids), reverse=True)
    for sample in order:
        prompt = sample.completion.prompt_ids
        ids = (*prompt, *sample.completion.token_ids)
        last = branches[-1] if branches else None
        if last is not None and last.ids[: len(ids)] == ids:
            last.samples.append(sample)
            if len(prompt) < len(last.prompt):
                last.prompt = prompt
        else:
            branches.append(_Branch(prompt, ids, [sample]))
    return branches


def _split(branches: list[_Branch], max_tokens: int) -> list[Packed]:
    """Branches of like length together, so that little is padded inside attention."""
    prompt = len(branches[0].prompt)
    parts: list[list[_Branch]] = []
    used = 0
    for branch in sorted(branches, key=lambda b: len(b.ids)):
        length = len(branch.ids) - prompt
        if not parts or used + length > max_tokens:
            parts.append([])
            used = prompt
        parts[-1].append(branch)
        used += length
    return [_flatten(part, prompt) for part in parts]


def _flatten(branches: Sequence[_Branch], prompt: int) -> Packed:
    alone = len(branches) == 1  # nothing to share: one plain causal sequence
    ids, lengths, terms = list(branches[0].prompt), [], []
    for branch in branches:
        offset = len(ids) - prompt
        ids += branch.ids[prompt:]
        lengths.append(len(branch.ids) - prompt)
        for sample in branch.samples:
            terms += _terms(sample, prompt, offset)
    return Packed(tuple(ids), len(ids) if alone else prompt, () if alone else tuple(lengths), tuple(terms))


def _terms(sample: TrainingSample, prompt: int, offset: int) -> list[Term]:
    call, found = sample.completion, []
    for i, token in enumerate(call.token_ids):
        if call.sampled[i]:
            before = len(call.prompt_ids) + i - 1  # within the branch's own sequence
            found.append(
                Term(
                    source=before if before < prompt else before + offset,
                    target=token,
                    sampler_logprob=call.logprobs[i],
                    advantage=sample.advantage,
                    version=call.versions[i],
                    temperature=call.sampling.temperature,
                    explore=call.sampling.explore,
                    choices=call.choices[i],
                )
            )
    return found
