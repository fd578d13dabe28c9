"""The interval of a rate: E. B. Wilson, "Probable inference", JASA 22 (1927).

Holds what it promises down to a handful of items, and never leaves 0 to 1, where the textbook's p ± 1.96 s does.
"""

from __future__ import annotations

from math import sqrt

from gaugeway.evaluation.statistics.normal import two_sided


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """The interval of successes / n, both ends within 0 to 1; ValueError where there is no item."""
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"a rate needs items: {successes} of {n}")
    z = two_sided(level)
    p, square = successes / n, z * z
    middle = (p + square / (2 * n)) / (1 + square / n)
    half = z * sqrt(p * (1 - p) / n + square / (4 * n * n)) / (1 + square / n)
    low = 0.0 if successes == 0 else max(middle - half, 0.0)
    high = 1.0 if successes == n else min(middle + half, 1.0)
    return low, high


def corrected_wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The same with Wilson's correction for continuity: somewhat wider, and never short of what it promises."""
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"a rate needs items: {successes} of {n}")
    return 1 - _corrected_high(n - successes, n, level), _corrected_high(successes, n, level)


def _corrected_high(successes: int, n: int, level: float) -> float:
    if successes == n:
        return 1.0
    z = two_sided(level)
    square, p = z * z, successes / n
    half = 1 + z * sqrt(max(square + 2 - 1 / n + 4 * p * (n - successes - 1), 0.0))
    return min((2 * successes + square + half) / (2 * (n + square)), 1.0)
