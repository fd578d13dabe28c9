"""Sums over the logs of each hour and day, kept in the transactions that change the logs.

A change is appended to `rollup_changes`, whatever its sign, and many changes at once are folded into `rollups`.
Neither can overflow or meet a row it does not expect: no log is lost because of a sum. All sums are derived: they
can be counted again from the logs (`recounting.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from gaugeway.core.analytics import EXACT
from gaugeway.stores.sqlite import folding
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.log_tallies import Facts, Key, Tally, added, tally
from gaugeway.stores.sqlite.rollup_columns import (
    BINS,
    COUNTS,
    HALF,
    HOURS_A_DAY,
    KEY,
    LOW,
    NUMBERS,
    RESTS,
    SUMS,
    Grain,
    pack,
    unpack,
)

FOLD_AT = 2000
"""So many changes are folded. Whoever reads adds up to so many himself: some 5 ms."""

_CHANGE = ("gw", *KEY, *NUMBERS, *RESTS, *BINS)
_ROW = ("gw", "grain", *KEY, *NUMBERS, *RESTS, *BINS)


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of our own


_APPEND = _insert("rollup_changes", _CHANGE)
_WRITE = _insert("rollups", _ROW)


def count_in(connection: Connection, gw: int, facts: Iterable[Facts]) -> None:
    """Add logs to the sums. In the write transaction that adds them."""
    _append(connection, gw, tally(facts, Grain.HOUR.ms), 1)


def count_out(connection: Connection, gw: int, facts: Iterable[Facts]) -> None:
    """Take logs from the sums. In the write transaction that removes them."""
    _append(connection, gw, tally(facts, Grain.HOUR.ms), -1)


def change_feedback(connection: Connection, gw: int, before: Facts, feedback: int | None) -> None:
    """Another feedback of one log. In the write transaction that changes it."""
    ((key, old),) = tally([before], Grain.HOUR.ms).items()
    change = Tally(thumbs_up=-old.thumbs_up, thumbs_down=-old.thumbs_down)
    if feedback:
        change.thumbs_up += feedback > 0
        change.thumbs_down += feedback < 0
    _append(connection, gw, {key: change}, 1)


def write(connection: Connection, gw: int, grain: Grain, number: int, tallies: Mapping[Key, Tally]) -> None:
    """Put sums in place of all those of an hour or day. In a write transaction."""
    connection.execute("DELETE FROM rollups WHERE gw = ? AND grain = ? AND number = ?", (gw, grain.value, number))
    connection.executemany(_WRITE, [(gw, grain.value, *_values(key, sums, 1)) for key, sums in tallies.items()])


def read(connection: Connection, gw: int, grain: Grain, first: int, end: int) -> dict[Key, Tally]:
    """The rollups of numbers from `first` up to, not including, `end`, without changes: for recounting."""
    sql = f"SELECT {', '.join(_ROW)} FROM rollups WHERE gw = ? AND grain = ? AND number >= ? AND number < ?"  # noqa: S608 - names of our own
    rows = connection.execute(sql, (gw, grain.value, first, end)).fetchall()
    return dict(_read(dict(zip(_ROW, row, strict=True))) for row in rows)


def read_changes(connection: Connection, gw: int, hour: int) -> dict[Key, Tally]:
    """The changes of an hour that are not in its rollups yet."""
    sql = f"SELECT {', '.join(_CHANGE)} FROM rollup_changes WHERE gw = ? AND number = ?"  # noqa: S608 - names of our own
    parts: dict[Key, list[Tally]] = {}
    for row in connection.execute(sql, (gw, hour)).fetchall():
        key, sums = _read(dict(zip(_CHANGE, row, strict=True)))
        parts.setdefault(key, []).append(sums)
    return {key: added(its) for key, its in parts.items()}


def _read(named: dict[str, Any]) -> tuple[Key, Tally]:
    fields: dict[str, Any] = {name: named[name] for name in COUNTS}
    fields |= {name: (named[f"{name}_high"] << HALF) + named[f"{name}_low"] for name in SUMS}
    fields |= {name: None if named[name] is None else Decimal(named[name]) for name in RESTS}
    fields |= {name: unpack([named[name]]) for name in BINS}
    return (named["number"], named["provider"], named["model"], named["outcome"]), Tally(**fields)


def by_day(hours: Mapping[Key, Tally]) -> dict[Key, Tally]:
    """The sums of days, given those of their hours."""
    parts: dict[Key, list[Tally]] = {}
    for (hour, provider, model, outcome), sums in hours.items():
        parts.setdefault((hour // HOURS_A_DAY, provider, model, outcome), []).append(sums)
    return {key: its[0] if len(its) == 1 else added(its) for key, its in parts.items()}


def _append(connection: Connection, gw: int, hours: Mapping[Key, Tally], times: int) -> None:
    connection.executemany(_APPEND, [(gw, *_values(key, sums, times)) for key, sums in hours.items()])
    if (connection.execute("SELECT max(change) FROM rollup_changes").get or 0) >= FOLD_AT:
        folding.fold(connection)


def _values(key: Key, sums: Tally, times: int) -> list[Any]:
    """The columns from KEY on."""
    values: list[Any] = [*key]
    values += [times * getattr(sums, name) for name in COUNTS]
    for name in SUMS:
        total = times * getattr(sums, name)
        values += (total >> HALF, total & LOW)
    for rest in (sums.cost_rest, sums.saved_rest):
        values.append(None if rest is None else str(EXACT.multiply(rest, times)))
    values += (pack(sums.durations, times), pack(sums.first_bytes, times))
    return values
