"""Writing batches of logs: payloads first, then rows, counts and what the gateways' limits ask for, at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from gaugeway.core.model import Logged, Scope
from gaugeway.core.ports import LogChange, Retention
from gaugeway.stores.sqlite import log_counts, log_rows
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.log_removal import CHUNK, Dropped, drop_payloads, remove_oldest
from gaugeway.stores.sqlite.payloads import Packed, Payloads
from gaugeway.stores.sqlite.words import Words

STOP_INSERTING = "STOP_INSERTING"
"""The strategy that refuses; any other makes room (DELETE_OLDEST is the default)."""

Newcomer = tuple[Logged, Packed | None]


class LogWriting:
    """What appends logs to a data folder's files."""

    def __init__(self, logs: Database, payloads: Payloads, words: Words) -> None:
        self._logs = logs
        self._payloads = payloads
        self._words = words
        self._one_at_a_time = threading.Lock()

    def append(self, batch: Sequence[Logged], retention: Callable[[Scope], Retention]) -> None:
        """See LogStore.append."""
        packed = self._payloads.pack(logged.bodies for logged in batch)
        by_scope: dict[Scope, dict[bytes, Newcomer]] = {}
        for logged, payload in zip(batch, packed, strict=True):
            record = logged.record
            by_scope.setdefault(record.scope, {}).setdefault(record.id, (logged, payload))
        keeps = {scope: retention(scope) for scope in by_scope}
        self._make_room(keeps)
        with self._changing() as connection:
            self._write(connection, by_scope, keeps)

    def patch(self, scope: Scope, log_id: bytes, change: LogChange) -> bool:
        """See LogStore.patch."""
        with self._changing() as connection:
            gw = log_counts.find_gateway(connection, scope)
            sql = "SELECT 1 FROM logs WHERE gw = ? AND id = ?"
            if gw is None or connection.execute(sql, (gw, log_id)).get is None:
                return False
            columns = log_rows.changed_columns(change, connection, self._words)
            if columns:
                sets = ", ".join(f"{name} = ?" for name in columns)
                sql = f"UPDATE logs SET {sets} WHERE gw = ? AND id = ?"  # noqa: S608 - names of our own
                connection.execute(sql, (*columns.values(), gw, log_id))
            return True

    @contextmanager
    def _changing(self) -> Generator[Connection]:
        """A write transaction in which words may be added."""
        with self._one_at_a_time:
            committed = False
            try:
                with self._logs.writing() as connection:
                    yield connection
                committed = True
            finally:
                self._words.settle(committed=committed)

    def _write(
        self,
        connection: Connection,
        by_scope: dict[Scope, dict[bytes, Newcomer]],
        keeps: dict[Scope, Retention],
    ) -> None:
        last_pid: int = connection.execute("SELECT pid FROM last_payload").get
        dropped = Dropped(connection)
        encode = log_rows.encoder(connection, self._words)
        payloads: list[Packed] = []
        rows: list[log_rows.Row] = []
        surplus: list[tuple[int, int]] = []
        for scope, logs in by_scope.items():
            keep = keeps[scope]
            if keep.limit == 0:
                continue
            gw = log_counts.make_gateway(connection, scope)
            fresh = _without_known(connection, gw, logs)
            if keep.limit is not None:
                fresh, excess = _within_limit(connection, gw, fresh, keep)
                surplus.append((gw, excess))
            begin = len(rows)
            for logged, payload in fresh:
                pid = None
                if payload is not None:
                    payloads.append(payload)
                    pid = last_pid + len(payloads)
                rows.append(encode(logged.record, gw, pid))
            if fresh:
                log_counts.add(connection, gw, ((row[6], row[7], row[5]) for row in rows[begin:]))
        if payloads or dropped.pids:
            self._payloads.put(last_pid, payloads, dropped.pids)
            dropped.forget(connection)
        connection.executemany(log_rows.INSERT, rows)
        for gw, excess in surplus:
            remove_oldest(connection, gw, excess)
        if payloads:
            connection.execute("UPDATE last_payload SET pid = ?", (last_pid + len(payloads),))

    def _make_room(self, keeps: dict[Scope, Retention]) -> None:
        """Where a limit was lowered, bring the gateway near to it in small transactions."""
        removed = False
        for scope, keep in keeps.items():
            while self._excess(scope, keep) > CHUNK:
                with self._logs.writing() as connection:
                    gw = log_counts.make_gateway(connection, scope)
                    remove_oldest(connection, gw, min(CHUNK, _count(connection, gw) - (keep.limit or 0)))
                removed = True
        if removed:
            drop_payloads(self._logs, self._payloads)

    def _excess(self, scope: Scope, keep: Retention) -> int:
        """How many logs of a gateway are too many, right now."""
        if not keep.limit or keep.strategy == STOP_INSERTING:
            return 0
        connection = self._logs.reader()
        gw = log_counts.find_gateway(connection, scope)
        return 0 if gw is None else _count(connection, gw) - keep.limit


def _without_known(connection: Connection, gw: int, logs: dict[bytes, Newcomer]) -> list[Newcomer]:
    known = connection.executemany("SELECT id FROM logs WHERE gw = ? AND id = ?", [(gw, id_) for id_ in logs])
    for (id_,) in known.fetchall():
        del logs[id_]
    return list(logs.values())


def _within_limit(
    connection: Connection, gw: int, fresh: list[Newcomer], keep: Retention
) -> tuple[list[Newcomer], int]:
    """What may be written, and how many of the oldest must go then."""
    limit = keep.limit or 0
    there = _count(connection, gw)
    if keep.strategy == STOP_INSERTING:
        room = max(limit - there, 0)
        refused = len(fresh) - room
        if refused > 0:
            connection.execute("UPDATE gateways SET refused = refused + ? WHERE gw = ?", (refused, gw))
        return fresh[:room], 0
    return fresh, max(there + len(fresh) - limit, 0)


def _count(connection: Connection, gw: int) -> int:
    return connection.execute("SELECT logs FROM gateways WHERE gw = ?", (gw,)).get
