"""The test of two rates of different items: the pooled z-test."""

from __future__ import annotations

from math import sqrt

from gaugeway.evaluation.statistics.normal import two_sided_p


def two_rates(k1: int, n1: int, k2: int, n2: int) -> float:
    """The two-sided p-value of k1 / n1 and k2 / n2 being the same rate."""
    pooled = (k1 + k2) / (n1 + n2)
    error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return two_sided_p((k2 / n2 - k1 / n1) / error) if error > 0 else 1.0
