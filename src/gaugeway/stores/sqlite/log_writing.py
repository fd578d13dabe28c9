"""Writing batches of logs: payloads first, then rows, counts and what the gateways' limits ask for, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gaugeway.core.model import Logged, Scope
from gaugeway.core.ports import LogChange, Mark, Retention
from gaugeway.stores.sqlite import log_counts, log_rows, rollups
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.full_disk import check_room
from gaugeway.stores.sqlite.log_counts import Gateways
from gaugeway.stores.sqlite.log_marks import set_marks
from gaugeway.stores.sqlite.log_removal import CHUNK, Dropped, drop_payloads, remove_oldest
from gaugeway.stores.sqlite.log_tallies import Facts, facts_of, facts_one
from gaugeway.stores.sqlite.payloads import Packed, Payloads
from gaugeway.stores.sqlite.words import Words

STOP_INSERTING = "STOP_INSERTING"
"""The strategy that refuses; any other makes room (DELETE_OLDEST is the default)."""

_STATE = "SELECT logs, (SELECT max(id) FROM logs WHERE gw = gateways.gw) FROM gateways WHERE gw = ?"

Newcomer = tuple[Logged, Packed | None]


class LogWriting:
    """What appends logs to a data folder's files."""

    def __init__(self, logs: Database, payloads: Payloads, words: Words, gateways: Gateways) -> None:
        self._logs = logs
        self._folder = str(logs.path.parent)
        self._payloads = payloads
        self._words = words
        self._gateways = gateways
        self._limits: dict[Scope, int] = {}

    def append(
        self, batch: Sequence[Logged], retention: Callable[[Scope], Retention], marks: Mapping[str, Mark]
    ) -> None:
        """See LogStore.append."""
        packed = self._payloads.pack(logged.bodies for logged in batch)
        check_room(self._folder, packed, len(batch))
        by_gateway: dict[tuple[str, str], dict[bytes, Newcomer]] = {}
        for logged, payload in zip(batch, packed, strict=True):
            record = logged.record
            gateway = (record.account_id, record.gateway_id)
            logs = by_gateway.get(gateway)
            if logs is None:
                logs = by_gateway[gateway] = {}
            if record.id not in logs:
                logs[record.id] = (logged, payload)
        by_scope = {Scope(*gateway): logs for gateway, logs in by_gateway.items()}
        keeps = {scope: retention(scope) for scope in by_scope}
        self._make_room(keeps)
        with self._words.adding(self._logs) as connection:
            self._write(connection, by_scope, keeps)
            set_marks(connection, marks)

    def patch(self, scope: Scope, log_id: bytes, change: LogChange) -> bool:
        """See LogStore.patch."""
        with self._words.adding(self._logs) as connection:
            gw = self._gateways.find(connection, scope)
            before = None if gw is None else facts_one(connection, gw, log_id)
            if gw is None or before is None:
                return False
            columns = log_rows.changed_columns(change, self._words)
            if "feedback" in columns:
                rollups.change_feedback(connection, gw, before, columns["feedback"])
            if columns:
                sets = ", ".join(f"{name} = ?" for name in columns)
                sql = f"UPDATE logs SET {sets} WHERE gw = ? AND id = ?"  # noqa: S608 - names of our own
                connection.execute(sql, (*columns.values(), gw, log_id))
            return True

    def _write(
        self,
        connection: Connection,
        by_scope: dict[Scope, dict[bytes, Newcomer]],
        keeps: dict[Scope, Retention],
    ) -> None:
        last_pid, some_dropped = connection.execute(
            "SELECT pid, EXISTS (SELECT 1 FROM dropped) FROM last_payload"
        ).fetchone()
        dropped = Dropped(connection) if some_dropped else None
        encode = log_rows.encoder(self._words)
        payloads: list[Packed] = []
        rows: list[log_rows.Row] = []
        counted: list[tuple[int, Iterable[Facts]]] = []
        surplus: list[tuple[int, int]] = []
        for scope, logs in by_scope.items():
            keep = keeps[scope]
            if keep.limit == 0:
                continue
            gw = self._gateways.make(connection, scope)
            there, newest = connection.execute(_STATE, (gw,)).fetchone()
            fresh = _without_known(connection, gw, logs, newest)
            if keep.limit is not None:
                fresh, excess = _within_limit(connection, gw, there, fresh, keep)
                surplus.append((gw, excess))
            begin = len(rows)
            for logged, payload in fresh:
                pid = None
                if payload is not None:
                    payloads.append(payload)
                    pid = last_pid + len(payloads)
                rows.append(encode(logged.record, gw, pid))
            if fresh:
                log_counts.add(connection, gw, [((row[6], row[7], row[5]), row[1]) for row in rows[begin:]])
                records = [logged.record for logged, _ in fresh]
                counted.append((gw, map(facts_of, rows[begin:], records)))
        if payloads or dropped:
            self._payloads.put(last_pid, payloads, dropped.pids if dropped else ())
        if dropped:
            dropped.forget(connection)
        connection.executemany(log_rows.INSERT, rows)
        for gw, facts in counted:
            rollups.count_in(connection, gw, facts)
        for gw, excess in surplus:
            remove_oldest(connection, gw, excess)
        if payloads:
            connection.execute("UPDATE last_payload SET pid = ?", (last_pid + len(payloads),))

    def _make_room(self, keeps: dict[Scope, Retention]) -> None:
        """Where a limit was lowered, bring the gateway near to it in small transactions.

        A limit that held at the last append needs no look: this one cannot exceed it by more than its batch.
        """
        for scope, keep in keeps.items():
            if not keep.limit or keep.strategy == STOP_INSERTING or self._limits.get(scope) == keep.limit:
                continue
            while self._remove_excess(scope, keep.limit):
                drop_payloads(self._logs, self._payloads)
            self._limits[scope] = keep.limit

    def _remove_excess(self, scope: Scope, limit: int) -> bool:
        """Remove a chunk of what is beyond the limit; False where that is less than a chunk."""
        gw = self._gateways.find(self._logs.reader(), scope)
        if gw is None or _count(self._logs.reader(), gw) - limit < CHUNK:
            return False
        with self._logs.writing() as connection:
            remove_oldest(connection, gw, min(CHUNK, _count(connection, gw) - limit))
        return True


def _without_known(
    connection: Connection, gw: int, logs: dict[bytes, Newcomer], newest: bytes | None
) -> list[Newcomer]:
    """Those logs that are not there yet."""
    maybe_known = [(gw, id_) for id_ in logs if newest is not None and id_ <= newest]
    known = connection.executemany("SELECT id FROM logs WHERE gw = ? AND id = ?", maybe_known)
    for (id_,) in known.fetchall():
        del logs[id_]
    return list(logs.values())


def _within_limit(
    connection: Connection, gw: int, there: int, fresh: list[Newcomer], keep: Retention
) -> tuple[list[Newcomer], int]:
    """What may be written, and how many of the oldest must go then."""
    limit = keep.limit or 0
    if keep.strategy == STOP_INSERTING:
        room = max(limit - there, 0)
        refused = len(fresh) - room
        if refused > 0:
            connection.execute("UPDATE gateways SET refused = refused + ? WHERE gw = ?", (refused, gw))
        return fresh[:room], 0
    return fresh, max(there + len(fresh) - limit, 0)


def _count(connection: Connection, gw: int) -> int:
    return connection.execute("SELECT logs FROM gateways WHERE gw = ?", (gw,)).get
