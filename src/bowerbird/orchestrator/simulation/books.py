"""What is counted while a simulation runs, and the figures that come of it."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields

from bowerbird.orchestrator.simulation.engine import EngineBooks


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """One step of the learner. Times are simulated seconds since the start."""

    number: int  # counted from 1; the learner's version before it is `number - 1`
    groups: int
    began: float
    learned: float  # the optimiser is done
    landed: float  # the engines have the weights
    tokens: int
    ages: Mapping[int, int]  # age -> trained tokens


@dataclass(frozen=True, slots=True)
class Ages:
    """The ages of trained tokens and their weights. Means are over tokens."""

    shares: Mapping[int, float]  # age -> share of the tokens
    mean: float
    weight: float  # mean of w
    ess: float  # effective sample size as a share of the tokens: (sum w)^2 / (n sum w^2), Kish 1965
    beyond: float  # share of the tokens of weight 0


def summarised(ages: Mapping[int, int], weight: Callable[[int], float]) -> Ages:
    """`ages`: age -> tokens, at least one. `weight` is w(d)."""
    total = sum(ages.values())
    pairs = [(weight(age), count) for age, count in ages.items()]
    first, second = (math.fsum(w**power * count for w, count in pairs) for power in (1, 2))
    return Ages(
        shares={age: ages[age] / total for age in sorted(ages)},
        mean=sum(age * count for age, count in ages.items()) / total,
        weight=first / total,
        ess=first * first / (total * second) if second else 0.0,
        beyond=sum(count for w, count in pairs if w == 0.0) / total,
    )


def added(ages: Iterable[Mapping[int, int]]) -> Counter[int]:
    total: Counter[int] = Counter()
    for each in ages:
        total.update(each)
    return total


def total(books: Iterable[EngineBooks]) -> EngineBooks:
    """The engines' books together."""
    found = EngineBooks()
    for each in books:
        for field in fields(EngineBooks):
            setattr(found, field.name, getattr(found, field.name) + getattr(each, field.name))
    return found


def less(later: EngineBooks, earlier: EngineBooks) -> EngineBooks:
    """What was booked in between."""
    return EngineBooks(*(getattr(later, f.name) - getattr(earlier, f.name) for f in fields(EngineBooks)))
