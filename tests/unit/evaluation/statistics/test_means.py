"""Intervals of means and quotients against scipy and statsmodels, and what they promise by simulation."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gaugeway.evaluation.statistics import student
from gaugeway.evaluation.statistics.bootstrap import bca_mean
from gaugeway.evaluation.statistics.clustered import Cluster, clustered_interval, standard_error
from gaugeway.evaluation.statistics.quotient import Sums, quotient_interval
from gaugeway.evaluation.statistics.quotient import standard_error as quotient_error

numbers = st.lists(st.integers(0, 10**6), min_size=2, max_size=60).filter(lambda items: len(set(items)) > 1)


def t_interval(items) -> tuple[float, float]:
    items = [float(item) for item in items]
    spread = student.variance(len(items), sum(items), sum(item * item for item in items))
    assert spread is not None
    return student.mean_interval(len(items), sum(items) / len(items), spread)


@given(numbers)
def test_the_t_interval_is_scipy_s(items):
    theirs = stats.ttest_1samp(items, 0).confidence_interval()
    scale = max(items)
    assert t_interval(items) == pytest.approx((theirs.low, theirs.high), abs=1e-9 * scale, rel=1e-8)


@pytest.mark.parametrize("items", [[], [5.0], [3.0, 3.0], [0.1] * 1000, [0.0] * 9])
def test_no_spread_no_variance(items):
    assert student.variance(len(items), sum(items), sum(item * item for item in items)) is None


def coverage(intervals, truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in intervals]))


def test_about_95_of_100_t_intervals_hold_the_mean():
    random = np.random.default_rng(11)
    assert 0.94 <= coverage([t_interval(row) for row in random.normal(9, 2, (4000, 8))], 9) <= 0.96
    skewed = [t_interval(row) for row in random.exponential(5, (2000, 200))]
    assert 0.93 <= coverage(skewed, 5) <= 0.96


@pytest.mark.parametrize("seed", [0, 5])
def test_bca_is_scipy_s(seed):
    items = np.random.default_rng(3).lognormal(size=80)
    theirs = stats.bootstrap((items,), np.mean, method="BCa", rng=np.random.default_rng(seed)).confidence_interval
    assert bca_mean(items, seed=seed) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_bca_is_repeatable_and_moves_with_the_seed():
    items = np.arange(50.0) ** 2
    assert bca_mean(items) == bca_mean(items)
    assert bca_mean(items) != bca_mean(items, seed=1)


def test_bca_knows_nothing_where_nothing_differs():
    assert bca_mean(np.full(10, 3.0)) is None
    assert bca_mean(np.array([3.0])) is None


def test_about_95_of_100_bca_intervals_hold_the_mean_of_a_skewed_lot():
    rows = np.random.default_rng(2).exponential(5, (300, 60))
    found = [bca_mean(row) for row in rows]
    assert all(found)
    assert 0.9 <= coverage(found, 5) <= 0.98


def clusters_of(values, groups) -> list[Cluster]:
    return [Cluster(float(values[groups == g].sum()), float((groups == g).sum())) for g in np.unique(groups)]


def test_the_clustered_error_is_statsmodels_s():
    random = np.random.default_rng(4)
    groups = random.integers(0, 25, 400)
    values = random.normal(3, 1, 400) + random.normal(0, 2, 25)[groups]
    fit = sm.OLS(values, np.ones(400)).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}, use_t=True
    )
    g = len(np.unique(groups))
    assert standard_error(clusters_of(values, groups)) == pytest.approx(
        float(fit.bse[0]) * sqrt(g / (g - 1)), rel=1e-9
    )


def test_clusters_widen_an_interval_so_that_it_holds_what_it_promises():
    random = np.random.default_rng(5)
    plain, robust = [], []
    for _ in range(1000):
        groups = np.repeat(np.arange(20), 15)
        values = random.normal(0, 1, 300) + random.normal(0, 1, 20)[groups]
        plain.append(t_interval(values + 50))
        robust.append(clustered_interval(clusters_of(values + 50, groups)))
    assert coverage(plain, 50) < 0.6
    assert 0.93 <= coverage(robust, 50) <= 0.97


def test_too_few_clusters_say_nothing():
    assert clustered_interval([Cluster(1, 2), Cluster(2, 2), Cluster(2, 3), Cluster(1, 3)]) is None
    assert clustered_interval([Cluster(1, 2)] * 9) is None
    assert clustered_interval([Cluster(0, 0)] * 9) is None


def sums_of(y, x) -> Sums:
    return Sums(len(y), y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum())


def test_a_quotient_of_sums_is_the_cluster_formula_with_one_item_a_cluster():
    random = np.random.default_rng(6)
    x = random.uniform(1, 5, 200)
    y = x * 20 + random.normal(0, 4, 200)
    ours = quotient_interval(sums_of(y, x))
    assert ours == pytest.approx(clustered_interval([Cluster(*pair) for pair in zip(y, x, strict=True)]), rel=1e-9)


def test_about_95_of_100_quotient_intervals_hold_the_truth():
    random = np.random.default_rng(7)
    found = []
    for _ in range(2000):
        x = random.exponential(2, 100) + 0.1
        found.append(quotient_interval(sums_of(x * 30 + random.normal(0, 10, 100), x)))
    assert 0.92 <= coverage(found, 30) <= 0.97


def test_a_quotient_without_spread():
    x = np.arange(1.0, 10)
    assert quotient_error(sums_of(3 * x, x)) is None
    assert quotient_error(sums_of(x[:1], x[:1])) is None
    assert quotient_interval(sums_of(x[:0], x[:0])) is None
