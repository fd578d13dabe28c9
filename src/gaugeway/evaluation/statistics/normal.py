"""The normal distribution, accurate far into its tails."""

from __future__ import annotations

from math import erfc, sqrt
from statistics import NormalDist

_STANDARD = NormalDist()


def cdf(z: float) -> float:
    """The probability of a value up to z."""
    return erfc(-z / sqrt(2)) / 2


def quantile(probability: float) -> float:
    """The value that is not exceeded with a probability strictly between 0 and 1."""
    return _STANDARD.inv_cdf(probability)


def two_sided(level: float) -> float:
    """How many standard deviations on both sides hold a share of all values: 1.96 for 0.95."""
    return -quantile((1 - level) / 2)


def two_sided_p(z: float) -> float:
    """The probability of being at least so far from 0, on either side."""
    return min(erfc(abs(z) / sqrt(2)), 1.0)
