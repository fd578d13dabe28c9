"""A rate with its counter's errors taken off: by hand, and what its interval promises by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from gaugeway.evaluation.statistics.misclassified import Counted, corrected_rate


def test_by_hand():
    """60 % called good, by a judge that finds 90 % of the good and 80 % of the bad: (0.6 + 0.8 - 1) / 0.7."""
    found = corrected_rate(Counted(600, 1000), Counted(90, 100), Counted(80, 100))
    assert found is not None
    assert found[0] == pytest.approx(0.4 / 0.7, abs=1e-12)
    assert found[1] < found[0] < found[2]


def test_a_judge_without_error_leaves_the_rate_as_it_is():
    found = corrected_rate(Counted(30, 100), Counted(10**6, 10**6), Counted(10**6, 10**6))
    assert found is not None
    assert found[0] == pytest.approx(0.3, abs=1e-12)


@pytest.mark.parametrize(
    ("said", "sensitivity", "specificity"),
    [
        (Counted(5, 10), Counted(5, 10), Counted(5, 10)),
        (Counted(5, 10), Counted(2, 10), Counted(7, 10)),
        (Counted(0, 0), Counted(9, 10), Counted(9, 10)),
        (Counted(5, 10), Counted(0, 0), Counted(9, 10)),
        (Counted(5, 10), Counted(9, 10), Counted(0, 0)),
    ],
)
def test_where_nothing_follows(said, sensitivity, specificity):
    assert corrected_rate(said, sensitivity, specificity) is None


def test_it_stays_within_0_and_1():
    found = corrected_rate(Counted(0, 50), Counted(18, 20), Counted(15, 20))
    assert found is not None
    assert found[0] == 0
    assert found[1] == 0
    assert found[2] < 1


@pytest.mark.parametrize("good", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("marked", "n"), [(60, 400), (200, 2000)])
def test_about_95_of_100_intervals_hold_the_truth(good, marked, n):
    """People mark the first items of those that the judge scored."""
    random = np.random.default_rng(11)
    held, runs = 0, 0
    for _ in range(1500):
        truth = random.random(n) < good
        called = np.where(truth, random.random(n) < 0.85, random.random(n) < 0.25)
        known, said = truth[:marked], called[:marked]
        found = corrected_rate(
            Counted(int(called.sum()), n),
            Counted(int((known & said).sum()), int(known.sum())),
            Counted(int((~known & ~said).sum()), int((~known).sum())),
        )
        if found is None:
            continue
        runs += 1
        held += found[1] <= good <= found[2]
    assert runs > 1000
    assert 0.925 <= held / runs <= 0.995
