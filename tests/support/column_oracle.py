"""What columns and aggregates mean, in plain Python and fractions over LogRecords: slow and obvious."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Distribution, Op
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.query import Grouping
from support.filter_oracle import as_text


def column(log: LogRecord, name: Column) -> Fraction | None:
    """A column of a log; None where it is null."""
    usage = log.usage
    generated = log.outcome is Outcome.SUCCESS and (usage.tokens_out or 0) > 0 and log.duration > 0
    match name:
        case Column.SUCCESS:
            value = int(log.success)
        case Column.CACHED:
            value = int(log.cached)
        case Column.COST_SAVED:
            value = log.cost_saved if log.cached else 0
        case Column.TOKENS_IN | Column.TOKENS_OUT:
            value = getattr(usage, name)
        case Column.GENERATED_TOKENS:
            value = usage.tokens_out if generated else None
        case Column.GENERATED_MS:
            value = log.duration if generated else None
        case Column.GENERATED_TOKENS_MS:
            value = usage.tokens_out * log.duration if generated else None
        case Column.FEEDBACK:
            value = log.feedback or None
        case _:
            value = getattr(log, name)
    return Fraction(repr(value)) if isinstance(value, float) else None if value is None else Fraction(value)


def known(logs: Sequence[LogRecord], name: Column) -> list[Fraction]:
    """The column of the logs that have it."""
    return [value for log in logs if (value := column(log, name)) is not None]


def figure(logs: Sequence[LogRecord], item: Aggregate) -> Fraction:
    """One figure over all the logs."""
    values = known(logs, item.column)
    match item.op:
        case Op.COUNT:
            return Fraction(len(values))
        case Op.SUM:
            return sum(values, Fraction(0))
        case Op.SUM_SQUARES:
            return sum((value * value for value in values), Fraction(0))
        case Op.COUNT_EQUAL:
            return Fraction(values.count(Fraction(item.value)))
        case Op.DISTRIBUTION:
            raise ValueError("a distribution is no figure")


def aggregate(logs: Sequence[LogRecord], wanted: Sequence[Aggregate]) -> Aggregated:
    """What a store answers."""
    return Aggregated(
        len(logs),
        {item: exact(figure(logs, item)) for item in wanted if item.op is not Op.DISTRIBUTION},
        {
            item.column: Distribution.of([_spread(value, item.column) for value in known(logs, item.column)])
            for item in wanted
            if item.op is Op.DISTRIBUTION
        },
    )


def _spread(value: Fraction, name: Column) -> float:
    """A value in a distribution: costs are whole 1e-12 dollars there, rounded down."""
    return floor(value * 10**12) / 10**12 if name is Column.COST else float(value)


def exact(number: Fraction) -> Decimal:
    """A fraction of whole 10^-80ths as the decimal it is, whatever the context's precision."""
    shifted = number * 10**80
    assert shifted.denominator == 1
    return Decimal(f"{shifted.numerator}E-80")


def group_of(log: LogRecord, by: Grouping) -> str | None:
    """Which group a log is in."""
    if by.kind != "metadata":
        return getattr(log, by.kind)
    entries = log.metadata or {}
    return as_text(entries[by.key]) if by.key in entries else None
