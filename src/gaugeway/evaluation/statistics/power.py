"""How small a difference so many items can show, and how many more a difference needs."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, comb, log2, sqrt

from gaugeway.evaluation.statistics import normal

ALPHA = 0.05
"""How often a difference is found where there is none."""
POWER = 0.8
"""The chance of finding a difference that is there: the field's custom."""
MOST = 10**12


def detectable(error: float, alpha: float = ALPHA) -> float:
    """The smallest difference that is found with POWER, where `error` is the difference's standard error."""
    return (normal.two_sided(1 - alpha) + normal.quantile(POWER)) * error


def fewest(sides: int, alpha: float = ALPHA) -> int:
    """How many pairs (one side), or items on each of two, it takes for any exact test to find anything."""
    if sides == 1:
        return ceil(1 - log2(alpha))
    items = 1
    while alpha * comb(2 * items, items) < 2:
        items += 1
    return items


def more_needed(difference: float, sides: Sequence[tuple[int, float]], alpha: float = ALPHA) -> int | None:
    """How many more items each side needs to find a difference with POWER; None: no number does.

    `sides` are their numbers of items and these items' variances (one side: pairs).
    """
    if difference == 0 or not any(variance > 0 for _, variance in sides):
        return None

    def suffices(more: int) -> bool:
        return detectable(sqrt(sum(variance / (n + more) for n, variance in sides)), alpha) <= abs(difference)

    low, high = -1, 1
    while not suffices(high):
        low, high = high, high * 2
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle >= 0 and suffices(middle) else (middle, high)
    return high
