"""Figures that a store computes over many logs in one pass, so that no row is pulled into Python."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Column(StrEnum):
    """What can be aggregated, in the log's own units (dollars, ms, tokens)."""

    COST = "cost"
    DURATION = "duration"
    FIRST_BYTE_MS = "first_byte_ms"
    TOKENS_IN = "tokens_in"
    TOKENS_OUT = "tokens_out"
    FEEDBACK = "feedback"
    SCORE = "score"


class Op(StrEnum):
    """What is computed over a column. Null columns never count."""

    COUNT = "count"  # logs where the column is known
    SUM = "sum"  # exact
    COUNT_EQUAL = "count_equal"  # logs where the column equals `value`


class Aggregate(Struct, frozen=True):
    """One figure to compute."""

    op: Op
    column: Column
    value: int | None = None  # for COUNT_EQUAL


class Aggregated(Struct, frozen=True):
    """What came out: the logs selected, and one exact number per aggregate asked for (a sum of none is 0)."""

    total: int
    values: dict[Aggregate, Decimal]
