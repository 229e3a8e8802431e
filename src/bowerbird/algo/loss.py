"""Token-level GRPO with an asymmetric clip and a staleness weight."""

from dataclasses import dataclass

import torch
from torch import Tensor

from bowerbird.algo.staleness import staleness_weight


@dataclass(frozen=True, slots=True)
class PolicyLoss:
    """`total` is -sum_t m_t L_t and carries the gradient; the rest are detached sums over masked tokens."""

    total: Tensor
    tokens: Tensor  # sum of the mask
    ratio: Tensor  # sum of r_t
    clipped: Tensor  # tokens where the clip was active
    weight: Tensor  # sum of w(d_t)
    squares: Tensor  # sum of w(d_t)^2
    kl: Tensor  # sum of (r - 1) - log r, an estimate of KL(sampler || learner) that is never negative
    fresh: Tensor  # tokens of age 0
    mismatch: Tensor  # sum of |log r_t| over these: sampler and learner have the same weights and should agree

    @property
    def mean(self) -> Tensor:
        """The loss of section 1 of the method: the denominator counts tokens and ignores w."""
        return self.total / self.tokens


def policy_loss(
    logprobs: Tensor,
    sampler_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    ages: Tensor | None = None,
    *,
    eps_low: float = 0.2,
    eps_high: float = 0.28,
    k1: int = 2,
    k2: int = 6,
    decay: float = 0.5,
) -> PolicyLoss:
    """The clipped objective of PPO (Schulman et al. 2017) with the higher upper clip of DAPO (Yu et al. 2025).

        r_t = exp(logprobs - sampler_logprobs)
        L_t = min(r_t A, clip(r_t, 1 - eps_low, 1 + eps_high) A) w(d_t)

    All tensors have one shape. `sampler_logprobs` are those recorded when the token was sampled; recomputing them with
    the learner would make every ratio 1 and the clip idle. `ages` are integers; None means all 0.
    """
    log_ratio = logprobs - sampler_logprobs
    ratio = log_ratio.exp()
    bounded = ratio.clamp(1 - eps_low, 1 + eps_high)
    weight = torch.ones_like(ratio) if ages is None else staleness_weight(ages, k1, k2, decay)
    unweighted = torch.minimum(ratio * advantages, bounded * advantages)
    keep = mask.to(ratio.dtype)
    with torch.no_grad():
        clipped = (bounded * advantages < ratio * advantages).to(ratio.dtype)
        kl = ratio - 1 - log_ratio
        fresh = keep if ages is None else keep * (ages == 0)
    return PolicyLoss(
        total=-(unweighted * weight * keep).sum(),
        tokens=keep.sum(),
        ratio=(ratio.detach() * keep).sum(),
        clipped=(clipped * keep).sum(),
        weight=(weight * keep).sum(),
        squares=(weight.square() * keep).sum(),
        kl=(kl * keep).sum(),
        fresh=fresh.sum(),
        mismatch=(log_ratio.detach().abs() * fresh).sum(),
    )
