"""The interval of a percentile, read off the ordered items themselves: no assumption about their distribution.

How many of n items lie below the true percentile is binomial, so between which two ranks it lies is known. See
W. J. Conover, "Practical Nonparametric Statistics" (1999), 3.2.
"""

from __future__ import annotations

from math import ceil, log

from gaugeway.core.aggregates import Distribution
from gaugeway.evaluation.statistics import binomial


def ranks(n: int, percent: int, level: float = 0.95) -> tuple[int, int] | None:
    """The two ranks (from 1) whose items hold the percentile between them; None where n items are too few."""
    if n < fewest(percent, level):
        return None
    share, tail = percent / 100, (1 - level) / 2
    return binomial.quantile(tail, n, share), binomial.quantile(1 - tail, n, share) + 1


def fewest(percent: int, level: float = 0.95) -> int:
    """How many items it takes for one to lie above the percentile, and one below, with the needed confidence."""
    share, tail = percent / 100, (1 - level) / 2
    return max(ceil(log(tail) / log(share)), ceil(log(tail) / log(1 - share)))


def nearest_rank(n: int, percent: int) -> int:
    """The rank of the item that so many percent of n do not exceed."""
    return max(-(-n * percent // 100), 1)


def percentile(items: Distribution, percent: int) -> float:
    """The smallest item that at least so many percent do not exceed. ValueError of none."""
    return items.at_rank(nearest_rank(items.n, percent))


def percentile_interval(items: Distribution, percent: int, level: float = 0.95) -> tuple[float, float] | None:
    """The percentile's interval; None where there are too few items."""
    found = ranks(items.n, percent, level)
    return None if found is None else (items.at_rank(found[0]), items.at_rank(found[1]))
