"""Removing logs: rows and counts in one transaction, which also notes the payloads that are to go.

The payloads go with the next write to payloads.db, and the note with the next write to logs.db, so a crash in
between repeats the removal and never forgets it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

from gaugeway.stores.sqlite import folding, log_counts, log_tallies, rollups
from gaugeway.stores.sqlite.conditions import is_in
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.log_rows import Row
from gaugeway.stores.sqlite.payloads import Payloads

CHUNK = 2_000
"""Logs removed in one transaction, so that nobody waits long for a turn."""

MANY_FREE_PAGES = 2_000
"""Free pages that limits leave behind and that are given back, in the background."""

VACUUM_PAGES = 500
"""Pages given back to the file system in one transaction."""

SLACK_PAGES = 64
"""Free pages that a file may keep: the next write needs some."""

_COLUMNS = f"SELECT {log_tallies.COLUMNS}, pid FROM logs"  # noqa: S608 - constants


def remove_oldest(connection: Connection, gw: int, count: int) -> None:
    """Remove a gateway's oldest logs. In a write transaction."""
    if count > 0:
        sql = f"{_COLUMNS} WHERE gw = ? ORDER BY id LIMIT ?"
        _remove_rows(connection, gw, connection.execute(sql, (gw, count)).fetchall())


Remover = Callable[[int], int | None]
"""Removes at most so many of the logs that are to go, in one transaction: how many it found; None when done."""


def remover_of_found(logs: Database, found: Found, ids: Sequence[bytes]) -> Remover:
    """For logs that were found, as far as they are still what was looked for."""
    left = list(ids)

    def remove(most: int) -> int | None:
        if not left:
            return None
        chosen = is_in("id", left[:most])
        with logs.writing() as connection:
            sql = f"{_COLUMNS} WHERE {found.condition.sql} AND {chosen.sql}"
            rows = connection.execute(sql, found.condition.bindings).fetchall()
            _remove_rows(connection, found.gw, rows)
        del left[:most]
        return len(rows)

    return remove


def remover_of_all(logs: Database, gw: int) -> Remover:
    """For every log of a gateway, and then its totals."""

    def remove(most: int) -> int | None:
        with logs.writing() as connection:
            rows = connection.execute(f"{_COLUMNS} WHERE gw = ? LIMIT ?", (gw, most)).fetchall()
            _remove_rows(connection, gw, rows)
            if not rows:
                folding.forget_totals(connection, gw)
        return len(rows) or None

    return remove


def _remove_rows(connection: Connection, gw: int, rows: Sequence[Row]) -> None:
    """Remove logs, given the rows of _COLUMNS."""
    if not rows:
        return
    chosen = is_in("id", [row[0] for row in rows])
    connection.execute(f"DELETE FROM logs WHERE gw = ? AND {chosen.sql}", (gw,))  # noqa: S608 - hexadecimal
    log_counts.subtract(connection, gw, ((row[2], row[3], row[1]) for row in rows))
    rollups.count_out(connection, gw, log_tallies.read_facts(rows))
    pids = array("q", (row[-1] for row in rows if row[-1] is not None))
    if pids:
        connection.execute("INSERT INTO dropped (pids) VALUES (?)", (pids.tobytes(),))


class Dropped:
    """Payloads noted as to go, at most so many. Read in one write transaction, forgotten in it or not at all."""

    def __init__(self, connection: Connection, most: int = 5 * CHUNK) -> None:
        self.pids: list[int] = []
        self._whole: int | None = None  # the last note of which all are here
        self._rest: tuple[bytes, int] | None = None  # what remains of the note after it
        for note, packed in connection.execute("SELECT seq, pids FROM dropped ORDER BY seq LIMIT 5").fetchall():
            numbers = array("q")
            numbers.frombytes(packed)
            room = most - len(self.pids)
            self.pids.extend(numbers[:room])
            if len(numbers) > room:
                self._rest = (numbers[room:].tobytes(), note)
                break
            self._whole = note

    def forget(self, connection: Connection) -> None:
        """The payloads are gone."""
        if self._whole is not None:
            connection.execute("DELETE FROM dropped WHERE seq <= ?", (self._whole,))
        if self._rest is not None:
            connection.execute("UPDATE dropped SET pids = ? WHERE seq = ?", self._rest)


def drop_payloads(logs: Database, payloads: Payloads, most: int = 5 * CHUNK) -> None:
    """Delete all payloads that are noted as to go, so many in one transaction."""
    more = True
    while more:
        with logs.writing() as connection:
            dropped = Dropped(connection, most)
            more = bool(dropped.pids)
            if more:
                payloads.put(connection.execute("SELECT pid FROM last_payload").get, (), dropped.pids)
                dropped.forget(connection)


def give_back(database: Database) -> None:
    """Give free pages back to the file system, in small steps, and empty the write-ahead log."""
    while give_some_back(database, VACUUM_PAGES):
        pass
    database.checkpoint()


def give_some_back(database: Database, most: int) -> bool:
    """Give at most so many free pages back. False where there are not enough of them to go on."""
    free = free_pages(database)
    if free <= SLACK_PAGES:
        return False
    with database.writing() as connection:
        connection.execute(f"PRAGMA incremental_vacuum({min(free - SLACK_PAGES, most)})").fetchall()
    left = free_pages(database)
    return SLACK_PAGES < left < free  # others may take and free pages at the same time; this has done its part


def free_pages(database: Database) -> int:
    """Pages of a file that hold nothing."""
    return database.reader().execute("PRAGMA freelist_count").get
