"""What the cache saves."""

from __future__ import annotations

from gaugeway.core.aggregates import Column
from gaugeway.core.metrics import Direction
from gaugeway.evaluation.figures.mean import MeanOf


class CostSaved(MeanOf):
    """1000 * sum of what cached answers would have cost / logs where that is known. Others saved 0."""

    id = "cost_saved_by_cache"
    name = "Cost saved by the cache"
    type = "aggregate"
    version = "1"
    description = (
        "What answers from the cache would have cost, in USD per 1000 requests of all kinds. Higher is better."
    )
    unit = "USD per 1000"
    direction = Direction.HIGHER
    item_column = Column.COST_SAVED
    what = "a known saving"
    times = 1000


EVALUATOR = CostSaved()
