"""A `Where` as SQL over `logs`, with what of it is known beforehand: between which ids, and over `counts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from gaugeway.core.ids import first_at
from gaugeway.core.model import Join
from gaugeway.core.query import Criterion, Filter, FilterGroup, Kind, Operator, Where
from gaugeway.stores.sqlite.conditions import TRUE, Condition, all_of, any_of, left_out
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import AFTER_ALL, MAX_MS, Renderer, metadata_equals, span_of
from gaugeway.stores.sqlite.words import Words

Range = tuple[bytes, bytes]
"""From which id on, and before which one."""

ALL_IDS: Range = (b"", AFTER_ALL)
FAILING = Filter("success", Operator.EQ, (False,))


class Selection(Struct, frozen=True):
    """Which logs of a gateway."""

    condition: Condition  # besides the gateway and the range of ids
    low: bytes  # ids from this one on
    high: bytes  # ids before this one
    coarse: Condition  # what of it can be said of `counts`: true wherever the log may match
    counted: bool  # besides the range of ids, that is all of it
    only_failures: bool  # whole condition: the log is a failure and …
    reads_bodies: bool  # and takes long for each log that it looks at


class _Part(Struct, frozen=True):
    """A piece of a selection."""

    condition: Condition
    coarse: Condition
    counted: bool
    reads_bodies: bool


def select(where: Where, connection: Connection, words: Words) -> Selection:
    """The logs that `where` means, in SQL."""
    renderer = Renderer(connection, words)
    single = len(where.alternatives) == 1
    low, high = _hull(map(_common, where.alternatives))
    chosen = _either(
        [
            _both([_part(renderer, item) for item in criteria if not (single and _is_range(item))])
            for criteria in where.alternatives
        ]
    )
    others: list[Condition] = []
    if where.search is not None:
        others.append(renderer.search(where.search))
    others += [metadata_equals(key, value) for key, value in where.entries]
    if where.until_ms is not None and where.until_ms < MAX_MS:
        high = min(high, first_at(where.until_ms + 1) if where.until_ms >= 0 else b"")
    return Selection(
        condition=all_of([*others, chosen.condition]),
        low=low,
        high=high,
        coarse=chosen.coarse,
        counted=chosen.counted and where.search is None and not where.entries,
        only_failures=single and FAILING in where.alternatives[0],
        reads_bodies=chosen.reads_bodies,
    )


def _part(renderer: Renderer, item: Criterion) -> _Part:
    if isinstance(item, Filter):
        condition, counted = renderer.render(item), renderer.is_counted(item)
        return _Part(condition, condition if counted else TRUE, counted, item.kind is Kind.BODY)
    parts = [_part(renderer, inner) for inner in item.criteria]
    match item.join:
        case Join.ALL_OF:
            return _both(parts)
        case Join.ANY_OF:
            return _either(parts)
        case Join.NONE_OF:
            one = _either(parts)
            coarse = left_out(one.coarse) if one.counted else TRUE
            return _Part(left_out(one.condition), coarse, one.counted, one.reads_bodies)


def _both(parts: Iterable[_Part]) -> _Part:
    """All of them, those last that look into bodies: SQLite asks in the order in which it is told."""
    ordered = sorted(parts, key=lambda part: part.reads_bodies)
    return _joined(ordered, all_of([part.condition for part in ordered]), all_of([part.coarse for part in ordered]))


def _either(parts: Iterable[_Part]) -> _Part:
    ordered = sorted(parts, key=lambda part: part.reads_bodies)
    return _joined(ordered, any_of([part.condition for part in ordered]), any_of([part.coarse for part in ordered]))


def _joined(parts: Sequence[_Part], condition: Condition, coarse: Condition) -> _Part:
    return _Part(
        condition,
        coarse,
        counted=all(part.counted for part in parts),
        reads_bodies=any(part.reads_bodies for part in parts),
    )


def _is_range(item: Criterion) -> bool:
    """Whether the range of ids says all that it says."""
    return (
        isinstance(item, Filter)
        and item.kind in (Kind.TIME, Kind.ID)
        and item.operator in (Operator.LT, Operator.GT)
    )


def _common(criteria: Iterable[Criterion]) -> Range:
    """In which range a log may match all of them."""
    ranges = [ALL_IDS, *map(_range, criteria)]
    return max(low for low, _ in ranges), min(high for _, high in ranges)


def _hull(ranges: Iterable[Range]) -> Range:
    """What spans all of the ranges; everything where there is none."""
    known = list(ranges) or [ALL_IDS]
    return min(low for low, _ in known), max(high for _, high in known)


def _range(item: Criterion) -> Range:
    if isinstance(item, FilterGroup):
        match item.join:
            case Join.ALL_OF:
                return _common(item.criteria)
            case Join.ANY_OF:
                return _hull(map(_range, item.criteria))
            case Join.NONE_OF:
                return ALL_IDS
    if item.kind not in (Kind.TIME, Kind.ID) or item.operator is Operator.NEQ or None in item.values:
        return ALL_IDS
    spans = [span_of(item.kind, value) for value in item.values]
    first, last = spans[0]
    match item.operator:
        case Operator.LT:
            return b"", first
        case Operator.GT:
            return last, AFTER_ALL
        case _:
            return min(spans)[0], max(end for _, end in spans)
