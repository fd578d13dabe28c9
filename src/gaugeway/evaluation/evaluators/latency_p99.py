"""The duration that 99 percent of the requests do not exceed."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.percentile import PercentileOf


class LatencyP99(PercentileOf):
    """The 99th percentile of the durations, by nearest rank: the duration of one of the logs."""

    id = "latency_p99"
    name = "Latency p99"
    type = "aggregate"
    version = "1"
    description = "Duration in ms that 99 percent of the requests do not exceed, to the last byte. Lower is better."
    unit = "ms"
    direction = Direction.LOWER
    column = Column.DURATION
    percent = 99
    what = "a duration"


EVALUATOR = LatencyP99()
