"""Share of thumbs up among the logs that people marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.ports import Metric
from gaugeway.evaluation.statistics import divide

_UP = Aggregate(Op.COUNT_EQUAL, Column.FEEDBACK, 1)
_DOWN = Aggregate(Op.COUNT_EQUAL, Column.FEEDBACK, -1)


class HumanFeedback:
    """100 * thumbs up / (thumbs up + thumbs down). A log without feedback counts as neither."""

    id = "human_feedback"
    name = "Human feedback"
    type = "aggregate"
    version = "1"
    description = "Thumbs up in percent of the logs with feedback, 0-100. Higher is better."
    unit = "%"
    aggregates: Sequence[Aggregate] = (_UP, _DOWN)

    def conclude(self, total: int, values: Mapping[Aggregate, Decimal]) -> Metric:
        """The percentage."""
        up, down = int(values[_UP]), int(values[_DOWN])
        n = up + down
        note = f"{n} of {total} logs have feedback ({up} up, {down} down)"
        note += f"; {total - n} left out" if n < total else ""
        value = divide(Decimal(100 * up), Decimal(n)) if n else None
        return Metric(value=value, n=n, skipped=total - n, note=note)


EVALUATOR = HumanFeedback()
