"""The test of two rates of different items: the pooled z-test, of few items Fisher's."""

from __future__ import annotations

from math import sqrt

from gaugeway.evaluation.statistics.fisher import fisher
from gaugeway.evaluation.statistics.normal import two_sided_p

FISHER = "Fisher, exact"
EXPECTED = 5
"""Where fewer hits or misses are to be expected on a side, the z-test finds differences that are not there."""


def rates_test(k1: int, n1: int, k2: int, n2: int) -> tuple[str, float]:
    """The test that holds for so many items, and its two-sided p-value."""
    hits, n = k1 + k2, n1 + n2
    if min(n1, n2) * min(hits, n - hits) < EXPECTED * n:
        return FISHER, fisher(k1, n1, k2, n2)
    return "two-proportion z", two_rates(k1, n1, k2, n2)


def two_rates(k1: int, n1: int, k2: int, n2: int) -> float:
    """The two-sided p-value of k1 / n1 and k2 / n2 being the same rate."""
    pooled = (k1 + k2) / (n1 + n2)
    error = sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    return two_sided_p((k2 / n2 - k1 / n1) / error) if error > 0 else 1.0
