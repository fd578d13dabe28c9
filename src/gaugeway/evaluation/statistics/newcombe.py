"""The interval of a difference of two rates of different items: R. G. Newcombe, Statistics in Medicine 17 (1998).

Method 11 of "Interval estimation for the difference between independent proportions": from the two Wilson
intervals, corrected for continuity. Without that correction (method 10) a margin passes too easily: of one item on
each side even one time in six, where it is to be one in forty.
"""

from __future__ import annotations

from math import sqrt

from gaugeway.evaluation.statistics.wilson import corrected_wilson


def unpaired(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of k2 / n2 - k1 / n1."""
    p1, p2 = k1 / n1, k2 / n2
    (l1, u1), (l2, u2) = corrected_wilson(k1, n1, level), corrected_wilson(k2, n2, level)
    below, above = sqrt((p2 - l2) ** 2 + (u1 - p1) ** 2), sqrt((u2 - p2) ** 2 + (p1 - l1) ** 2)
    return max(p2 - p1 - below, -1.0), min(p2 - p1 + above, 1.0)
