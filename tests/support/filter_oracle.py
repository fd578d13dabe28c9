"""What filters, orders, figures and extremes mean, in plain Python over LogRecords: slow and obvious."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from gaugeway.core.aggregates import Aggregate
from gaugeway.core.ids import time_ms
from gaugeway.core.model import Bodies, Join, LogRecord
from gaugeway.core.ports import Extremes
from gaugeway.core.query import Criterion, Filter, FilterGroup, Kind, Operator, Slice, Where, entry_of

Kept = Mapping[bytes, Bodies | None]
"""The bodies of logs by their ids."""

NOTHING_KEPT: Kept = {}


def select(logs: Iterable[LogRecord], where: Where, kept: Kept = NOTHING_KEPT) -> list[LogRecord]:
    """The logs that match, in the order given."""
    return [log for log in logs if matches(log, where, kept)]


def matches(log: LogRecord, where: Where, kept: Kept = NOTHING_KEPT) -> bool:
    """Whether a log is meant."""
    if where.until_ms is not None and time_ms(log.id) > where.until_ms:
        return False
    if where.search is not None:
        texts = [*(log.metadata or {}), *map(as_text, (log.metadata or {}).values())]
        if not any(where.search.casefold() in text.casefold() for text in texts):
            return False
    entries = {key: as_text(value) for key, value in (log.metadata or {}).items()}
    if any(entries.get(key) != value for key, value in where.entries):
        return False
    return any(all(passes(log, item, kept) for item in criteria) for criteria in where.alternatives)


def passes(log: LogRecord, item: Criterion, kept: Kept = NOTHING_KEPT) -> bool:
    """Whether a log passes one filter or group."""
    if isinstance(item, FilterGroup):
        passed = [passes(log, inner, kept) for inner in item.criteria]
        match item.join:
            case Join.ALL_OF:
                return all(passed)
            case Join.ANY_OF:
                return any(passed)
            case Join.NONE_OF:
                return not any(passed)
    if item.kind is Kind.BODY:
        return _body_passes(kept.get(log.id), item)
    if item.key in ("metadata.key", "metadata.value"):
        return _passes_any(_entries(log, item.key), item)
    name = entry_of(item.key)
    if name is not None:
        metadata = log.metadata or {}
        return _passes_any([as_text(metadata[name])] if name in metadata else [], item)
    value = value_of(log, item.key)
    return _passes_any([] if value is None else [value], item)


def _body_passes(bodies: Bodies | None, item: Filter) -> bool:
    answers = item.key == "response_body"
    body = None if bodies is None else bodies.response if answers else bodies.request
    if bodies is None or body is None:
        return False
    texts = readings(body.decode(errors="replace"))
    wanted = [str(value) for value in item.values if "\ud800" not in str(value)]
    found = any(part.casefold() in text.casefold() for part in wanted for text in texts)
    if item.operator is Operator.CONTAINS:
        return found
    return not found and not (bodies.response_cut if answers else bodies.request_cut)


def readings(text: str) -> list[str]:
    """A text as it is, and with its escapes read once, twice, three times; by hand, character by character."""
    found = [text]
    for _ in range(3):
        rest, plain = found[-1], ""
        while rest:
            character, taken = _first_of(rest)
            plain, rest = plain + character, rest[taken:]
        found.append(plain)
    return found


def _first_of(text: str) -> tuple[str, int]:
    """The first character of a text in JSON's escapes, and how many letters spell it."""
    if text[0] == "\\":
        for taken in (12, 6, 2):
            spelled = text[:taken]
            if len(spelled) == taken and (taken < 12 or spelled[7:8] == "u"):
                try:
                    read = json.loads(f'"{spelled}"')
                except ValueError:
                    continue
                if len(read) == 1:
                    return read, taken
    return text[0], 1


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
        case Operator.NOT_CONTAINS:
            return bool(known) and not any(
                part.casefold() in value.casefold() for part in wanted for value in known
            )
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
    if key == "wholesale":
        return False
    if key == "compatibilityMode":
        return log.path.startswith("compat/")
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


def page(logs: Iterable[LogRecord], where: Where, part: Slice, kept: Kept = NOTHING_KEPT) -> list[LogRecord]:
    """What LogStore.page answers."""
    return order(select(logs, where, kept), part)[part.offset : part.offset + part.limit]


def aggregate(
    logs: Iterable[LogRecord], where: Where, wanted: Sequence[Aggregate], kept: Kept = NOTHING_KEPT
) -> tuple[int, list[Fraction]]:
    """How many logs match, and the figures in the order asked for."""
    from support import column_oracle

    chosen = select(logs, where, kept)
    return len(chosen), [column_oracle.figure(chosen, item) for item in wanted]


def extremes(logs: Iterable[LogRecord], where: Where, kept: Kept = NOTHING_KEPT) -> Extremes:
    """What LogStore.extremes answers."""
    chosen = select(logs, where, kept)
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
