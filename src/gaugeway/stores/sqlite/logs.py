"""The LogStore in `logs.db` (columns) and `payloads.db` (bodies).

Durability: when `append` returns, its logs survive the death of any process; a power cut they survive within a
second (`syncing.py`). Deleting gives the space back to the file system.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

from msgspec.structs import replace

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Bodies, Logged, LogRecord, Scope
from gaugeway.core.ports import Extremes, LogChange, Retention
from gaugeway.core.query import Slice, Where
from gaugeway.stores.sqlite import log_figures, log_reading, log_removal
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.log_counts import Gateways
from gaugeway.stores.sqlite.log_rows import SELECT, Row, decode
from gaugeway.stores.sqlite.log_writing import LogWriting
from gaugeway.stores.sqlite.payloads import Payloads
from gaugeway.stores.sqlite.syncing import Syncing
from gaugeway.stores.sqlite.text_matching import add_functions
from gaugeway.stores.sqlite.words import Words

MMAP_BYTES = 2 * 1024 * 1024 * 1024
"""Of logs.db; makes a walk over all logs an eighth faster."""

MAX_DELETE = 10_000
"""Logs that one call of `delete` takes at most."""

_log = logging.getLogger(__name__)


class SqliteLogStore:
    """A LogStore in a data folder; raises StoreUnusable where that cannot be had. `close` it."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        migrations = files("gaugeway.stores.sqlite") / "migrations" / "logs"
        self.logs_database = Database(
            folder / "logs.db",
            migrations,
            mmap_bytes=MMAP_BYTES,
            checkpoint_pages=4000,
            prepare=add_functions,
        )
        try:
            self.payloads = Payloads(folder)
        except BaseException:
            self.logs_database.close()
            raise
        self._clock = clock
        self._words = Words()
        self._gateways = Gateways()
        self._writing = LogWriting(self.logs_database, self.payloads, self._words, self._gateways)
        self._syncing = Syncing((self.payloads.database.path, self.logs_database.path), self.tidy)

    def append(self, batch: Sequence[Logged], retention: Callable[[Scope], Retention]) -> None:
        """See LogStore."""
        if batch:
            self._writing.append(batch, retention)
            self._syncing.written()

    def get(self, scope: Scope, log_id: bytes) -> LogRecord | None:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            row = self._row(connection, scope, log_id)
            return None if row is None else decode(row, scope, connection, self._words)

    def bodies(self, scope: Scope, log_id: bytes) -> Bodies | None:
        """See LogStore."""
        gw = self._gateways.find(self.logs_database.reader(), scope)
        rows = self.logs_database.rows("SELECT pid FROM logs WHERE gw = ? AND id = ?", (gw, log_id))
        if not rows or rows[0][0] is None:
            return None
        return self.payloads.get(rows[0][0])

    def page(self, scope: Scope, where: Where, part: Slice) -> list[LogRecord]:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return []
            rows = log_reading.read_page(connection, found, part, self._words)
            return [decode(row, scope, connection, self._words) for row in rows]

    def count(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> int | None:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            return 0 if found is None else log_reading.count(connection, found, budget_ms, self._clock)

    def refused(self, scope: Scope) -> int:
        """See LogStore."""
        sql = "SELECT refused FROM gateways WHERE account_id = ? AND gateway_id = ?"
        rows = self.logs_database.rows(sql, (scope.account_id, scope.gateway_id))
        return rows[0][0] if rows else 0

    def extremes(self, scope: Scope, where: Where) -> Extremes:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            return Extremes() if found is None else log_figures.extremes(connection, found)

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return log_figures.of_none(wanted)
            return log_figures.aggregate(connection, found, wanted)

    def patch(self, scope: Scope, log_id: bytes, change: LogChange) -> bool:
        """See LogStore."""
        return self._writing.patch(scope, log_id, change)

    def delete(self, scope: Scope, where: Where, part: Slice) -> int:
        """See LogStore. At most MAX_DELETE logs a call."""
        if part.offset:
            raise ValueError("logs are deleted from the first one on: the offset must be 0")
        part = replace(part, limit=min(part.limit, MAX_DELETE))
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return 0
            ids = log_reading.find_ids(connection, found, part, self._words)
        removed = log_removal.remove_found(self.logs_database, found, ids)
        self._finish_removal()
        return removed

    def delete_scope(self, scope: Scope) -> None:
        """See LogStore."""
        gw = self._gateways.find(self.logs_database.reader(), scope)
        if gw is not None:
            log_removal.remove_all(self.logs_database, gw)
            self._finish_removal()

    def _finish_removal(self) -> None:
        log_removal.drop_payloads(self.logs_database, self.payloads)
        log_removal.give_back(self.logs_database)
        log_removal.give_back(self.payloads.database)
        self._syncing.written()

    def tidy(self) -> None:
        """What can wait until a second after a write: space that limits made free, and a better dictionary."""
        try:
            for database in (self.logs_database, self.payloads.database):
                if log_removal.free_pages(database) > log_removal.MANY_FREE_PAGES:
                    log_removal.give_back(database)
            if self.payloads.should_learn():
                self.payloads.learn()
        except GaugewayError as problem:
            _log.warning("tidying up after writing logs failed, and will be tried again: %s", problem)

    def _row(self, connection: Connection, scope: Scope, log_id: bytes) -> Row | None:
        gw = self._gateways.find(connection, scope)
        return connection.execute(f"{SELECT} WHERE gw = ? AND id = ?", (gw, log_id)).fetchone()

    def close(self) -> None:
        """Close the files. Nothing may be using them any more."""
        self._syncing.close()
        self.payloads.close()
        self.logs_database.close()
