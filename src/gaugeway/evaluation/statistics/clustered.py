"""The interval of a mean or rate whose items come in clusters (a user's requests): items of one are alike.

Taylor linearisation of sum / count over clusters, t with (clusters - 1) degrees: the cluster-robust standard error
(CR1) of a regression on a constant. W. G. Cochran, "Sampling Techniques" (1977), 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, sqrt

from msgspec import Struct

from gaugeway.evaluation.statistics import student

MIN_CLUSTERS = 5
"""With fewer the interval would be wide and still not hold what it promises."""


class Cluster(Struct, frozen=True):
    """What a quotient needs of one cluster."""

    dividend: float
    divisor: float


def standard_error(clusters: list[Cluster]) -> float:
    """Of the sum of dividends over the sum of divisors."""
    dividend = fsum(cluster.dividend for cluster in clusters)
    divisor = fsum(cluster.divisor for cluster in clusters)
    quotient = dividend / divisor
    squares = fsum((cluster.dividend - quotient * cluster.divisor) ** 2 for cluster in clusters)
    count = len(clusters)
    return sqrt(count / (count - 1) * squares) / abs(divisor)


def clustered_interval(clusters: list[Cluster], level: float = 0.95) -> tuple[float, float] | None:
    """The interval; None below MIN_CLUSTERS, or where the clusters do not differ at all."""
    clusters = [cluster for cluster in clusters if cluster.divisor]
    if len(clusters) < MIN_CLUSTERS:
        return None
    error = standard_error(clusters)
    quotient = fsum(one.dividend for one in clusters) / fsum(one.divisor for one in clusters)
    if error <= 1e-9 * abs(quotient):
        return None
    half = student.two_sided(level, len(clusters) - 1) * error
    return quotient - half, quotient + half


class Apart(Struct, frozen=True):
    """How far two quotients are apart whose items come in clusters, some of which both may have."""

    difference: float  # the second's minus the first's
    error: float  # its standard error
    degrees: float  # of freedom
    clusters: tuple[int, int]  # of either side

    @property
    def p_value(self) -> float:
        """Of there being no difference, by Student's t."""
        return student.two_sided_p(self.difference / self.error, self.degrees)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the difference."""
        half = student.two_sided(level, self.degrees) * self.error
        return self.difference - half, self.difference + half


def quotients_apart(first: Mapping[str | None, Cluster], second: Mapping[str | None, Cluster]) -> Apart | None:
    """The second quotient against the first, by cluster; None below MIN_CLUSTERS on a side, or without any spread.

    By linearisation over all clusters: one that is on both sides counts once, with what it does on both, so that
    users who are always there and always alike widen nothing. Where few clusters have most of the items, few
    degrees of freedom are left: those of as many equal clusters as would say the same (L. Kish, "Survey Sampling",
    1965).
    """
    sides = [{name: one for name, one in side.items() if one.divisor} for side in (first, second)]
    counts = (len(sides[0]), len(sides[1]))
    if min(counts) < MIN_CLUSTERS:
        return None
    pulls = [_pulls(side) for side in sides]
    squares = fsum(
        (pulls[1].get(one, 0.0) - pulls[0].get(one, 0.0)) ** 2 for one in sides[0].keys() | sides[1].keys()
    )
    quotients = [fsum(one.dividend for one in side.values()) / _sum(side) for side in sides]
    error = sqrt(squares)
    if error <= 1e-9 * max(map(abs, quotients)):
        return None
    degrees = min(_sum(side) ** 2 / fsum(one.divisor**2 for one in side.values()) for side in sides) - 1
    return Apart(quotients[1] - quotients[0], error, max(degrees, 1.0), counts)


def _pulls(side: Mapping[str | None, Cluster]) -> dict[str | None, float]:
    """How far each cluster pulls the quotient from where it would be without it."""
    divisor = _sum(side)
    quotient = fsum(one.dividend for one in side.values()) / divisor
    factor = sqrt(len(side) / (len(side) - 1)) / divisor
    return {name: factor * (one.dividend - quotient * one.divisor) for name, one in side.items()}


def _sum(side: Mapping[str | None, Cluster]) -> float:
    return fsum(one.divisor for one in side.values())
