"""What filters, orders, figures and extremes mean, in plain Python over LogRecords: slow and obvious."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.ids import time_ms
from gaugeway.core.model import LogRecord
from gaugeway.core.ports import Extremes
from gaugeway.core.query import Filter, Operator, Slice, Where


def select(logs: Iterable[LogRecord], where: Where) -> list[LogRecord]:
    """The logs that match, in the order given."""
    return [log for log in logs if matches(log, where)]


def matches(log: LogRecord, where: Where) -> bool:
    """Whether a log is meant."""
    if where.until_ms is not None and time_ms(log.id) > where.until_ms:
        return False
    if where.search is not None:
        texts = [*(log.metadata or {}), *map(as_text, (log.metadata or {}).values())]
        if not any(where.search.casefold() in text.casefold() for text in texts):
            return False
    return any(all(passes(log, item) for item in filters) for filters in where.alternatives)


def passes(log: LogRecord, item: Filter) -> bool:
    """Whether a log passes one filter."""
    if item.key in ("metadata.key", "metadata.value"):
        return _passes_any(_entries(log, item.key), item)
    value = value_of(log, item.key)
    return _passes_any([] if value is None else [value], item)


def _passes_any(known: Sequence[Any], item: Filter) -> bool:
    """`known` has the column's value, or every entry of the metadata; nothing where it is null."""
    wanted = [value for value in item.values if value is not None]
    wants_null = len(wanted) < len(item.values)
    match item.operator:
        case Operator.EQ:
            return (wants_null and not known) or any(value in wanted for value in known)
        case Operator.NEQ:
            return bool(known) and not any(value in wanted for value in known)
        case Operator.CONTAINS:
            return any(part.casefold() in value.casefold() for part in wanted for value in known)
        case Operator.LT:
            return any(value < wanted[0] for value in known)
        case Operator.GT:
            return any(value > wanted[0] for value in known)


def _entries(log: LogRecord, key: str) -> list[str]:
    metadata = log.metadata or {}
    return list(metadata) if key == "metadata.key" else [as_text(value) for value in metadata.values()]


def as_text(value: str | float) -> str:
    """A metadata value as filters see it."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return value if isinstance(value, str) else repr(value)


def value_of(log: LogRecord, key: str) -> Any:
    """A column of a log; None where it is null."""
    usage = log.usage
    if key == "created_at":
        return time_ms(log.id)
    if key in ("tokens_in", "tokens_out"):
        return getattr(usage, key)
    if key == "tokens":
        parts = [part for part in (usage.tokens_in, usage.tokens_out) if part is not None]
        return sum(parts) if parts else None
    if key in ("wholesale", "compatibilityMode"):
        return False
    if key == "dlp_action":
        return None
    if key == "feedback":
        return log.feedback or None
    return getattr(log, key)


def order(logs: Iterable[LogRecord], part: Slice) -> list[LogRecord]:
    """The whole list in the order of a page."""
    sign = -1 if part.descending else 1

    def compare(a: LogRecord, b: LogRecord) -> int:
        one, other = value_of(a, part.order_by), value_of(b, part.order_by)
        if one is None or other is None:
            if (one is None) != (other is None):
                return 1 if one is None else -1
        elif one != other:
            return sign if one > other else -sign
        return sign if a.id > b.id else -sign

    return sorted(logs, key=cmp_to_key(compare))


def page(logs: Iterable[LogRecord], where: Where, part: Slice) -> list[LogRecord]:
    """What LogStore.page answers."""
    return order(select(logs, where), part)[part.offset : part.offset + part.limit]


def aggregate(logs: Iterable[LogRecord], where: Where, wanted: Sequence[Aggregate]) -> tuple[int, list[Fraction]]:
    """How many logs match, and the figures in the order asked for."""
    chosen = select(logs, where)
    return len(chosen), [_figure(chosen, item) for item in wanted]


def _figure(logs: Sequence[LogRecord], item: Aggregate) -> Fraction:
    column = item.column
    of_usage = column in (Column.TOKENS_IN, Column.TOKENS_OUT)
    values = [getattr(log.usage if of_usage else log, column.value) for log in logs]
    known = [Fraction(repr(value) if isinstance(value, float) else value) for value in values if value is not None]
    if column is Column.FEEDBACK:
        known = [value for value in known if value]
    match item.op:
        case Op.COUNT:
            return Fraction(len(known))
        case Op.SUM:
            return sum(known, Fraction(0))
        case Op.COUNT_EQUAL:
            return Fraction(sum(value == item.value for value in known))


def extremes(logs: Iterable[LogRecord], where: Where) -> Extremes:
    """What LogStore.extremes answers."""
    chosen = select(logs, where)
    found: dict[str, Any] = {}
    for name in ("cost", "duration", "tokens_in", "tokens_out", "total_tokens"):
        key = "tokens" if name == "total_tokens" else name
        known = [value for log in chosen if (value := value_of(log, key)) is not None]
        found[f"min_{name}"] = min(known, default=None)
        found[f"max_{name}"] = max(known, default=None)
    return Extremes(**found)


def exactly(number: Decimal) -> Fraction:
    """A figure as it can be compared with the oracle's."""
    return Fraction(number)
