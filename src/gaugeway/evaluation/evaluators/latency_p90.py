"""The duration that 90 percent of the requests do not exceed."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.percentile import PercentileOf


class LatencyP90(PercentileOf):
    """The 90th percentile of the durations, by nearest rank: the duration of one of the logs."""

    id = "latency_p90"
    name = "Latency p90"
    type = "aggregate"
    version = "1"
    description = "Duration in ms that 90 percent of the requests do not exceed, to the last byte. Lower is better."
    unit = "ms"
    direction = Direction.LOWER
    column = Column.DURATION
    percent = 90
    what = "a duration"


EVALUATOR = LatencyP90()
