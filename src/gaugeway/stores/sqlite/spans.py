"""Where the sums over a span of time stand: in rollups, and in the logs where those cannot tell."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from gaugeway.core.analytics import Bucket
from gaugeway.core.ids import first_at
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.filters import AFTER_ALL, MAX_MS
from gaugeway.stores.sqlite.rollup_columns import HOURS_A_DAY, Grain

HOUR = Grain.HOUR.ms


class Rolled(Struct, frozen=True):
    """Rollups from number `first` up to, not including, `end`, and the changes of their time."""

    grain: Grain
    first: int
    end: int

    def select(self, gw: int, columns: str, *, grouped_by: str = "") -> list[tuple[str, tuple[int, ...]]]:
        """Queries over the one and the other, with their bindings. `columns` may name `number`, the grain's."""
        hours = self.grain.ms // HOUR
        where = "WHERE gw = ? AND number >= ? AND number < ?"
        return [
            (
                f"SELECT {columns} FROM rollups {where} AND grain = ? {grouped_by}",  # noqa: S608 - names of our own
                (gw, self.first, self.end, self.grain.value),
            ),
            (
                f"SELECT {columns.replace('number', f'number / {hours}')} FROM rollup_changes {where} {grouped_by}",  # noqa: S608
                (gw, self.first * hours, self.end * hours),
            ),
        ]


class Unrolled(Struct, frozen=True):
    """Logs with ids from `low` up to, not including, `high`."""

    low: bytes
    high: bytes


def spans(connection: Connection, gw: int, start: int, end: int, bucket: Bucket) -> Iterator[Rolled | Unrolled]:
    """What to read for the logs created in [start, end), in ms; no rollup is of more than one bucket.

    In a read transaction.
    """
    end = min(end, MAX_MS + 1)
    if bucket is Bucket.MINUTE:
        yield from _logs(start, end)
        return
    start, end = _widened(connection, gw, start, end)
    first, last = -(-start // HOUR), end // HOUR
    if first >= last:
        yield from _logs(start, end)
        return
    yield from _logs(start, first * HOUR)
    yield from _hours_and_days(first, last, bucket)
    yield from _logs(last * HOUR, end)


def _hours_and_days(first: int, last: int, bucket: Bucket) -> Iterator[Rolled]:
    """The rollups of whole hours."""
    first_day, last_day = -(-first // HOURS_A_DAY), last // HOURS_A_DAY
    if bucket is Bucket.HOUR or first_day >= last_day:
        yield Rolled(Grain.HOUR, first, last)
        return
    yield Rolled(Grain.HOUR, first, first_day * HOURS_A_DAY)
    yield Rolled(Grain.DAY, first_day, last_day)
    yield Rolled(Grain.HOUR, last_day * HOURS_A_DAY, last)


def _widened(connection: Connection, gw: int, start: int, end: int) -> tuple[int, int]:
    """The span, made to begin and end with whole hours where no other log comes in by that: at its end, often."""
    before, after = start // HOUR * HOUR, -(-end // HOUR) * HOUR
    if not _some(connection, gw, before, start):
        start = before
    if not _some(connection, gw, end, after):
        end = after
    return start, end


def _some(connection: Connection, gw: int, start: int, end: int) -> bool:
    sql = "SELECT EXISTS (SELECT 1 FROM logs WHERE gw = ? AND id >= ? AND id < ?)"
    return bool(connection.execute(sql, (gw, first_at(start), _before(end))).get)


def _logs(start: int, end: int) -> Iterator[Unrolled]:
    if start < end:
        yield Unrolled(first_at(start), _before(end))


def _before(end: int) -> bytes:
    """What every id made before that moment is lower than."""
    return AFTER_ALL if end > MAX_MS else first_at(end)
