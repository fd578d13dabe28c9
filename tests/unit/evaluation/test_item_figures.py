"""From scores to figures."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gaugeway.core.items import Counts
from gaugeway.core.samples import Figure
from gaugeway.evaluation.item_figures import figure


def test_a_share_has_wilson_s_interval_and_a_mean_student_s():
    share = figure(Figure.SHARE, [100, 100, 0], Counts(3, 1, 2), 6)
    assert str(share.value) == "66.66666666666666666666666666666667"
    assert (share.n, share.skipped, share.failed) == (3, 2, 1)
    assert share.interval is not None
    assert share.interval.method == "wilson"
    assert share.note == "3 of 6 logs could be judged; 3 left out, 1 of them because the evaluator failed"

    mean = figure(Figure.MEAN, [1.1, 2.2, 3.3], Counts(3), 3)
    assert mean.value == Decimal("2.2")  # in decimals, not 2.1999999999999997
    assert mean.interval is not None
    # 2.2 ± 4.302653 * 1.1 / sqrt(3)
    assert float(mean.interval.low) == pytest.approx(2.2 - 4.302652729749464 * 1.1 / 3**0.5, rel=1e-8)
    assert float(mean.interval.high) == pytest.approx(2.2 + 4.302652729749464 * 1.1 / 3**0.5, rel=1e-8)
    assert mean.note == "3 of 3 logs could be judged"


@pytest.mark.parametrize("kind", Figure)
def test_no_scores_no_value(kind: Figure):
    nothing = figure(kind, [], Counts(0, 2, 3), 5)
    assert (nothing.value, nothing.n, nothing.skipped, nothing.failed, nothing.interval) == (None, 0, 3, 2, None)


def test_one_score_and_equal_scores_have_no_interval():
    assert "one log only" in figure(Figure.MEAN, [5], Counts(1), 1).no_interval
    assert "same value" in figure(Figure.MEAN, [5, 5], Counts(2), 2).no_interval


def test_a_share_of_other_scores_is_refused():
    with pytest.raises(ValueError, match="pass or miss"):
        figure(Figure.SHARE, [50], Counts(1), 1)
