"""Wilson's interval against statsmodels, and what it promises by simulation."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from gaugeway.core.metrics import Interval
from gaugeway.evaluation.statistics.decimals import interval
from gaugeway.evaluation.statistics.rates import percentage
from gaugeway.evaluation.statistics.wilson import wilson


@given(st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_it_equals_statsmodels(pair, level):
    successes, n = pair
    expected = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    assert wilson(successes, n, level) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 2), (3, 2)])
def test_nonsense_is_refused(successes, n):
    with pytest.raises(ValueError, match="a rate needs items"):
        wilson(successes, n)


@pytest.mark.parametrize(("n", "p"), [(5, 0.5), (20, 0.1), (60, 0.8), (500, 0.02)])
def test_about_95_of_100_intervals_hold_the_truth(n, p):
    draws = np.random.default_rng(7).binomial(n, p, 20_000)
    ends = {int(k): wilson(int(k), n) for k in np.unique(draws)}
    held = np.mean([ends[int(k)][0] <= p <= ends[int(k)][1] for k in draws])
    assert 0.92 <= held <= 0.985


def test_the_ends_are_rounded_outwards():
    assert interval(1 / 3, 2 / 3, "x") == Interval(Decimal("0.333333333"), Decimal("0.666666667"), "x")


def test_a_percentage_keeps_its_ends_where_they_are():
    metric = percentage(3, 3, 5, "note")
    assert (metric.value, metric.n, metric.skipped) == (100, 3, 2)
    assert metric.interval is not None
    assert metric.interval.high == 100
    assert float(metric.interval.low) == pytest.approx(43.85, abs=0.01)
    assert percentage(0, 0, 5, "note").interval is None
