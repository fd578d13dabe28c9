"""Tests and differences of two sides against scipy and statsmodels, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats import contingency_tables, multitest, power

from gaugeway.evaluation.statistics.holm import holm
from gaugeway.evaluation.statistics.mann_whitney import mann_whitney
from gaugeway.evaluation.statistics.mcnemar import mcnemar
from gaugeway.evaluation.statistics.newcombe import unpaired
from gaugeway.evaluation.statistics.non_inferiority import inferiority
from gaugeway.evaluation.statistics.permutation import MAX_PAIRS, paired_permutation
from gaugeway.evaluation.statistics.power import detectable, fewest, more_needed
from gaugeway.evaluation.statistics.tango import paired, score
from gaugeway.evaluation.statistics.two_rates import rates_test, two_rates
from gaugeway.evaluation.statistics.welch import Moments, welch

share = st.integers(1, 10**5).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(share, share)
def test_newcombe_s_difference_is_joined_from_scipy_s_corrected_wilson(first, second):
    (k1, n1), (k2, n2) = first, second
    one, two = (stats.binomtest(*side).proportion_ci(method="wilsoncc") for side in (first, second))
    moved = k2 / n2 - k1 / n1
    below, above = np.hypot(k2 / n2 - two.low, one.high - k1 / n1), np.hypot(two.high - k2 / n2, k1 / n1 - one.low)
    theirs = (max(moved - below, -1), min(moved + above, 1))
    assert unpaired(*first, *second) == pytest.approx(theirs, abs=1e-7)


def test_newcombe_s_own_example():
    """Method 11 of the 1998 paper, table II: 56 of 70 less 48 of 80."""
    low, high = unpaired(48, 80, 56, 70)
    assert (round(low, 4), round(high, 4)) == (0.0428, 0.3422)


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_a_margin_passes_by_chance_as_seldom_as_promised(n):
    """Of n items on each side, where the second's rate is worse by just the margin: one time in forty."""
    passed = {(k1, k2): unpaired(k1, n, k2, n)[0] for k1 in range(n + 1) for k2 in range(n + 1)}
    for margin in (0.1, 0.2, 0.3):
        for rate in np.arange(margin + 0.05, 1, 0.05):
            chances = [stats.binom(n, each).pmf(np.arange(n + 1)) for each in (rate, rate - margin)]
            wrong = sum(chances[0][k1] * chances[1][k2] for (k1, k2), low in passed.items() if low > -margin)
            assert wrong <= 0.03, (margin, rate)


@pytest.mark.parametrize("n", [2, 5, 12, 20])
def test_a_margin_passes_pairs_by_chance_as_seldom_as_promised(n):
    changes = [(b, c) for b in range(n + 1) for c in range(n - b + 1)]
    lows = [paired(b, c, n)[0] for b, c in changes]
    for margin in (0.1, 0.2, 0.3):
        for also in (0.0, 0.05, 0.2, 0.3):
            chances = stats.multinomial(n, [also + margin, also, 1 - 2 * also - margin])
            passed = [(b, c, n - b - c) for (b, c), low in zip(changes, lows, strict=True) if low > -margin]
            assert sum(map(chances.pmf, passed)) <= 0.055, (margin, also)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n))))
def test_tango_s_ends_are_where_the_score_test_begins_to_reject(drawn):
    b, c, n = min(drawn[0], drawn[2] - drawn[1]), drawn[1], drawn[2]
    low, high = paired(b, c, n)
    assert -1 <= low <= (c - b) / n <= high <= 1
    for end, sign in ((low, 1), (high, -1)):
        if abs(end) < 1 - 1e-9:
            assert score(b, c, n, end) == pytest.approx(sign * 1.959964, abs=1e-3)
    assert score(b, c, n, 0) == pytest.approx((c - b) / np.sqrt(b + c) if b + c else 0)


def test_tango_of_pairs_of_which_none_changed():
    square = stats.norm.ppf(0.975) ** 2
    assert paired(0, 0, 10) == pytest.approx((-square / (10 + square), square / (10 + square)))


@pytest.mark.parametrize(("n1", "n2"), [(2, 2), (3, 20), (5, 100), (20, 20)])
def test_rates_of_few_items_differ_by_chance_as_seldom_as_promised(n1, n2):
    found = [(k1, k2) for k1 in range(n1 + 1) for k2 in range(n2 + 1) if rates_test(k1, n1, k2, n2)[1] <= 0.05]
    for rate in np.arange(0.05, 1, 0.05):
        one, two = (stats.binom(n, rate).pmf(np.arange(n + 1)) for n in (n1, n2))
        assert sum(one[k1] * two[k2] for k1, k2 in found) <= 0.055, rate


@given(share, share)
def test_two_rates_is_the_chi_square_test_without_correction(first, second):
    (k1, n1), (k2, n2) = first, second
    if 0 < k1 + k2 < n1 + n2:
        theirs = stats.chi2_contingency([[k1, n1 - k1], [k2, n2 - k2]], correction=False).pvalue
        assert two_rates(k1, n1, k2, n2) == pytest.approx(theirs, abs=1e-9)
    else:
        assert two_rates(k1, n1, k2, n2) == 1


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_statsmodels_s(b, c):
    if b + c == 0:
        assert mcnemar(b, c) == 1
    else:
        theirs = contingency_tables.mcnemar([[5, b], [c, 5]], exact=True).pvalue
        assert mcnemar(b, c) == pytest.approx(min(theirs, 1), abs=1e-9)


