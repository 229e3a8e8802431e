"""Choose variants with a seed: balanced over families, and held-out ones from a pool that training never touches."""

from collections.abc import Collection, Sequence
from functools import cache
from random import Random
from typing import Literal, TypeAlias

from bowerbird.tasks.katas import families as _families  # noqa: F401 - importing it fills FAMILIES
from bowerbird.tasks.katas.build import KataTask, build
from bowerbird.tasks.katas.family import FAMILIES, Variant
from bowerbird.types import TaskError

Pool: TypeAlias = Literal["all", "train", "heldout"]
HELDOUT_SHARE = 0.3


def family_names(easiest: float = 0.0, hardest: float = 1.0) -> tuple[str, ...]:
    """Families whose difficulty lies in [easiest, hardest], easiest first."""
    chosen = [f for f in FAMILIES.values() if easiest <= f.difficulty <= hardest]
    return tuple(f.name for f in sorted(chosen, key=lambda f: (f.difficulty, f.name)))


def generate(
    seed: int,
    count: int,
    *,
    families: Sequence[str] | None = None,
    exclude: Collection[str] = (),
    pool: Pool = "all",
) -> list[KataTask]:
    """`count` distinct katas, spread evenly over `families` (all of them by default); the same for the same arguments.

    `exclude` holds task ids to leave out. `pool` restricts to the variants set aside for training or for held-out
    evaluation: which is which depends on a variant's content alone, never on the seed.
    Raises TaskError for an unknown family, or when there are not `count` variants left.
    """
    return [build(v) for v in _choose(seed, count, families, exclude, pool)]


def train_heldout_split(
    seed: int, train: int, heldout: int, *, families: Sequence[str] | None = None
) -> tuple[list[KataTask], list[KataTask]]:
    """`train` and `heldout` katas; no variant is in both, for any two seeds and counts."""
    return (
        generate(seed, train, families=families, pool="train"),
        generate(seed, heldout, families=families, pool="heldout"),
    )


def capacity(families: Sequence[str] | None = None, pool: Pool = "all") -> int:
    """How many distinct variants there are."""
    return sum(len(_pooled(name, pool)) for name in _known(families))


def _choose(
    seed: int, count: int, families: Sequence[str] | None, exclude: Collection[str], pool: Pool
) -> list[Variant]:
    """Rounds over the families in an order shuffled anew each round, one unused variant from each."""
    rng = Random(f"katas {seed}")
    excluded = set(exclude)
    stacks: dict[str, list[Variant]] = {}
    for name in _known(families):
        stack = [v for v in _pooled(name, pool) if v.task_id not in excluded]
        Random(f"katas {seed} {name}").shuffle(stack)
        stacks[name] = stack
    chosen: list[Variant] = []
    while len(chosen) < count:
        names = [name for name, stack in stacks.items() if stack]
        if not names:
            raise TaskError(
                f"asked for {count} katas, but only {len(chosen)} are left; ask for fewer, or for more families"
            )
        rng.shuffle(names)
        chosen.extend(stacks[name].pop() for name in names[: count - len(chosen)])
    return chosen


def _known(families: Sequence[str] | None) -> list[str]:
    if families is None:
        return sorted(FAMILIES)
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown:
        raise TaskError(f"unknown kata families {', '.join(unknown)}; known ones: {', '.join(sorted(FAMILIES))}")
    return sorted(set(families))


@cache
def _pooled(name: str, pool: Pool) -> tuple[Variant, ...]:
    """The family's variants in fingerprint order, of which the first share is held out."""
    variants = FAMILIES[name].variants()
    cut = max(1, round(len(variants) * HELDOUT_SHARE))
    return tuple({"all": variants, "heldout": variants[:cut], "train": variants[cut:]}[pool])
