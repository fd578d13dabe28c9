"""Average time until an answer begins."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class FirstByteTime(MeanOf):
    """Sum of the first-byte times / number of logs that have one: those whose answer came from a provider."""

    id = "first_byte_time"
    name = "First-byte time"
    type = "aggregate"
    version = "1"
    description = "Average time in ms from a request's arrival to the first byte of its answer. Lower is better."
    unit = "ms"
    direction = Direction.LOWER
    item_column = Column.FIRST_BYTE_MS
    what = "a first-byte time"


EVALUATOR = FirstByteTime()
