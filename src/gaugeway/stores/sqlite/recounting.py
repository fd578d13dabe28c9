"""Counting rollups anew from the logs, or comparing them, hour by hour so that no writer waits long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gaugeway.core.ids import first_at, time_ms
from gaugeway.stores.sqlite import folding, rollups
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.log_tallies import Key, Tally, added, facts_between, tally
from gaugeway.stores.sqlite.rollup_columns import HOURS_A_DAY, Grain


def recount(logs: Database, gw: int, counted: Callable[[int], None]) -> None:
    """Count all of a gateway's rollups from its logs; tell how many logs each step has counted."""
    hours = _hours(logs, gw)
    for hour in hours:
        with logs.writing() as connection:
            folding.fold(connection)
            found = _of_logs(connection, gw, hour)
            rollups.write(connection, gw, Grain.HOUR, hour, found)
        counted(sum(sums.logs for sums in found.values()))
    for day in _days(logs, gw, hours):
        with logs.writing() as connection:
            folding.fold(connection)
            rollups.write(connection, gw, Grain.DAY, day, _of_hours(connection, gw, day))


def differences(logs: Database, gw: int, counted: Callable[[int], None]) -> Iterator[tuple[Grain, int]]:
    """The hours whose rollups are not what their logs say, and the days that are not the sum of their hours."""
    hours = _hours(logs, gw)
    for hour in hours:
        with logs.reading() as connection:
            found = _of_logs(connection, gw, hour)
            kept = _with_changes(connection, gw, hour)
        counted(sum(sums.logs for sums in found.values()))
        if found != kept:
            yield Grain.HOUR, hour
    for day in _days(logs, gw, hours):
        with logs.reading() as connection:
            same = _of_hours(connection, gw, day) == _kept(connection, gw, Grain.DAY, day)
        if not same:
            yield Grain.DAY, day


def _of_logs(connection: Connection, gw: int, hour: int) -> dict[Key, Tally]:
    low, high = first_at(hour * Grain.HOUR.ms), first_at((hour + 1) * Grain.HOUR.ms)
    return tally(facts_between(connection, gw, low, high), Grain.HOUR.ms)


def _of_hours(connection: Connection, gw: int, day: int) -> dict[Key, Tally]:
    return rollups.by_day(rollups.read(connection, gw, Grain.HOUR, day * HOURS_A_DAY, (day + 1) * HOURS_A_DAY))


def _kept(connection: Connection, gw: int, grain: Grain, number: int) -> dict[Key, Tally]:
    return rollups.read(connection, gw, grain, number, number + 1)


def _with_changes(connection: Connection, gw: int, hour: int) -> dict[Key, Tally]:
    kept = _kept(connection, gw, Grain.HOUR, hour)
    for key, change in rollups.read_changes(connection, gw, hour).items():
        kept[key] = added([kept.get(key, Tally()), change])
    return {key: sums for key, sums in kept.items() if sums.logs}


def _hours(logs: Database, gw: int) -> list[int]:
    """The hours that have logs or rollups."""
    hours = set(_numbers(logs, gw, Grain.HOUR))
    hours.update(number for (number,) in logs.rows("SELECT number FROM rollup_changes WHERE gw = ?", (gw,)))
    sql = "SELECT id FROM logs WHERE gw = ? AND id >= ? ORDER BY id LIMIT 1"
    low = first_at(0)
    while found := logs.rows(sql, (gw, low)):
        hour = time_ms(found[0][0]) // Grain.HOUR.ms
        hours.add(hour)
        low = first_at((hour + 1) * Grain.HOUR.ms)
    return sorted(hours)


def _days(logs: Database, gw: int, hours: list[int]) -> list[int]:
    return sorted({hour // HOURS_A_DAY for hour in hours}.union(_numbers(logs, gw, Grain.DAY)))


def _numbers(logs: Database, gw: int, grain: Grain) -> list[int]:
    rows = logs.rows("SELECT DISTINCT number FROM rollups WHERE gw = ? AND grain = ?", (gw, grain.value))
    return [number for (number,) in rows]
