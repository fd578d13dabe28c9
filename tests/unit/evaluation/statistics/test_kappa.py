"""Cohen's kappa against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from gaugeway.evaluation.statistics.kappa import Kappa, cohen

TABLES = st.integers(2, 5).flatmap(
    lambda size: st.lists(st.lists(st.integers(0, 50), min_size=size, max_size=size), min_size=size, max_size=size)
)


@given(TABLES)
def test_it_equals_statsmodels(table):
    found = cohen(table)
    assume(found is not None and found.low is not None)
    assert found is not None
    assert found.low is not None
    expected = cohens_kappa(np.array(table))
    half = 1.959963984540054 * expected.std_kappa
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    assert found.low == pytest.approx(max(expected.kappa - half, -1), abs=1e-7)
    assert found.high == pytest.approx(min(expected.kappa + half, 1), abs=1e-7)


def test_the_example_of_fleiss_cohen_and_everitt():
    """Their table 1: three diagnoses of 200 patients; kappa 0.429."""
    found = cohen([[106, 10, 4], [22, 28, 10], [2, 12, 6]])
    assert found is not None
    assert found.value == pytest.approx(0.429, abs=5e-4)


@pytest.mark.parametrize("table", [[[0, 0], [0, 0]], [[7, 0], [0, 0]]])
def test_where_chance_agrees_fully_nothing_is_known(table):
    assert cohen(table) is None


def test_full_agreement_has_no_interval_rather_than_one_without_width():
    assert cohen([[3, 0], [0, 4]]) == Kappa(1.0, None, None)


@pytest.mark.parametrize("table", [[[0, 40], [0, 2]], [[0, 0], [1, 2]]])
def test_one_that_gives_all_the_same_label_leaves_no_interval_either(table):
    """Kappa is then 0 whatever the other says: an interval from 0 to 0 would be certain of that."""
    assert cohen(table) == Kappa(0.0, None, None)


def test_about_95_of_100_intervals_hold_the_truth():
    chances = np.array([0.4, 0.1, 0.15, 0.35])
    table = chances.reshape(2, 2)
    expected = float(table.sum(axis=1) @ table.sum(axis=0))
    truth = (0.75 - expected) / (1 - expected)
    held = 0
    for draw in np.random.default_rng(3).multinomial(100, chances, 2000):
        found = cohen(draw.reshape(2, 2).tolist())
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
    assert 0.92 <= held / 2000 <= 0.98
