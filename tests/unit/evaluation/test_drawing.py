"""A monitor's sample: by nothing but the logs' ids, of about the share asked for, and never more than the most."""

from __future__ import annotations

import os

from gaugeway.evaluation.drawing import draw

LOGS = sorted(os.urandom(16) for _ in range(4000))


def test_a_share_is_about_that_share_and_the_same_each_time() -> None:
    drawn = draw(LOGS, 0.25, None)
    assert 850 < len(drawn) < 1150
    assert draw(LOGS, 0.25, None) == drawn
    assert drawn == sorted(drawn)
    assert draw(LOGS, 1.0, None) == LOGS


def test_whether_a_log_is_drawn_does_not_depend_on_the_others() -> None:
    drawn = set(draw(LOGS, 0.25, None))
    assert set(draw(LOGS[::3], 0.25, None)) == drawn & set(LOGS[::3])
    assert set(draw(LOGS, 0.1, None)) < drawn


def test_no_more_than_the_most_are_drawn() -> None:
    assert len(draw(LOGS, 1.0, 100)) == 100
    assert set(draw(LOGS, 1.0, 100)) < set(draw(LOGS, 1.0, 200))
    assert draw(LOGS[:50], 1.0, 100) == LOGS[:50]
