"""Times in milliseconds, counted in bins, so that percentiles of any number of them can be added and taken apart.

Up to 127 ms each millisecond is a bin. Above, each doubling is divided into 64 bins of equal width, so a bin's
middle is at most 1/128 off from what is in it. Counts add: the bins of a day are the sum of the bins of its hours.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

RELATIVE_ERROR = 1 / 128
"""How far a percentile may be from the true one, as a part of it."""

EXACT_BELOW_MS = 128
"""Percentiles below this are exact."""

_BITS = 6  # 2^6 bins a doubling
_BINS = 1 << _BITS


def bin_of(ms: int) -> int:
    """The bin of a time; a negative one counts as 0."""
    if ms < EXACT_BELOW_MS:
        return max(ms, 0)
    shift = ms.bit_length() - _BITS - 1
    return shift * _BINS + (ms >> shift)


def middle_of(number: int) -> int:
    """The time that stands for a bin."""
    if number < EXACT_BELOW_MS:
        return number
    shift = number // _BINS - 1
    return (number - shift * _BINS << shift) + (1 << shift - 1)


class Timings(Struct, kw_only=True):
    """Times of some logs: how many, their sum, and how many in each bin."""

    count: int = 0
    total: int = 0  # ms
    bins: dict[int, int] = field(default_factory=dict)

    def add(self, count: int, total: int, bins: Mapping[int, int]) -> None:
        """Count more of them in."""
        self.count += count
        self.total += total
        mine = self.bins
        for number, logs in bins.items():
            mine[number] = mine.get(number, 0) + logs

    def mean(self) -> float | None:
        """Their mean in ms; None of none."""
        return self.total / self.count if self.count else None

    def percentiles(self, *percents: int) -> list[int | None]:
        """By nearest rank: the time that so many percent of them do not pass; None of none."""
        ordered = sorted(self.bins.items())
        found: list[int | None] = []
        for percent in percents:
            rank = -(-self.count * percent // 100)
            seen = 0
            value = None
            for number, logs in ordered:
                seen += logs
                if seen >= rank:
                    value = middle_of(number)
                    break
            found.append(value)
        return found
