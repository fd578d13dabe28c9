"""The interval of a difference of two rates over the same items: T. Tango, Statistics in Medicine 17 (1998).

The differences that the score test does not reject. So it holds what it promises of a margin where Newcombe's
interval for pairs does not: few items of which most changed one way.
"""

from __future__ import annotations

from math import inf, sqrt

from gaugeway.evaluation.statistics.normal import two_sided

_STEPS = 60


def paired(only_first: int, only_second: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of the second rate minus the first; of n pairs so many had only one of the two."""
    return -_upper(only_second, only_first, n, level), _upper(only_first, only_second, n, level)


def score(only_first: int, only_second: int, n: int, difference: float) -> float:
    """How many standard errors the pairs lie above a true difference of the second rate minus the first."""
    apart = only_second - only_first - n * difference
    if not apart:
        return 0.0
    first = _likeliest(only_first, only_second, n, difference)
    variance = n * (2 * first + difference * (1 - difference))
    return apart / sqrt(variance) if variance > 0 else inf * apart


def _likeliest(only_first: int, only_second: int, n: int, difference: float) -> float:
    """The likeliest rate of pairs with only the first, if that is the true difference."""
    changed = only_first + only_second
    b = changed * (1 - difference) - 2 * only_first * difference - 2 * (n - changed) * difference
    c = only_first * difference * (1 - difference)
    found = (b + sqrt(max(b * b + 8 * n * c, 0.0))) / (4 * n)
    return min(max(found, -difference, 0.0), (1 - difference) / 2)


def _upper(only_first: int, only_second: int, n: int, level: float) -> float:
    z = two_sided(level)
    low, high = (only_second - only_first) / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if score(only_first, only_second, n, middle) > -z else (low, middle)
    return high
