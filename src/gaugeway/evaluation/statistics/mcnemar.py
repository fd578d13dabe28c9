"""McNemar's exact test: whether pairs changed more often one way than the other."""

from __future__ import annotations

from gaugeway.evaluation.statistics import binomial


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value from the pairs that differ: those where only the first, only the second succeeded."""
    n = only_first + only_second
    return min(2 * binomial.cdf(min(only_first, only_second), n, 0.5), 1.0) if n else 1.0
