"""The binomial distribution: how often something of a given probability happens in n tries."""

from __future__ import annotations

from gaugeway.evaluation.statistics.special import beta_cdf


def cdf(k: int, n: int, p: float) -> float:
    """The probability of at most k."""
    if k < 0:
        return 0.0
    return 1.0 if k >= n else beta_cdf(n - k, k + 1, 1 - p, p)


def quantile(probability: float, n: int, p: float) -> int:
    """The smallest k that is not exceeded with at least that probability."""
    low, high = -1, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if cdf(middle, n, p) >= probability else (middle, high)
    return high
