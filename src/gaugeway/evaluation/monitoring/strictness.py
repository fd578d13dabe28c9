"""The p-value of a look: the comparison's, held against a second test that is right at very small levels too.

A comparison's tests are right at 5 %. A look has a small part of that, where their approximations fail first: the
z-test of shares where misses are few, Welch's t where values have a long tail. The larger of two p-values counts.
"""

from __future__ import annotations

from math import sqrt

from gaugeway.core.comparisons import Difference
from gaugeway.core.metrics import Metric
from gaugeway.evaluation.statistics import student
from gaugeway.evaluation.statistics.fisher import fisher

_SHARES = "newcombe"  # the interval's method where two shares of different logs are compared
_MEANS = ("welch", "student", "linearised")  # and where two means or quotients are


def strict_p(difference: Difference, reference: Metric, window: Metric) -> float | None:
    """None where the comparison has none."""
    p_value = difference.p_value
    if p_value is None:
        return None
    if difference.method == _SHARES and reference.value is not None and window.value is not None:
        counts = [(round(float(value) * n / 100), n) for value, n in _pairs(reference, window)]
        return max(p_value, fisher(*counts[0], *counts[1]))
    if difference.method in _MEANS and difference.difference is not None and len(difference.spreads) == 2:
        return max(p_value, _pooled_p(difference.difference, difference.spreads[0], difference.spreads[1]))
    return p_value


def _pairs(*metrics: Metric) -> list[tuple[float, int]]:
    return [(float(one.value), one.n) for one in metrics if one.value is not None]


def _pooled_p(moved: float, one: tuple[int, float], two: tuple[int, float]) -> float:
    """Student's t with one spread for both sides.

    Few values of a long-tailed kind whose mean is low have a low spread too, and look certain to Welch's t; the
    spread of the many does not move with them. Where their mean is high it is Welch's that is slow to believe.
    """
    (n1, v1), (n2, v2) = one, two
    degrees = n1 + n2 - 2
    spread = ((n1 - 1) * v1 + (n2 - 1) * v2) / degrees if degrees > 0 else 0.0
    if spread <= 0:
        return 1.0
    return student.two_sided_p(moved / sqrt(spread * (1 / n1 + 1 / n2)), degrees)
