"""The interval of a mean or rate whose items come in clusters (a user's requests): items of one are alike.

Taylor linearisation of sum / count over clusters, t with (clusters - 1) degrees: the cluster-robust standard error
(CR1) of a regression on a constant. W. G. Cochran, "Sampling Techniques" (1977), 9.
"""

from __future__ import annotations

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
