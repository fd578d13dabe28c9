"""How two lots of marks compare, as lots of different items or item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG, Contrast, Spread, unknown
from gaugeway.evaluation.statistics import newcombe, student, tango
from gaugeway.evaluation.statistics.mann_whitney import mann_whitney
from gaugeway.evaluation.statistics.mcnemar import mcnemar
from gaugeway.evaluation.statistics.permutation import paired_permutation
from gaugeway.evaluation.statistics.two_rates import FISHER, rates_test
from gaugeway.evaluation.statistics.welch import Moments, pooled_t, pooled_variance, welch

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 30
"""Below so many marks on a side their means need not be nearly normal, and ranks decide."""

ENOUGH = 200
"""With fewer items on a side their own spread is not to be trusted alone."""
HIT = 100.0
"""The mark of an item that counts; of one that does not it is 0."""


def means_apart(one: Moments, two: Moments) -> Contrast:
    """The means of different items: Welch's t and its interval.

    Few items of a kind with a long tail may be alike by chance, which would look certain to Welch's t. So of few
    Student's t decides if it is less certain: it takes the items of both sides to differ alike.
    """
    difference = two.mean - one.mean
    if one.n < 2 or two.n < 2:
        return unknown(difference, ONE_LOG)
    if one.variance + two.variance <= 0:
        return unknown(difference, NO_SPREAD)
    low, high, p_value = welch(one, two)
    if min(one.n, two.n) < ENOUGH:
        left, right, pooled_p = pooled_t(one, two)
        if right - left > high - low:
            alike = pooled_variance(one, two)
            return Contrast(
                difference=difference,
                interval=(left, right),
                method="student",
                test="Student's t",
                p_value=pooled_p,
                spreads=(Spread(one.n, alike), Spread(two.n, alike)),
            )
    return Contrast(
        difference=difference,
        interval=(low, high),
        method="welch",
        test="Welch's t",
        p_value=p_value,
        spreads=(Spread(one.n, one.variance), Spread(two.n, two.variance)),
    )


def marks_apart(first: NDArray[Any], second: NDArray[Any]) -> Contrast:
    """The same where every mark is known: the test is Mann-Whitney's where they are few.

    Its ranks may point the other way than the means do. Then nothing is shown.
    """
    from msgspec.structs import replace

    sides = [
        Moments(len(side), float(side.mean()), float(side.var(ddof=1)) if len(side) > 1 else 0.0)
        for side in (first, second)
    ]
    contrast = means_apart(*sides)
    if contrast.p_value is None or min(len(first), len(second)) >= FEW:
        return contrast
    p_value, shift = mann_whitney(first, second)
    if p_value < 1 and shift * contrast.difference < 0:
        why = "most scores moved the other way than their mean, so neither is shown"
        return replace(contrast, test="Mann-Whitney U", p_value=1.0, spreads=(), why=why)
    return replace(contrast, test="Mann-Whitney U", p_value=p_value)


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
    """Two shares in percent, of different items: Newcombe's interval; the pooled z-test, of few items Fisher's."""
    low, high = newcombe.unpaired(k1, n1, k2, n2)
    test, p_value = rates_test(k1, n1, k2, n2)
    return Contrast(
        difference=100 * (k2 / n2 - k1 / n1),
        interval=(100 * low, 100 * high),
        method="newcombe",
        test=test,
        p_value=p_value,
        spreads=(Spread(n1, _variance(k1, n1)), Spread(n2, _variance(k2, n2))),
        slack=_slack(k2 / n2 - k1 / n1) if test == FISHER else 0.0,
    )


def paired_shares(first: NDArray[Any], second: NDArray[Any]) -> Contrast:
    """Marks of 100 and 0 of the same items. Where one is in between, of several logs of its item, they are means.

    Tango's interval and McNemar's exact test. Where no pair differs, that bounds how often one does.
    """
    one, two = first == HIT, second == HIT
    if not ((one | (first == 0)) & (two | (second == 0))).all():
        return paired_means(first, second)
    n = len(first)
    only_first, only_second = int((one & ~two).sum()), int((~one & two).sum())
    low, high = tango.paired(only_first, only_second, n)
    moved = (only_second - only_first) / n
    apart = (only_first + only_second + 1) / (n + 2)  # as for rates: none seen does not mean none there is
    return Contrast(
        difference=100 * moved,
        interval=(100 * low, 100 * high),
        method="tango",
        test="McNemar, exact",
        p_value=mcnemar(only_first, only_second),
        slack=_slack(moved),
        spreads=(Spread(n, 1e4 * max(apart - moved * moved, 0.0)),),
    )


def _slack(moved: float) -> float:
    """About how many more items an exact test takes, as it counts whole ones: found by enumeration."""
    return 1 / abs(moved) if moved else 0.0


def _variance(hits: int, n: int) -> float:
    """Of marks of 0 and 100, one more of each added: none seen does not mean none there is."""
    share = (hits + 1) / (n + 2)
    return 1e4 * share * (1 - share)
