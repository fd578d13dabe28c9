"""A quotient of two sums over the same logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from msgspec import structs

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.metrics import Metric
from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG, Contrast, unknown
from gaugeway.evaluation.figures.marks import means_apart
from gaugeway.evaluation.statistics.decimals import average, interval
from gaugeway.evaluation.statistics.quotient import Sums, quotient_interval, standard_error
from gaugeway.evaluation.statistics.welch import Moments


class QuotientOf:
    """Sum of one column / sum of another, over the logs where both are known, times `times`.

    So a long answer counts for more than a short one. Interval and comparison by linearisation.
    """

    dividend: ClassVar[Column]
    divisor: ClassVar[Column]
    product: ClassVar[Column]
    """The product of the two, log by log."""
    what: ClassVar[str]
    times: ClassVar[int] = 1

    def __init__(self) -> None:
        self._known, self._y = Aggregate(Op.COUNT, self.dividend), Aggregate(Op.SUM, self.dividend)
        self._x, self._xy = Aggregate(Op.SUM, self.divisor), Aggregate(Op.SUM, self.product)
        self._yy = Aggregate(Op.SUM_SQUARES, self.dividend)
        self._xx = Aggregate(Op.SUM_SQUARES, self.divisor)
        self.aggregates: Sequence[Aggregate] = (self._known, self._y, self._x, self._xy, self._yy, self._xx)

    def conclude(self, selected: Aggregated) -> Metric:
        """The quotient of the sums."""
        values = selected.values
        n = int(values[self._known])
        ends = quotient_interval(self._sums(selected))
        found = None if ends is None else interval(*ends, "linearised t")
        return average(
            selected.total,
            n,
            self.times * values[self._y],
            self.what,
            interval=found,
            no_interval=ONE_LOG if n == 1 else NO_SPREAD,
            divisor=values[self._x],
        )

    def quotient(self, selected: Aggregated) -> tuple[float, float]:
        """Both sums."""
        return self.times * float(selected.values[self._y]), float(selected.values[self._x])

    def contrast(self, first: Aggregated, second: Aggregated) -> Contrast | None:
        """As two means differ, with the quotients' standard errors."""
        one, two = self._sums(first), self._sums(second)
        if not one.n or not two.n:
            return None
        difference = two.y / two.x - one.y / one.x
        known = [error for side in (one, two) if (error := standard_error(side)) is not None]
        if len(known) < 2:
            return unknown(difference, ONE_LOG if min(one.n, two.n) < 2 else NO_SPREAD)
        sides = [
            Moments(side.n, side.y / side.x, side.n * own**2) for side, own in zip((one, two), known, strict=True)
        ]
        apart = means_apart(*sides)
        return structs.replace(apart, method="linearised", test=f"{apart.test}, linearised")

    def _sums(self, side: Aggregated) -> Sums:
        values = side.values
        return Sums(
            int(values[self._known]),
            self.times * float(values[self._y]),
            float(values[self._x]),
            self.times**2 * float(values[self._yy]),
            float(values[self._xx]),
            self.times * float(values[self._xy]),
        )
