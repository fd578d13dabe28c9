"""The difference of a percentile between different items: its interval and a test.

The interval joins the two order-statistic intervals as Newcombe joins Wilson's (MOVER: G. Y. Zou and A. Donner,
Statistics in Medicine 27, 2008). The test is Mood's: what share of each side lies beyond the percentile of both
sides together, compared as two rates.
"""

from __future__ import annotations

from math import sqrt

from gaugeway.core.aggregates import Distribution
from gaugeway.evaluation.statistics.order_statistics import nearest_rank, percentile, percentile_interval
from gaugeway.evaluation.statistics.two_rates import rates_test


def difference_interval(
    first: Distribution, second: Distribution, percent: int, level: float = 0.95
) -> tuple[float, float] | None:
    """The interval of the second's percentile minus the first's; None where one side has too few items."""
    one, two = percentile_interval(first, percent, level), percentile_interval(second, percent, level)
    if one is None or two is None:
        return None
    q1, q2 = percentile(first, percent), percentile(second, percent)
    below, above = sqrt((q2 - two[0]) ** 2 + (one[1] - q1) ** 2), sqrt((two[1] - q2) ** 2 + (q1 - one[0]) ** 2)
    return q2 - q1 - below, q2 - q1 + above


def quantile_test(first: Distribution, second: Distribution, percent: int) -> float:
    """The two-sided p-value of both sides having as many items beyond the percentile of all of them."""
    together = first.merged(second)
    bound = together.at_rank(nearest_rank(together.n, percent))
    return rates_test(first.up_to(bound), first.n, second.up_to(bound), second.n)[1]
