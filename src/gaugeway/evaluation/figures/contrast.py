"""What can be said of two figures of one kind: how far apart they are, and whether that could be chance."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

from gaugeway.core.aggregates import Aggregated, Column

if TYPE_CHECKING:
    from numpy.typing import NDArray


ONE_LOG = "there is one log only, which says nothing of how much logs differ"
NO_SPREAD = "all logs have the same value, so nothing is known of how much logs differ"


class Spread(Struct, frozen=True):
    """How many items one side has, and their variance: what a difference's error comes from."""

    n: int
    variance: float


class Contrast(Struct, frozen=True, kw_only=True):
    """The second figure minus the first, in the figure's unit."""

    difference: float
    interval: tuple[float, float] | None  # None: cannot be known
    method: str  # of the interval
    test: str
    p_value: float | None  # of there being no difference; None: cannot be tested, and `why` says so
    spreads: tuple[Spread, ...]  # of both sides, or of the pairs; none where they are not known
    slack: float = 0.0  # items that an exact test takes beyond what the normal distribution says
    why: str = ""  # what is missing, for people

    @property
    def error(self) -> float | None:
        """The standard error of the difference."""
        error = sqrt(sum(side.variance / side.n for side in self.spreads)) if self.spreads else 0.0
        return error or None


def unknown(difference: float, why: str) -> Contrast:
    """A difference of which nothing more can be said."""
    return Contrast(difference=difference, interval=None, method="", test="", p_value=None, spreads=(), why=why)


@runtime_checkable
class Comparable(Protocol):
    """An evaluator whose figures of different logs can be compared."""

    def contrast(self, first: Aggregated, second: Aggregated) -> Contrast | None:
        """Of two lots of logs; None where one of them has no figure."""
        ...


@runtime_checkable
class Pairable(Comparable, Protocol):
    """One whose figure is a mean over items, so that the items of two sides can be compared one by one."""

    item_column: Column
    """What it takes of an item."""

    def marks(self, column: NDArray[Any]) -> NDArray[Any]:
        """The items' values, whose mean is the figure, from the column (not known: NaN, in both)."""
        ...

    def paired(self, first: NDArray[Any], second: NDArray[Any]) -> Contrast:
        """Of the marks of the same items, all of them known, at least two."""
        ...


@runtime_checkable
class Divisible(Protocol):
    """One whose figure is a quotient of two sums, so that it can be had of parts of the logs."""

    def quotient(self, selected: Aggregated) -> tuple[float, float]:
        """Dividend and divisor; a divisor of 0 where no log counts."""
        ...
