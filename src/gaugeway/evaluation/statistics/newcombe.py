"""The interval of a difference of two rates: R. G. Newcombe, Statistics in Medicine 17 (1998).

Unpaired: method 10 of "Interval estimation for the difference between independent proportions", from the two Wilson
intervals. Paired: method 10 of "Improved confidence intervals for the difference between binomial proportions
based on paired data", which takes from it what the pairs have in common.
"""

from __future__ import annotations

from math import sqrt

from gaugeway.evaluation.statistics.wilson import wilson


def unpaired(k1: int, n1: int, k2: int, n2: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of k2 / n2 - k1 / n1."""
    return _join(k1 / n1, wilson(k1, n1, level), k2 / n2, wilson(k2, n2, level), 0.0)


def paired(both: int, only_first: int, only_second: int, neither: int, level: float = 0.95) -> tuple[float, float]:
    """The interval of the second rate minus the first, over pairs of which so many had both, one or neither."""
    n = both + only_first + only_second + neither
    first, second = both + only_first, both + only_second
    return _join(
        first / n,
        wilson(first, n, level),
        second / n,
        wilson(second, n, level),
        _phi(both, only_first, only_second, neither),
    )


def _phi(a: int, b: int, c: int, d: int) -> float:
    """How much the pairs have in common, with Newcombe's correction for few of them."""
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        return 0.0
    cross = a * d - b * c
    if cross > 0:
        cross = max(cross - (a + b + c + d) / 2, 0.0)
    return cross / sqrt(margins)


def _join(
    p1: float, ends1: tuple[float, float], p2: float, ends2: tuple[float, float], phi: float
) -> tuple[float, float]:
    difference = p2 - p1
    (l1, u1), (l2, u2) = ends1, ends2
    below = _distance(p2 - l2, u1 - p1, phi)
    above = _distance(u2 - p2, p1 - l1, phi)
    return max(difference - below, -1.0), min(difference + above, 1.0)


def _distance(x: float, y: float, phi: float) -> float:
    return sqrt(max(x * x - 2 * phi * x * y + y * y, 0.0))
