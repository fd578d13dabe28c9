"""Average duration of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.ports import Metric
from gaugeway.evaluation.statistics import average

_KNOWN = Aggregate(Op.COUNT, Column.DURATION)
_SUM = Aggregate(Op.SUM, Column.DURATION)


class Speed:
    """Sum of the durations / number of logs with a duration, from a request's arrival to its answer's last byte."""

    id = "speed"
    name = "Speed"
    type = "aggregate"
    version = "1"
    description = "Average duration of a request in ms, from its arrival to its last byte. Lower is better."
    unit = "ms"
    aggregates: Sequence[Aggregate] = (_KNOWN, _SUM)

    def conclude(self, total: int, values: Mapping[Aggregate, Decimal]) -> Metric:
        """The average in ms."""
        return average(total, values[_KNOWN], values[_SUM], "a duration")


EVALUATOR = Speed()
