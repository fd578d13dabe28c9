"""The mean of a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.metrics import Metric
from gaugeway.evaluation.figures.contrast import NO_SPREAD, ONE_LOG, Contrast
from gaugeway.evaluation.figures.marks import means_apart, paired_means
from gaugeway.evaluation.statistics import student
from gaugeway.evaluation.statistics.decimals import average, interval
from gaugeway.evaluation.statistics.welch import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MeanOf:
    """Sum of a column / number of logs where it is known, times `times`. What is not known never counts.

    The interval is Student's, the comparison Welch's, that of pairs a permutation test.
    """

    item_column: Column
    what: ClassVar[str]
    """What the logs have: "a known cost"."""
    times: ClassVar[int] = 1

    def __init__(self) -> None:
        column = self.item_column
        self._known, self._sum = Aggregate(Op.COUNT, column), Aggregate(Op.SUM, column)
        self._squares = Aggregate(Op.SUM_SQUARES, column)
        self.aggregates: Sequence[Aggregate] = (self._known, self._sum, self._squares)

    def conclude(self, selected: Aggregated) -> Metric:
        """The mean."""
        values = selected.values
        n, summed = int(values[self._known]), self.times * values[self._sum]
        spread = student.variance(n, float(summed), float(values[self._squares]) * self.times**2)
        found = None
        if spread is not None:
            found = interval(*student.mean_interval(n, float(summed) / n, spread), "t")
        why = ONE_LOG if n == 1 else NO_SPREAD
        return average(selected.total, n, summed, self.what, interval=found, no_interval=why)

    def quotient(self, selected: Aggregated) -> tuple[float, float]:
        """Sum and number."""
        return self.times * float(selected.values[self._sum]), float(selected.values[self._known])

    def contrast(self, first: Aggregated, second: Aggregated) -> Contrast | None:
        """Welch's t."""
        sides = [self._moments(side) for side in (first, second)]
        one, two = sides
        if one is None or two is None:
            return None
        return means_apart(one, two)

    def _moments(self, side: Aggregated) -> Moments | None:
        summed, n = self.quotient(side)
        if not n:
            return None
        squares = float(side.values[self._squares]) * self.times**2
        return Moments(int(n), summed / n, student.variance(int(n), summed, squares) or 0.0)

    def marks(self, column: NDArray[Any]) -> NDArray[Any]:
        """The column itself."""
        return column * self.times

    def paired(self, first: NDArray[Any], second: NDArray[Any]) -> Contrast:
        """Student's interval of the pairs' differences; the test by permutation."""
        return paired_means(first, second)
