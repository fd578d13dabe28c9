"""Removing logs: rows and counts in one transaction, which also notes the payloads that are to go.

The payloads go with the next write to payloads.db, and the note with the next write to logs.db, so a crash in
between repeats the removal and never forgets it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from gaugeway.stores.sqlite import log_counts
from gaugeway.stores.sqlite.conditions import is_in
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.log_reading import Found
from gaugeway.stores.sqlite.payloads import Payloads

CHUNK = 2_000
"""Logs removed in one transaction, so that nobody waits long for a turn."""

MANY_FREE_PAGES = 2_000
"""Free pages that limits leave behind and that are given back, in the background."""

VACUUM_PAGES = 500
"""Pages given back to the file system in one transaction."""

SLACK_PAGES = 64
"""Free pages that a file may keep: the next write needs some."""

_COLUMNS = "SELECT id, pid, provider, model, outcome FROM logs"


def remove_oldest(connection: Connection, gw: int, count: int) -> None:
    """Remove a gateway's oldest logs. In a write transaction."""
    if count > 0:
        sql = f"{_COLUMNS} WHERE gw = ? ORDER BY id LIMIT ?"
        _remove_rows(connection, gw, connection.execute(sql, (gw, count)).fetchall())


def remove_found(logs: Database, found: Found, ids: Sequence[bytes]) -> int:
    """Remove logs that were found, as far as they are still what was looked for; how many that were."""
    removed = 0
    for begin in range(0, len(ids), CHUNK):
        chosen = is_in("id", ids[begin : begin + CHUNK])
        with logs.writing() as connection:
            sql = f"{_COLUMNS} WHERE {found.condition.sql} AND {chosen.sql}"
            rows = connection.execute(sql, found.condition.bindings).fetchall()
            _remove_rows(connection, found.gw, rows)
            removed += len(rows)
    return removed


def remove_all(logs: Database, gw: int) -> None:
    """Remove every log of a gateway."""
    some = True
    while some:
        with logs.writing() as connection:
            rows = connection.execute(f"{_COLUMNS} WHERE gw = ? LIMIT ?", (gw, CHUNK)).fetchall()
            some = bool(rows)
            _remove_rows(connection, gw, rows)


def _remove_rows(connection: Connection, gw: int, rows: Sequence[tuple[bytes, int | None, int, int, int]]) -> None:
    if not rows:
        return
    chosen = is_in("id", [row[0] for row in rows])
    connection.execute(f"DELETE FROM logs WHERE gw = ? AND {chosen.sql}", (gw,))  # noqa: S608 - hexadecimal
    log_counts.subtract(connection, gw, (row[2:] for row in rows))
    pids = array("q", (row[1] for row in rows if row[1] is not None))
    if pids:
        connection.execute("INSERT INTO dropped (pids) VALUES (?)", (pids.tobytes(),))


class Dropped:
    """Payloads noted as to go. Read in one write transaction, forgotten in the same one or not at all."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute("SELECT seq, pids FROM dropped ORDER BY seq LIMIT 5").fetchall()
        self._last: int | None = rows[-1][0] if rows else None
        self.pids: list[int] = []
        for _, packed in rows:
            numbers = array("q")
            numbers.frombytes(packed)
            self.pids.extend(numbers)

    def forget(self, connection: Connection) -> None:
        """The payloads are gone."""
        if self._last is not None:
            connection.execute("DELETE FROM dropped WHERE seq <= ?", (self._last,))


def drop_payloads(logs: Database, payloads: Payloads) -> None:
    """Delete all payloads that are noted as to go."""
    more = True
    while more:
        with logs.writing() as connection:
            dropped = Dropped(connection)
            more = bool(dropped.pids)
            if more:
                payloads.put(connection.execute("SELECT pid FROM last_payload").get, (), dropped.pids)
                dropped.forget(connection)


def give_back(database: Database) -> None:
    """Give free pages back to the file system, in small steps, and empty the write-ahead log."""
    free = free_pages(database)
    while free > SLACK_PAGES:
        with database.writing() as connection:
            connection.execute(f"PRAGMA incremental_vacuum({min(free - SLACK_PAGES, VACUUM_PAGES)})").fetchall()
        before, free = free, free_pages(database)
        if free >= before:
            break  # others take and free pages at the same time; this has done its part
    database.checkpoint()


def free_pages(database: Database) -> int:
    """Pages of a file that hold nothing."""
    return database.reader().execute("PRAGMA freelist_count").get
