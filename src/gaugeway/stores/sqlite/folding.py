"""Folding many changes of sums at once into those of hours and days, and what only grows into the totals."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct

from gaugeway.core.analytics import EXACT
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.rollup_columns import BINS, HOURS_A_DAY, KEY, NUMBERS, RESTS, Grain, pack, unpack


class _Target(Struct, frozen=True):
    """Where changes are added."""

    table: str
    key: dict[str, str]  # its columns, as SQL over `rollup_changes`
    condition: str = "TRUE"  # which changes

    @property
    def where(self) -> str:
        """The condition of one row, given its key."""
        return " AND ".join(f"{name} = ?" for name in self.key)


def _of_grain(grain: Grain, number: str) -> _Target:
    same = {name: name for name in KEY}
    return _Target("rollups", {"gw": "gw", "grain": str(grain.value), **same, "number": number})


_ROLLUPS = (_of_grain(Grain.HOUR, "number"), _of_grain(Grain.DAY, f"number / {HOURS_A_DAY}"))
_TOTALS = _Target(
    "totals",
    {name: name for name in ("gw", "provider", "outcome")},
    "logs > 0",  # logs that were added; removals and feedback change no total
)


def fold(connection: Connection) -> None:
    """Add all changes to rollups and totals. In a write transaction."""
    for target in (*_ROLLUPS, _TOTALS):
        connection.execute(_add_numbers(target))
        keys = _add_bins(connection, target)
        connection.executemany(f"DELETE FROM {target.table} WHERE {target.where} AND logs = 0", keys)  # noqa: S608 - names of our own
    connection.execute("DELETE FROM rollup_changes")


def forget_totals(connection: Connection, gw: int) -> None:
    """A gateway is gone. In a write transaction."""
    fold(connection)
    connection.execute("DELETE FROM totals WHERE gw = ?", (gw,))


def _add_numbers(target: _Target) -> str:
    """The statement that adds the numbers of all changes."""
    columns = ", ".join((*target.key, *NUMBERS, *BINS))
    sums = ", ".join(f"sum({name})" for name in NUMBERS)
    added = ", ".join(f"{name} = {name} + excluded.{name}" for name in NUMBERS)
    groups = ", ".join(str(place) for place in range(1, len(target.key) + 1))
    return (
        f"INSERT INTO {target.table} ({columns})"  # noqa: S608 - names of our own
        f" SELECT {', '.join(target.key.values())}, {sums}, x'', x'' FROM rollup_changes"
        f" WHERE {target.condition} GROUP BY {groups} ON CONFLICT DO UPDATE SET {added}"
    )


def _add_bins(connection: Connection, target: _Target) -> list[tuple[int, ...]]:
    """Add the bins and rests of all changes; the keys of the rows that were changed."""
    width = len(target.key)
    parts: dict[tuple[int, ...], tuple[list[bytes], list[bytes]]] = {}
    rests = ", ".join(f"{name} = decimal_sum({name}, ?)" for name in RESTS)
    for row in connection.execute(
        f"SELECT {', '.join((*target.key.values(), *BINS, *RESTS))} FROM rollup_changes"  # noqa: S608 - names of our own
        f" WHERE {target.condition}"
    ).fetchall():
        key, (durations, first_bytes, *beyond) = row[:width], row[width:]
        its = parts.setdefault(key, ([], []))
        its[0].append(durations)
        its[1].append(first_bytes)
        if any(beyond):
            connection.execute(f"UPDATE {target.table} SET {rests} WHERE {target.where}", (*beyond, *key))  # noqa: S608 - names of our own
    changed = [(*_merged(connection, target, key, its), *key) for key, its in parts.items()]
    bins = ", ".join(f"{name} = ?" for name in BINS)
    connection.executemany(f"UPDATE {target.table} SET {bins} WHERE {target.where}", changed)  # noqa: S608 - names of our own
    return list(parts)


def _merged(
    connection: Connection, target: _Target, key: tuple[int, ...], more: Sequence[Sequence[bytes]]
) -> list[bytes]:
    """The bins of a row with more of them."""
    sql = f"SELECT {', '.join(BINS)} FROM {target.table} WHERE {target.where}"  # noqa: S608 - names of our own
    there: Sequence[Any] = connection.execute(sql, key).fetchone()
    return [pack(unpack([old, *new])) for old, new in zip(there, more, strict=True)]


def _decimal_sum(one: str | None, other: str | None) -> str | None:
    """None is none: rests are rare."""
    if one is None or other is None:
        return other if one is None else one
    total = EXACT.add(Decimal(one), Decimal(other))
    return str(total) if total else None


def add_functions(connection: Connection) -> None:
    """Make the function of the statements here known to a connection."""
    connection.create_scalar_function("decimal_sum", _decimal_sum, 2, deterministic=True)
