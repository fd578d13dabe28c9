"""The duration that 95 percent of the requests do not exceed."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.percentile import PercentileOf


class LatencyP95(PercentileOf):
    """The 95th percentile of the durations, by nearest rank: the duration of one of the logs."""

    id = "latency_p95"
    name = "Latency p95"
    type = "aggregate"
    version = "1"
    description = "Duration in ms that 95 percent of the requests do not exceed, to the last byte. Lower is better."
    unit = "ms"
    direction = Direction.LOWER
    column = Column.DURATION
    percent = 95
    what = "a duration"


EVALUATOR = LatencyP95()
