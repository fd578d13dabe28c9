"""Average cost of a request."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class Cost(MeanOf):
    """Sum of the known costs / number of logs with a known cost. A log whose cost is unknown never counts as 0."""

    id = "cost"
    name = "Cost"
    type = "aggregate"
    version = "1"
    description = "Average cost of a request in USD, over the logs whose cost is known. Lower is better."
    unit = "USD"
    direction = Direction.LOWER
    item_column = Column.COST
    what = "a known cost"


EVALUATOR = Cost()
