"""Our own distributions against scipy's, to 1e-9."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special as their_special
from scipy import stats

from gaugeway.evaluation.statistics import binomial, normal, special, student

sizes = st.floats(-0.3, 7).map(lambda exponent: 10**exponent)


@given(sizes, sizes, st.floats(-6, 6))
def test_the_incomplete_beta_function(a, b, away):
    mean = a / (a + b)
    deviation = (a * b / ((a + b) ** 2 * (a + b + 1))) ** 0.5
    x = min(max(mean + away * deviation, 1e-12), 1 - 1e-12)
    assert special.beta_cdf(a, b, x) == pytest.approx(their_special.betainc(a, b, x), abs=1e-9)


def test_the_ends_of_the_incomplete_beta_function():
    assert special.beta_cdf(2, 3, 0) == 0
    assert special.beta_cdf(2, 3, 1) == 1
    assert special.beta_cdf(2, 3, 1e-30, 1.0) == pytest.approx(6e-60)


@given(st.floats(0, 40), sizes.filter(lambda df: df >= 1))
def test_student_s_tail(t, df):
    assert student.two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-7, abs=1e-9)


@given(sizes.filter(lambda df: df >= 1), st.floats(0.5, 0.999))
def test_student_s_quantile(df, level):
    assert student.two_sided(level, df) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-9)


def test_no_degrees_of_freedom():
    with pytest.raises(ValueError, match="degrees of freedom"):
        student.two_sided(0.95, 0)


@given(st.integers(1, 10**7), st.floats(0.001, 0.999), st.floats(-5, 5))
def test_the_binomial_distribution(n, p, away):
    k = round(n * p + away * (n * p * (1 - p)) ** 0.5)
    assert binomial.cdf(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), abs=1e-9)


@given(st.integers(1, 10**6), st.sampled_from([0.01, 0.05, 0.5, 0.9, 0.99]), st.sampled_from([0.025, 0.2, 0.975]))
def test_the_binomial_quantile(n, p, probability):
    assert binomial.quantile(probability, n, p) == stats.binom.ppf(probability, n, p)


@given(st.floats(-8, 8))
def test_the_normal_distribution(z):
    assert normal.cdf(z) == pytest.approx(stats.norm.cdf(z), rel=1e-9)
    assert normal.two_sided_p(z) == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert normal.quantile(normal.cdf(min(z, 5))) == pytest.approx(min(z, 5), abs=1e-7)


def test_how_many_deviations_hold_95_percent():
    assert normal.two_sided(0.95) == pytest.approx(1.959963984540054, abs=1e-12)
