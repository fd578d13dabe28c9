"""Which span of a gateway's ids needs a segment next."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from gaugeway.stores.sqlite.columns import segments
from gaugeway.stores.sqlite.columns.segments import Segment, Span
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import AFTER_ALL


class Sizes(Struct, frozen=True):
    """How many logs are worth what. SQLite goes through 100,000 logs in some 0.2 s."""

    least: int = 100_000  # of a gateway, for it to have segments
    seal: int = 65_536  # without a segment, for them to get one
    spare: int = 4_096  # the newest, which get none yet: latecomers may still come between them
    most: int = 524_288  # of a segment, and less than 2^21 (figures.py)
    merge: int = 8  # neighbours that could be one segment, for them to become one
    changed: int = 2_048  # of a segment, for it to be made anew


def next_span(connection: Connection, gw: int, logs: int, sizes: Sizes) -> Span | None:
    """From which id on, and before which one; None where all is well. In a read transaction.

    `logs` is about how many the gateway has.
    """
    there = segments.read(connection, gw)
    if not there and logs < sizes.least:
        return None
    *gaps, (tail, _) = segments.spans_between(there, b"", AFTER_ALL)
    for low, high in gaps:
        if _nth(connection, gw, (low, high), 0) is not None:
            return _piece(connection, gw, (low, high), sizes)
    return (
        _unsealed(connection, gw, tail, logs, there, sizes)
        or _much_changed(connection, gw, there, sizes)
        or _mergeable(there, sizes)
    )


def _nth(connection: Connection, gw: int, span: Span, number: int) -> bytes | None:
    """The id of a span before which there are so many others."""
    sql = "SELECT id FROM logs WHERE gw = ? AND id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?"
    return connection.execute(sql, (gw, *span, number)).get


def _piece(connection: Connection, gw: int, span: Span, sizes: Sizes) -> Span:
    """The beginning of a span that is too long for a segment; else all of it."""
    low, high = span
    return low, (_nth(connection, gw, span, sizes.most) or high)


def _unsealed(  # noqa: PLR0917 - whose logs, from where, how many, beside which, by what measure
    connection: Connection, gw: int, tail: bytes, logs: int, there: Sequence[Segment], sizes: Sizes
) -> Span | None:
    """The oldest logs after the last segment, where there are enough of them."""
    changed: int = connection.execute("SELECT count(*) FROM changed WHERE gw = ?", (gw,)).get
    if logs - sum(one.logs for one in there) + changed < sizes.seal + sizes.spare:
        return None  # there cannot be that many, so they need no counting
    span = (tail, AFTER_ALL)
    if _nth(connection, gw, span, sizes.seal + sizes.spare - 1) is None:
        return None
    if _nth(connection, gw, span, sizes.most + sizes.spare - 1) is not None:
        return _piece(connection, gw, span, sizes)
    sql = "SELECT id FROM logs WHERE gw = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
    high: bytes = connection.execute(sql, (gw, max(sizes.spare - 1, 0))).get
    return (tail, high) if high > tail else None


def _much_changed(connection: Connection, gw: int, there: Sequence[Segment], sizes: Sizes) -> Span | None:
    """The segment with the most changes, where they are many."""
    numbers = [(segments.count_changed(connection, gw, one.low, one.high), one) for one in there]
    number, most = max(numbers, key=lambda pair: pair[0], default=(0, None))
    if most is None or number < sizes.changed:
        return None
    return _piece(connection, gw, (most.low, most.high), sizes)


def _mergeable(there: Sequence[Segment], sizes: Sizes) -> Span | None:
    """Neighbours that are small enough to be one, where there are enough of them."""
    run: list[Segment] = []
    for segment in there:
        adjoins = bool(run) and run[-1].high == segment.low
        fits = sum(one.logs for one in run) + segment.logs <= sizes.most
        if not (adjoins and fits):
            if adjoins and len(run) > 1:
                return run[0].low, run[-1].high
            run = []
        run.append(segment)
        if len(run) >= sizes.merge:
            return run[0].low, run[-1].high
    return None
