"""Average duration of a request."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class Speed(MeanOf):
    """Sum of the durations / number of logs with a duration, from a request's arrival to its answer's last byte."""

    id = "speed"
    name = "Speed"
    type = "aggregate"
    version = "1"
    description = "Average duration of a request in ms, from its arrival to its last byte. Lower is better."
    unit = "ms"
    direction = Direction.LOWER
    item_column = Column.DURATION
    what = "a duration"


EVALUATOR = Speed()
