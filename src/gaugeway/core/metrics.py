"""A figure over many items, with its denominator in sight and how sure one can be of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

LEVEL = 0.95
"""The share of all intervals that hold the true figure, if the items are a random draw from what is asked about."""

NO_INTERVAL = "this evaluator computes no interval"


class Direction(StrEnum):
    """Which way a figure is better."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"  # it describes, and does not judge


class Interval(Struct, frozen=True):
    """From where to where the true figure lies, at LEVEL. Never made up: where it cannot be known there is none."""

    low: Decimal
    high: Decimal
    method: str  # how it was computed, e.g. "wilson"; docs/evaluators.md explains each


class Metric(Struct, frozen=True, kw_only=True):
    """A figure over many items (logs), what it was computed from, and its interval or why it has none."""

    value: Decimal | None  # exact; None: no item could be used
    n: int  # items the figure was computed from
    skipped: int = 0  # items that lack what the evaluator needs
    failed: int = 0  # items on which the evaluator failed
    note: str = ""  # one sentence for people, e.g. what was left out and why
    interval: Interval | None = None  # None: it cannot be known, and no_interval says why
    no_interval: str = NO_INTERVAL  # why there is no interval, for people; counts only where there is none
