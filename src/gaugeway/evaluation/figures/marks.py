"""How two lots of marks compare, as lots of different items or item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG, Contrast, Spread, unknown
from gaugeway.evaluation.statistics import newcombe, student
from gaugeway.evaluation.statistics.mann_whitney import mann_whitney
from gaugeway.evaluation.statistics.mcnemar import mcnemar
from gaugeway.evaluation.statistics.permutation import paired_permutation
from gaugeway.evaluation.statistics.two_rates import two_rates
from gaugeway.evaluation.statistics.welch import Moments, welch

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 30
"""Below so many marks on a side their means need not be nearly normal, and ranks decide."""


def means_apart(one: Moments, two: Moments) -> Contrast:
    """The means of different items: Welch's t and its interval."""
    difference = two.mean - one.mean
    if one.n < 2 or two.n < 2:
        return unknown(difference, ONE_LOG)
    if one.variance + two.variance <= 0:
        return unknown(difference, NO_SPREAD)
    low, high, p_value = welch(one, two)
    return Contrast(
        difference=difference,
        interval=(low, high),
        method="welch",
        test="Welch's t",
        p_value=p_value,
        spreads=(Spread(one.n, one.variance), Spread(two.n, two.variance)),
    )


def marks_apart(first: NDArray[Any], second: NDArray[Any]) -> Contrast:
    """The same where every mark is known: the test is Mann-Whitney's where they are few."""
    from msgspec.structs import replace

    sides = [
        Moments(len(side), float(side.mean()), float(side.var(ddof=1)) if len(side) > 1 else 0.0)
        for side in (first, second)
    ]
    contrast = means_apart(*sides)
    if contrast.p_value is None or min(len(first), len(second)) >= FEW:
        return contrast
    return replace(contrast, test="Mann-Whitney U", p_value=mann_whitney(first, second))


def paired_means(first: NDArray[Any], second: NDArray[Any]) -> Contrast:
    """The means of the same items: Student's interval of the pairs' differences; the test by permutation."""
    moved = second - first
    if not moved.any():
        return unknown(0.0, "all matched items have the same figure")
    n, difference = len(moved), float(moved.mean())
    spread = float(moved.var(ddof=1))
    if spread <= 1e-18 * float((first * first).mean() + (second * second).mean()):
        return unknown(difference, "all pairs differ by the same, so nothing is known of how much pairs differ")
    return Contrast(
        difference=difference,
        interval=student.mean_interval(n, difference, spread),
        method="paired t",
        test="paired permutation",
        p_value=paired_permutation(moved),
        spreads=(Spread(n, spread),),
    )


def shares_apart(k1: int, n1: int, k2: int, n2: int) -> Contrast:
    """Two shares in percent, of different items: Newcombe's interval and the pooled z-test."""
    low, high = newcombe.unpaired(k1, n1, k2, n2)
    return Contrast(
        difference=100 * (k2 / n2 - k1 / n1),
        interval=(100 * low, 100 * high),
        method="newcombe",
        test="two-proportion z",
        p_value=two_rates(k1, n1, k2, n2),
        spreads=(Spread(n1, _variance(k1, n1)), Spread(n2, _variance(k2, n2))),
    )


def paired_shares(first: NDArray[Any], second: NDArray[Any]) -> Contrast:
    """Marks of 100 and 0 of the same items; those that are averages go by halves.

    Newcombe's interval for pairs and McNemar's exact test. Where no pair differs, that bounds how often one does.
    """
    one, two = first >= 50, second >= 50
    both, n = int((one & two).sum()), len(first)
    only_first, only_second = int((one & ~two).sum()), int((~one & two).sum())
    low, high = newcombe.paired(both, only_first, only_second, n - both - only_first - only_second)
    moved = (only_second - only_first) / n
    apart = (only_first + only_second + 1) / (n + 2)  # as for rates: none seen does not mean none there is
    return Contrast(
        difference=100 * moved,
        interval=(100 * low, 100 * high),
        method="newcombe, paired",
        test="McNemar, exact",
        p_value=mcnemar(only_first, only_second),
        spreads=(Spread(n, 1e4 * max(apart - moved * moved, 0.0)),),
    )


def _variance(hits: int, n: int) -> float:
    """Of marks of 0 and 100, one more of each added: none seen does not mean none there is."""
    share = (hits + 1) / (n + 2)
    return 1e4 * share * (1 - share)
