"""Cost of a thousand requests."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class CostPerThousand(MeanOf):
    """1000 * sum of the known costs / number of logs with a known cost."""

    id = "cost_per_thousand_requests"
    name = "Cost per thousand requests"
    type = "aggregate"
    version = "1"
    description = "Cost in USD per 1000 requests, over the logs whose cost is known. Lower is better."
    unit = "USD per 1000"
    direction = Direction.LOWER
    item_column = Column.COST
    what = "a known cost"
    times = 1000


EVALUATOR = CostPerThousand()
