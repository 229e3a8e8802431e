"""Means with honest intervals: rollouts of one task are not independent, so errors are clustered by task."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_Z = 1.959963984540054  # two-sided 95%
_CONFIDENCE = 0.975


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its 95% interval over `clusters` tasks. With fewer than two the interval is the whole range."""

    mean: float
    low: float
    high: float
    clusters: int


def clustered_mean(values: Sequence[float], clusters: Sequence[str]) -> Estimate:
    """Mean of `values` in [0, 1] with a standard error clustered by task (Miller 2024, "Adding Error Bars to Evals").

    `clusters` names the task of each value. The interval is clamped to [0, 1].
    """
    if not values:
        return Estimate(0.0, 0.0, 1.0, 0)
    mean = math.fsum(values) / len(values)
    sums: dict[str, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    return _interval(mean, [s / len(values) for s in sums.values()], 0.0)


def paired_difference(a: Mapping[str, float], b: Mapping[str, float]) -> Estimate:
    """Mean over the shared tasks of a minus b, in [-1, 1]."""
    shared = sorted(a.keys() & b.keys())
    if not shared:
        return Estimate(0.0, -1.0, 1.0, 0)
    gaps = [a[task] - b[task] for task in shared]
    mean = math.fsum(gaps) / len(gaps)
    return _interval(mean, [(g - mean) / len(gaps) for g in gaps], -1.0)


def pass_at(samples: int, solved: int, k: int) -> float:
    """The chance that at least one of `k` samples solves a task, from `solved` of `samples` (Chen et al. 2021, equation
    1). Raises ValueError where there are fewer samples than k."""
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} needs at least {k} samples, not {samples}")
    return 1.0 - math.comb(samples - solved, k) / math.comb(samples, k)


def pass_all(samples: int, solved: int, k: int) -> float:
    """The chance that all of `k` samples solve it, pass^k (Yao et al. 2024, tau-bench). Raises ValueError as above."""
    if not 1 <= k <= samples:
        raise ValueError(f"pass^{k} needs at least {k} samples, not {samples}")
    return math.comb(solved, k) / math.comb(samples, k)


def _interval(mean: float, parts: Sequence[float], lowest: float) -> Estimate:
    """`parts` are the clusters' shares of the deviation; their squares add up to the variance of the mean."""
    n = len(parts)
    if n < 2:
        return Estimate(mean, lowest, 1.0, n)
    error = _Z * math.sqrt(math.fsum(p * p for p in parts) * n / (n - 1))
    if error == 0.0:  # all equal: what could still hide among n tasks, as for 0 of n (Clopper and Pearson 1934)
        error = 1.0 - (1.0 - _CONFIDENCE) ** (1.0 / n)
    return Estimate(mean, max(lowest, mean - error), min(1.0, mean + error), n)
