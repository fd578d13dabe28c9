"""Share of requests that failed."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.share import ShareOf


class ErrorRate(ShareOf):
    """100 * logs without success / all logs: refused, limited, failed, cut, or left by the client."""

    id = "error_rate"
    name = "Error rate"
    type = "aggregate"
    version = "1"
    description = "Requests without success, in percent of all requests, 0-100. Lower is better."
    unit = "%"
    direction = Direction.LOWER
    item_column = Column.SUCCESS
    hit = 0
    miss = 1
    what = "an outcome"
    words = ("failed", "succeeded")


EVALUATOR = ErrorRate()
