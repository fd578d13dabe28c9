"""A percentile of a column."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.metrics import Metric
from gaugeway.evaluation.figures.contrast import Contrast, Spread
from gaugeway.evaluation.statistics import normal
from gaugeway.evaluation.statistics.decimals import interval
from gaugeway.evaluation.statistics.order_statistics import fewest, percentile, percentile_interval
from gaugeway.evaluation.statistics.percentiles_apart import difference_interval, quantile_test


class PercentileOf:
    """The smallest value of a column that at least `percent` of the logs where it is known do not exceed.

    Both ends of the interval are values of logs too; no assumption is made on how values are distributed.
    """

    column: ClassVar[Column]
    percent: ClassVar[int]
    what: ClassVar[str]
    """What the logs have: "a duration"."""

    def __init__(self) -> None:
        self.aggregates: Sequence[Aggregate] = (Aggregate(Op.DISTRIBUTION, self.column),)

    def conclude(self, selected: Aggregated) -> Metric:
        """The percentile."""
        items, total = selected.distributions[self.column], selected.total
        n = items.n
        note = f"{n} of {total} logs have {self.what}" + (f"; {total - n} left out" if n < total else "")
        if not n:
            return Metric(value=None, n=0, skipped=total, note=note)
        ends = percentile_interval(items, self.percent)
        return Metric(
            value=Decimal(repr(percentile(items, self.percent))).normalize(),
            n=n,
            skipped=total - n,
            note=note,
            interval=None if ends is None else interval(*ends, "order statistics"),
            no_interval=self._too_few(n),
        )

    def contrast(self, first: Aggregated, second: Aggregated) -> Contrast | None:
        """Both sides' order statistics joined, and Mood's quantile test."""
        one, two = first.distributions[self.column], second.distributions[self.column]
        if not one.n or not two.n:
            return None
        ends = difference_interval(one, two, self.percent)
        spreads = [
            Spread(side.n, side.n * ((own[1] - own[0]) / 2 / normal.two_sided(0.95)) ** 2)
            for side in (one, two)
            if (own := percentile_interval(side, self.percent))
        ]
        return Contrast(
            difference=percentile(two, self.percent) - percentile(one, self.percent),
            interval=ends,
            method="order statistics" if ends else "",
            test="quantile test" if ends else "",
            p_value=quantile_test(one, two, self.percent) if ends else None,
            spreads=tuple(spreads) if ends else (),
            why="" if ends else self._too_few(min(one.n, two.n)),
        )

    def _too_few(self, n: int) -> str:
        return f"p{self.percent} needs {fewest(self.percent)} logs to say how sure it is, and there are {n}"
