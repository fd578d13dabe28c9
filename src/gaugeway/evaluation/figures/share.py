"""The share of logs that are one of two things, in percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.metrics import Metric
from gaugeway.evaluation.figures.contrast import Contrast
from gaugeway.evaluation.figures.marks import paired_shares, shares_apart
from gaugeway.evaluation.statistics.rates import percentage

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ShareOf:
    """100 * logs whose column is `hit` / logs where it is `hit` or `miss`. All others count as neither.

    The interval is Wilson's, that of a difference Newcombe's; the tests are the pooled z-test and McNemar's.
    """

    item_column: Column
    hit: ClassVar[int]
    miss: ClassVar[int]
    what: ClassVar[str]
    """What the logs have: "feedback"."""
    words: ClassVar[tuple[str, str]]
    """What hits and misses are: "up" and "down"."""

    def __init__(self) -> None:
        self._hits = Aggregate(Op.COUNT_EQUAL, self.item_column, self.hit)
        self._misses = Aggregate(Op.COUNT_EQUAL, self.item_column, self.miss)
        self.aggregates: Sequence[Aggregate] = (self._hits, self._misses)

    def conclude(self, selected: Aggregated) -> Metric:
        """The percentage."""
        hits, n = self._counts(selected)
        total = selected.total
        note = f"{n} of {total} logs have {self.what} ({hits} {self.words[0]}, {n - hits} {self.words[1]})"
        note += f"; {total - n} left out" if n < total else ""
        return percentage(hits, n, total, note)

    def quotient(self, selected: Aggregated) -> tuple[float, float]:
        """100 times the hits, and all."""
        hits, n = self._counts(selected)
        return 100.0 * hits, float(n)

    def contrast(self, first: Aggregated, second: Aggregated) -> Contrast | None:
        """Newcombe's interval and the pooled z-test."""
        (k1, n1), (k2, n2) = self._counts(first), self._counts(second)
        if not n1 or not n2:
            return None
        return shares_apart(k1, n1, k2, n2)

    def _counts(self, side: Aggregated) -> tuple[int, int]:
        hits = int(side.values[self._hits])
        return hits, hits + int(side.values[self._misses])

    def marks(self, column: NDArray[Any]) -> NDArray[Any]:
        """100 for a hit, 0 for a miss."""
        import numpy as np

        return np.select([column == self.hit, column == self.miss], [100.0, 0.0], np.nan)

    def paired(self, first: NDArray[Any], second: NDArray[Any]) -> Contrast:
        """Newcombe's interval for pairs and McNemar's exact test; marks that are averages go by halves."""
        return paired_shares(first, second)
