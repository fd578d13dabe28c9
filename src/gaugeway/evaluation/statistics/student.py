"""Student's t: its distribution, and the interval of a mean."""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, sqrt

from gaugeway.evaluation.statistics import normal
from gaugeway.evaluation.statistics.special import beta_cdf, log_kernel


def two_sided_p(t: float, df: float) -> float:
    """The probability of being at least so far from 0, on either side, with `df` degrees of freedom."""
    square = t * t
    return beta_cdf(df / 2, 0.5, df / (df + square), square / (df + square))


@lru_cache(maxsize=1024)
def two_sided(level: float, df: float) -> float:
    """How many standard errors on both sides hold a share of all values: 2.23 for 0.95 and 10 degrees."""
    if df <= 0:
        raise ValueError(f"degrees of freedom must be more than 0, not {df}")
    low, high, t = 0.0, inf, normal.two_sided(level)
    for _ in range(200):  # Newton's steps, within what is known to hold the answer; some six do
        excess = two_sided_p(t, df) - (1 - level)
        low, high = (t, high) if excess > 0 else (low, t)
        nearer = t + excess / (2 * _density(t, df))
        if not low <= nearer <= high:
            nearer = (low + high) / 2 if high < inf else 2 * t
        if abs(nearer - t) <= 1e-15 * t:
            break
        t = nearer
    return t


def _density(t: float, df: float) -> float:
    square = t * t
    return exp(log_kernel(df / 2, 0.5, df / (df + square), square / (df + square))) / t


def variance(n: int, summed: float, squares: float) -> float | None:
    """The sample variance from sum and sum of squares; None where these cannot tell it.

    That is below two items, and where the items differ so little that their squares' rounding hides it.
    """
    if n < 2:
        return None
    mean_square = summed * summed / n
    spread = squares - mean_square
    return spread / (n - 1) if spread > 1e-9 * mean_square and spread > 0 else None


def mean_interval(n: int, mean: float, spread: float, level: float = 0.95) -> tuple[float, float]:
    """The interval of a mean of n items of which `spread` is the sample variance. Half width: t s / sqrt(n)."""
    half = two_sided(level, n - 1) * sqrt(spread / n)
    return mean - half, mean + half
