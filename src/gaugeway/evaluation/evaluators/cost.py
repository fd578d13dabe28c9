"""Average cost of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.ports import Metric
from gaugeway.evaluation.statistics import average

_KNOWN = Aggregate(Op.COUNT, Column.COST)
_SUM = Aggregate(Op.SUM, Column.COST)


class Cost:
    """Sum of the known costs / number of logs with a known cost. A log whose cost is unknown never counts as 0."""

    id = "cost"
    name = "Cost"
    type = "aggregate"
    version = "1"
    description = "Average cost of a request in USD, over the logs whose cost is known. Lower is better."
    unit = "USD"
    aggregates: Sequence[Aggregate] = (_KNOWN, _SUM)

    def conclude(self, total: int, values: Mapping[Aggregate, Decimal]) -> Metric:
        """The average in dollars."""
        return average(total, values[_KNOWN], values[_SUM], "a known cost")


EVALUATOR = Cost()
