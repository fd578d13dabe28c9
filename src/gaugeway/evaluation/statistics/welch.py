"""Welch's t: the difference of two means of different items, whose spreads may differ too. And Student's own."""

from __future__ import annotations

from math import sqrt

from msgspec import Struct

from gaugeway.evaluation.statistics import student


class Moments(Struct, frozen=True):
    """What a mean needs of some items."""

    n: int
    mean: float
    variance: float  # of the items, with n - 1


def pooled_variance(one: Moments, two: Moments) -> float:
    """The variance of the items of both sides, each about its own mean."""
    return ((one.n - 1) * one.variance + (two.n - 1) * two.variance) / (one.n + two.n - 2)


def error_and_degrees(first: Moments, second: Moments) -> tuple[float, float]:
    """The standard error of the difference, and its degrees of freedom (Satterthwaite)."""
    a, b = first.variance / first.n, second.variance / second.n
    return sqrt(a + b), (a + b) ** 2 / (a * a / (first.n - 1) + b * b / (second.n - 1))


def welch(first: Moments, second: Moments, level: float = 0.95) -> tuple[float, float, float]:
    """The interval of second - first, and the two-sided p-value of there being no difference."""
    error, degrees = error_and_degrees(first, second)
    difference = second.mean - first.mean
    half = student.two_sided(level, degrees) * error
    return difference - half, difference + half, student.two_sided_p(difference / error, degrees)


def pooled_t(first: Moments, second: Moments, level: float = 0.95) -> tuple[float, float, float]:
    """The same by Student's t, which takes the items of both sides to have one spread."""
    error = sqrt(pooled_variance(first, second) * (1 / first.n + 1 / second.n))
    degrees = first.n + second.n - 2
    difference = second.mean - first.mean
    half = student.two_sided(level, degrees) * error
    return difference - half, difference + half, student.two_sided_p(difference / error, degrees)
