"""What is reckoned of agreement: a figure with its interval, or why there is none."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Measure(StrEnum):
    """How far apart two labels are: what disagreement weighs."""

    NOMINAL = "nominal"  # alike or not
    ORDINAL = "ordinal"  # their order counts
    INTERVAL = "interval"  # they are numbers, and their distance counts


class Estimate(Struct, frozen=True, kw_only=True):
    """A figure with its interval, or in words why there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0  # items it was computed from
    method: str = ""  # how the interval was computed
    note: str = ""  # why there is no figure, or no interval
