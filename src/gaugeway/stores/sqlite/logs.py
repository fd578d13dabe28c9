"""The LogStore in `logs.db` (columns) and `payloads.db` (bodies).

Durability: when `append` returns, its logs survive the death of any process; a power cut they survive within a
second (`syncing.py`). Deleting gives the space back to the file system.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gaugeway.core.aggregates import Aggregate, Aggregated, Column
from gaugeway.core.errors import GaugewayError
from gaugeway.core.model import Bodies, Logged, LogRecord, Scope
from gaugeway.core.ports import Extremes, LogChange, Mark, Retention
from gaugeway.core.query import Grouping, Slice, Where
from gaugeway.stores.sqlite import (
    body_search,
    folding,
    log_aggregates,
    log_extremes,
    log_groups,
    log_marks,
    log_reading,
    log_removal,
    text_matching,
)
from gaugeway.stores.sqlite.analytics import SqliteAnalytics
from gaugeway.stores.sqlite.ballast import Ballast
from gaugeway.stores.sqlite.columns.planning import Sizes
from gaugeway.stores.sqlite.columns.projection import Projection
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.full_disk import Removal, before_it_is_full
from gaugeway.stores.sqlite.log_counts import Gateways
from gaugeway.stores.sqlite.log_rows import SELECT, Row, decode
from gaugeway.stores.sqlite.log_writing import LogWriting
from gaugeway.stores.sqlite.payloads import Payloads
from gaugeway.stores.sqlite.syncing import Syncing
from gaugeway.stores.sqlite.words import Words

MMAP_BYTES = 2 * 1024 * 1024 * 1024
"""Of logs.db; makes a walk over all logs an eighth faster."""

MAX_DELETE = 10_000
"""Logs that one call of `delete` takes at most."""

SEARCH_LIMITS = body_search.Limits()

_IN_COLUMNS = ("provider", "model")
"""What logs are grouped by, by their columns."""

_log = logging.getLogger(__name__)


class SqliteLogStore:
    """A LogStore in a data folder; raises StoreUnusable where that cannot be had. `close` it.

    `sizes`: how many logs are worth a segment of `columns`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        search_limits: body_search.Limits = SEARCH_LIMITS,
        sizes: Sizes | None = None,
    ) -> None:
        self._search_limits = search_limits
        migrations = files("gaugeway.stores.sqlite") / "migrations" / "logs"
        self.logs_database = Database(
            folder / "logs.db",
            migrations,
            mmap_bytes=MMAP_BYTES,
            checkpoint_pages=4000,
            prepare=self._prepare,
        )
        try:
            self.payloads = Payloads(folder)
        except BaseException:
            self.logs_database.close()
            raise
        self._clock = clock
        self._words = Words()
        self._gateways = Gateways()
        self.analytics = SqliteAnalytics(self.logs_database, self._words)
        self.columns = Projection(self.logs_database, self._words, self._gateways, sizes)
        self._catch_up()
        self._ballast = Ballast(folder / "ballast")
        self._removal = Removal(self.logs_database, self.payloads, self._ballast)
        self._writing = LogWriting(self.logs_database, self.payloads, self._words, self._gateways)
        self._syncing = Syncing((self.payloads.database.path, self.logs_database.path), self.tidy)

    def _prepare(self, connection: Connection) -> None:
        text_matching.add_functions(connection)
        folding.add_functions(connection)
        body_search.add_function(connection, self._read_bodies, self._search_limits)

    def _read_bodies(self, pid: int) -> Bodies | None:
        return self.payloads.get(pid)

    def _catch_up(self) -> None:
        try:
            self.analytics.catch_up()
        except BaseException:
            self.payloads.close()
            self.logs_database.close()
            raise

    def append(
        self,
        batch: Sequence[Logged],
        retention: Callable[[Scope], Retention],
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        """See LogStore."""
        if batch:
            self._writing.append(batch, retention, marks or {})
            before_it_is_full((self.payloads.database, self.logs_database))
            self._syncing.written()

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        """See LogStore."""
        return log_marks.read_marks(self.logs_database, living)

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

    def ids(self, scope: Scope, where: Where, part: Slice) -> list[bytes]:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            return [] if found is None else log_reading.find_ids(connection, found, part, self._words)

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

    def extremes(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> Extremes | None:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return Extremes()
            return log_reading.within(
                connection, found, budget_ms, self._clock, lambda: log_extremes.extremes(connection, found)
            )

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return log_aggregates.of_none(wanted)
            answer = self.columns.answer(connection, found, where, wanted)
            return log_aggregates.aggregate(connection, found, wanted) if answer is None else answer

    def aggregate_by(
        self, scope: Scope, where: Where, wanted: Sequence[Aggregate], by: Grouping, limit: int
    ) -> dict[str | None, Aggregated] | None:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            if found is None:
                return {}
            label = log_groups.label(by)

            def grouped(some: log_reading.Found) -> dict[str | None, Aggregated]:
                groups = log_aggregates.aggregate_by(connection, some, wanted, label)
                return {log_groups.name(connection, self._words, by, one): told for one, told in groups.items()}

            if by.kind in _IN_COLUMNS:
                answer = self.columns.answer_by(connection, found, where, wanted, by.kind, grouped)
                if answer is not None:
                    return answer if len(answer) <= limit else None
            if log_groups.more_than(connection, found, label, limit):
                return None
            return grouped(found)

    def items(
        self, scope: Scope, where: Where, columns: Sequence[Column], by: Grouping, limit: int
    ) -> list[tuple[Any, ...]] | None:
        """See LogStore."""
        with self.logs_database.reading() as connection:
            found = log_reading.find(connection, self._words, self._gateways.find(connection, scope), where)
            return [] if found is None else log_groups.items(connection, found, columns, by, limit)

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
        return self._remove(log_removal.remover_of_found(self.logs_database, found, ids))

    def delete_scope(self, scope: Scope) -> None:
        """See LogStore."""
        gw = self._gateways.find(self.logs_database.reader(), scope)
        if gw is not None:
            self.columns.forget(gw)
            self._remove(log_removal.remover_of_all(self.logs_database, gw))

    def _remove(self, remove: log_removal.Remover) -> int:
        try:
            return self._removal.run(remove)
        finally:
            self._syncing.written()

    def scopes(self) -> list[Scope]:
        """Those that have logs."""
        rows = self.logs_database.rows("SELECT account_id, gateway_id FROM gateways WHERE logs > 0")
        return [Scope(account_id, gateway_id) for account_id, gateway_id in rows]

    def tidy(self) -> None:
        """What can wait until a second after a write: ballast, space that limits made free, a better dictionary."""
        try:
            if not self._ballast.is_whole:
                with self.logs_database.holding():
                    self._ballast.take_back()
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
        self.columns.close()
        self._syncing.close()
        self.payloads.close()
        self.logs_database.close()
