"""Figures that a store computes over many logs in one pass, so that no row is pulled into Python."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Column(StrEnum):
    """What can be aggregated of a log, in its own units (dollars, ms, tokens). Null where it is not known."""

    COST = "cost"
    DURATION = "duration"
    FIRST_BYTE_MS = "first_byte_ms"
    TOKENS_IN = "tokens_in"
    TOKENS_OUT = "tokens_out"
    FEEDBACK = "feedback"
    SCORE = "score"
    SUCCESS = "success"  # 1 or 0
    CACHED = "cached"  # 1 or 0
    COST_SAVED = "cost_saved"  # dollars; 0 where the answer did not come from the cache
    GENERATED_TOKENS = "generated_tokens"  # tokens_out of a log that is `generated`, see below; else null
    GENERATED_MS = "generated_ms"  # the duration of such a log
    GENERATED_TOKENS_MS = "generated_tokens_ms"  # the product of the two


GENERATED = "a provider's good answer (outcome success) with tokens_out above 0 and a duration above 0"
"""Which logs tell how fast tokens come. Cached answers and failures do not."""


class Op(StrEnum):
    """What is computed over a column. Null columns never count."""

    COUNT = "count"  # logs where the column is known
    SUM = "sum"  # exact
    COUNT_EQUAL = "count_equal"  # logs where the column equals `value`
    SUM_SQUARES = "sum_squares"  # to 15 digits: it serves intervals only
    DISTRIBUTION = (
        "distribution"  # every value and how often it occurs: in `Aggregated.distributions`; costs to 1e-12
    )


class Aggregate(Struct, frozen=True):
    """One figure to compute."""

    op: Op
    column: Column
    value: int | None = None  # for COUNT_EQUAL


class Distribution(Struct, frozen=True):
    """The values of many items: each distinct one, ascending (float64), and how many items go up to it."""

    values: NDArray[Any]
    up_to_each: NDArray[Any]  # int64: of items with this value or a lower one; the last is the number of items

    @classmethod
    def of(cls, items: Any, counts: Any = None) -> Distribution:
        """Of items in any order; `counts` says how often each occurs, where that is not once."""
        import numpy as np

        numbers = np.asarray(items, dtype=np.float64)
        if counts is None:
            values, times = np.unique(numbers, return_counts=True)
        else:
            values, places = np.unique(numbers, return_inverse=True)
            times = np.zeros(len(values), dtype=np.int64)
            np.add.at(times, places, np.asarray(counts, dtype=np.int64))
        return cls(values, np.cumsum(times, dtype=np.int64))

    @property
    def n(self) -> int:
        """How many items."""
        return int(self.up_to_each[-1]) if len(self.up_to_each) else 0

    @property
    def counts(self) -> NDArray[Any]:
        """How many items have each value."""
        import numpy as np

        return np.diff(self.up_to_each, prepend=0)

    def at_rank(self, rank: int) -> float:
        """The value of the item of that place in ascending order, from 1 to n."""
        if not 1 <= rank <= self.n:
            raise ValueError(f"there is no item {rank} of {self.n}")
        return float(self.values[self.up_to_each.searchsorted(rank)])

    def up_to(self, value: float) -> int:
        """How many items do not exceed a value."""
        place = int(self.values.searchsorted(value, side="right"))
        return int(self.up_to_each[place - 1]) if place else 0

    def merged(self, other: Distribution) -> Distribution:
        """Of the items of both."""
        import numpy as np

        return Distribution.of(
            np.concatenate([self.values, other.values]), np.concatenate([self.counts, other.counts])
        )


class Aggregated(Struct, frozen=True):
    """What came out: the logs selected, and one exact number per aggregate asked for (a sum of none is 0)."""

    total: int
    values: dict[Aggregate, Decimal]
    distributions: dict[Column, Distribution] = field(default_factory=dict[Column, Distribution])
    """Of the columns whose DISTRIBUTION was asked for (not to be had of COST_SAVED)."""
