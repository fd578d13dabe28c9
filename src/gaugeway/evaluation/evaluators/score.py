"""Average score of the logs that have one."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class Score(MeanOf):
    """Sum of the scores / number of logs with a score. A log without a score never counts as 0."""

    id = "score"
    name = "Score"
    type = "aggregate"
    version = "1"
    description = "Average score in points, 0-100, over the logs that have one. Higher is better."
    unit = "points"
    direction = Direction.HIGHER
    item_column = Column.SCORE
    what = "a score"


EVALUATOR = Score()