items = st.lists(st.integers(-50, 50), min_size=2, max_size=40).filter(lambda found: len(set(found)) > 1)


@given(items, items)
def test_welch_is_scipy_s(first, second):
    theirs = stats.ttest_ind(second, first, equal_var=False)
    ends = theirs.confidence_interval()
    one, two = (Moments(len(side), float(np.mean(side)), float(np.var(side, ddof=1))) for side in (first, second))
    assert welch(one, two) == pytest.approx((ends.low, ends.high, theirs.pvalue), abs=1e-9, rel=1e-8)


@given(items, items)
def test_mann_whitney_is_scipy_s(first, second):
    theirs = stats.mannwhitneyu(second, first, method="asymptotic")
    p_value, shift = mann_whitney(np.array(first), np.array(second))
    assert p_value == pytest.approx(theirs.pvalue, abs=1e-9)
    assert shift == theirs.statistic - len(first) * len(second) / 2


def test_mann_whitney_of_equal_items_and_far_tails():
    assert mann_whitney(np.ones(5), np.ones(7)) == (1, 0)
    far, _ = mann_whitney(np.arange(200.0), np.arange(200.0) + 1000)
    assert far == pytest.approx(stats.mannwhitneyu(range(200), range(1000, 1200), method="asymptotic").pvalue)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=10))
def test_the_exact_permutation_test_is_scipy_s(differences):
    array = np.array(differences, dtype=float)
    theirs = stats.permutation_test(
        (array, np.zeros(len(array))),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=True,
    ).pvalue
    assert paired_permutation(array) == pytest.approx(min(theirs, 1), abs=1e-9)


def test_the_drawn_permutation_test_is_repeatable_and_near_the_exact_one():
    differences = np.random.default_rng(1).normal(0.4, 1, 40)
    p = paired_permutation(differences)
    assert p == paired_permutation(differences) != paired_permutation(differences, seed=9)
    assert p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.01)


def test_many_pairs_need_no_draws():
    differences = np.random.default_rng(1).normal(0.01, 1, MAX_PAIRS + 1)
    assert paired_permutation(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=1e-4)
    assert paired_permutation(np.zeros(5)) == 1


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_statsmodels_s(p_values):
    assert holm(p_values) == pytest.approx(multitest.multipletests(p_values, method="holm")[1], abs=1e-9)


def test_no_question_needs_no_correction():
    assert holm([]) == []


def test_the_items_that_a_difference_needs_are_statsmodels_s():
    theirs = power.NormalIndPower().solve_power(0.3, alpha=0.05, power=0.8, ratio=1)
    assert more_needed(0.3, [(1, 1.0), (1, 1.0)]) == np.ceil(theirs) - 1
    assert more_needed(-0.3, [(100, 1.0), (100, 1.0)]) == np.ceil(theirs) - 100
    assert more_needed(0.3, [(500, 1.0), (500, 1.0)]) == 0
    assert detectable((2 / theirs) ** 0.5) == pytest.approx(0.3, rel=1e-5)


def test_fewer_items_than_that_show_nothing_however_far_they_are_apart():
    for alpha in (0.05, 0.05 / 3, 0.001):
        pairs, items = fewest(1, alpha), fewest(2, alpha)
        assert paired_permutation(np.arange(1.0, pairs + 1)) <= alpha < paired_permutation(np.arange(1.0, pairs))
        exact = [stats.mannwhitneyu(range(n), range(n, 2 * n), method="exact").pvalue for n in (items, items - 1)]
        assert exact[0] <= alpha < exact[1]


@pytest.mark.parametrize(("difference", "variance"), [(0, 1), (1, 0), (1e-9, 1)])
def test_no_number_of_items_shows_what_is_not_there(difference, variance):
    assert more_needed(difference, [(10, variance), (10, variance)]) is None


def test_a_difference_of_the_detectable_size_is_found_four_times_in_five():
    random = np.random.default_rng(4)
    size = detectable((2 / 100) ** 0.5)
    found = 0
    for _ in range(2000):
        one, two = random.normal(0, 1, 100), random.normal(size, 1, 100)
        sides = [Moments(100, float(side.mean()), float(side.var(ddof=1))) for side in (one, two)]
        found += welch(*sides)[2] < 0.05
    assert 0.77 <= found / 2000 <= 0.83


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.5, 3, "not worse"),
        (1, 3, "not worse"),
        (-0.9, -0.2, "not worse"),
        (-1, 3, "cannot tell"),
        (-1.5, -0.5, "cannot tell"),
        (-5, -1.1, "worse"),
        (-5, -1, "cannot tell"),
    ],
)
def test_non_inferiority(low, high, verdict):
    assert inferiority(low, high, 1) == verdict
