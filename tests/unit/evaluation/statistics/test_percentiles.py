"""Percentiles, their intervals and their differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gaugeway.core.aggregates import Distribution
from gaugeway.evaluation.statistics.order_statistics import (
    fewest,
    nearest_rank,
    percentile,
    percentile_interval,
    ranks,
)
from gaugeway.evaluation.statistics.percentiles_apart import difference_interval, quantile_test
from gaugeway.evaluation.statistics.two_rates import two_rates

percents = st.sampled_from([1, 50, 90, 95, 99])


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), percents)
def test_a_percentile_is_an_item_by_nearest_rank(items, percent):
    expected = np.percentile(items, percent, method="inverted_cdf")
    assert percentile(Distribution.of(items), percent) == expected


@given(st.lists(st.integers(0, 20), max_size=60), st.lists(st.integers(0, 20), max_size=60))
def test_a_distribution_is_its_items(first, second):
    both = Distribution.of(first).merged(Distribution.of(second))
    items = sorted(first + second)
    assert both.n == len(items)
    assert [both.at_rank(rank + 1) for rank in range(len(items))] == items
    assert all(both.up_to(value) == sum(item <= value for item in items) for value in range(-1, 22))
    counted = Distribution.of([5, 3, 5], [2, 1, 4])
    assert ([*counted.values], [*counted.counts]) == ([3, 5], [1, 6])


@pytest.mark.parametrize("rank", [0, 4])
def test_there_is_no_item_beyond(rank):
    with pytest.raises(ValueError, match="there is no item"):
        Distribution.of([1, 2, 3]).at_rank(rank)


@given(st.integers(1, 5000), percents)
def test_the_ranks_hold_what_they_promise(n, percent):
    """The chance that the percentile lies between two order statistics is a sum of binomial probabilities."""
    found = ranks(n, percent)
    if found is None:
        assert n < fewest(percent)
        return
    low, high = found
    assert 1 <= low <= nearest_rank(n, percent) <= high <= n
    share = percent / 100
    assert stats.binom.cdf(high - 1, n, share) - stats.binom.cdf(low - 1, n, share) >= 0.95 - 1e-12
    assert stats.binom.cdf(low - 1, n, share) <= 0.025 < stats.binom.cdf(low, n, share)


def test_how_many_items_each_percentile_needs():
    assert {percent: fewest(percent) for percent in (50, 90, 95, 99)} == {50: 6, 90: 36, 95: 72, 99: 368}
    assert percentile_interval(Distribution.of(range(367)), 99) is None
    assert percentile_interval(Distribution.of(range(368)), 99) == (359.0, 367.0)


def test_about_95_of_100_intervals_hold_the_percentile():
    rows = np.random.default_rng(1).lognormal(0, 1, (2000, 400))
    for percent in (50, 95):
        truth = stats.lognorm.ppf(percent / 100, 1)
        found = [percentile_interval(Distribution.of(row), percent) for row in rows]
        assert 0.94 <= np.mean([low <= truth <= high for low, high in found]) <= 0.98


def test_about_95_of_100_difference_intervals_hold_the_difference():
    random = np.random.default_rng(2)
    found = [
        difference_interval(
            Distribution.of(random.exponential(1, 200)), Distribution.of(random.exponential(2, 150)), 90
        )
        for _ in range(2000)
    ]
    truth = stats.expon.ppf(0.9, scale=2) - stats.expon.ppf(0.9)
    assert 0.93 <= np.mean([low <= truth <= high for low, high in found]) <= 0.98


def test_the_quantile_test_is_the_test_of_two_rates_at_the_common_percentile():
    first, second = Distribution.of(range(100)), Distribution.of(range(50, 150))
    assert quantile_test(first, second, 50) == two_rates(75, 100, 25, 100)
    assert quantile_test(first, first, 90) == 1


def test_the_quantile_test_is_wrong_once_in_twenty():
    random = np.random.default_rng(3)
    p_values = [
        quantile_test(Distribution.of(random.lognormal(size=150)), Distribution.of(random.lognormal(size=100)), 90)
        for _ in range(2000)
    ]
    assert 0.03 <= np.mean(np.array(p_values) < 0.05) <= 0.07


def test_the_quantile_test_of_few_items_is_exact():
    """Of six and six, five and one beyond the median come by chance eight times in a hundred."""
    first, second = Distribution.of([1, 2, 3, 4, 5, 12]), Distribution.of([6, 7, 8, 9, 10, 11])
    theirs = stats.fisher_exact([[5, 1], [1, 5]]).pvalue
    assert quantile_test(first, second, 50) == pytest.approx(theirs)
    assert theirs > 0.05 > two_rates(5, 6, 1, 6)


def test_too_few_for_a_difference():
    assert difference_interval(Distribution.of(range(71)), Distribution.of(range(500)), 95) is None
