"""The interval of a quotient of two sums over the same items, such as tokens a second (Taylor linearisation)."""

from __future__ import annotations

from math import sqrt

from msgspec import Struct

from gaugeway.evaluation.statistics import student


class Sums(Struct, frozen=True):
    """Over n items of a dividend y and a divisor x each."""

    n: int
    y: float
    x: float
    yy: float  # sum of squares
    xx: float
    xy: float  # sum of products


def standard_error(sums: Sums) -> float | None:
    """Of y / x; None where it cannot be told (below two items, or they all have one quotient)."""
    if sums.n < 2 or sums.x <= 0:
        return None
    quotient = sums.y / sums.x
    squares = sums.yy - 2 * quotient * sums.xy + quotient * quotient * sums.xx
    if squares <= 1e-9 * sums.yy:
        return None
    return sqrt(sums.n / (sums.n - 1) * squares) / sums.x


def quotient_interval(sums: Sums, level: float = 0.95) -> tuple[float, float] | None:
    """The interval of y / x; None where it cannot be known."""
    error = standard_error(sums)
    if error is None:
        return None
    half = student.two_sided(level, sums.n - 1) * error
    return sums.y / sums.x - half, sums.y / sums.x + half
