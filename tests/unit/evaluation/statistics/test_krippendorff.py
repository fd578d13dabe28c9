"""Krippendorff's alpha: his own worked examples, its equality with kappa's relatives, and its interval."""

from __future__ import annotations

import numpy as np
import pytest

from gaugeway.core.annotations import Measure
from gaugeway.evaluation.statistics.krippendorff import MIN_ITEMS, alpha

VALUES = [1.0, 2.0, 3.0, 4.0, 5.0]
OBSERVERS = [  # Krippendorff (2011), example C: four observers, twelve units, 0 where one did not mark it
    [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
    [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
]
UNITS = [[label - 1 for label in unit if label] for unit in zip(*OBSERVERS, strict=True)]


@pytest.mark.parametrize(("measure", "expected"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_his_example_with_missing_marks(measure, expected):
    found = alpha(UNITS, VALUES, Measure(measure))
    assert found is not None
    assert found[0] == pytest.approx(expected, abs=5e-4)


def test_his_example_of_two_observers_and_two_values():
    """Example A: alpha 0.095."""
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    found = alpha([list(pair) for pair in zip(first, second, strict=True)], [0.0, 1.0], Measure.NOMINAL)
    assert found is not None
    assert found[0] == pytest.approx(0.095, abs=5e-4)


def test_his_example_of_two_observers_and_five_values():
    """Example B: alpha 0.692."""
    first = [0, 0, 1, 1, 3, 2, 2, 2, 4, 3, 3, 0]
    second = [1, 0, 1, 1, 1, 2, 2, 2, 4, 3, 3, 3]
    found = alpha([list(pair) for pair in zip(first, second, strict=True)], VALUES, Measure.NOMINAL)
    assert found is not None
    assert found[0] == pytest.approx(0.692, abs=5e-4)


def test_items_with_one_mark_change_nothing():
    assert alpha(UNITS, VALUES, Measure.NOMINAL) == alpha([*UNITS, [3], []], VALUES, Measure.NOMINAL)


@pytest.mark.parametrize("items", [[], [[0]], [[1, 1], [1, 1, 1]]])
def test_where_nothing_varies_nothing_is_known(items):
    assert alpha(items, VALUES, Measure.ORDINAL) is None


def test_few_items_have_no_interval():
    found = alpha([[0, 1]] + [[0, 0]] * (MIN_ITEMS - 2), VALUES, Measure.NOMINAL)
    assert found is not None
    assert found[1] is None


def test_the_interval_is_repeatable_and_holds_the_figure():
    found = alpha(UNITS, VALUES, Measure.INTERVAL, seed=4)
    assert found == alpha(UNITS, VALUES, Measure.INTERVAL, seed=4)
    assert found is not None
    value, ends = found
    assert ends is not None
    assert -1 <= ends[0] <= value <= ends[1] <= 1


def test_about_95_of_100_intervals_hold_the_truth():
    """Two annotators who see the truth in 85 of 100 cases: they agree in 74.5, and by chance they would in 50."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        truth = random.integers(0, 2, 60)
        marks = [np.where(random.random(60) < 0.85, truth, 1 - truth) for _ in range(2)]
        found = alpha(np.stack(marks, axis=1).tolist(), [0.0, 1.0], Measure.NOMINAL)
        assert found is not None
        assert found[1] is not None
        held += found[1][0] <= 0.49 <= found[1][1]
    assert 0.9 <= held / 200 <= 0.99
