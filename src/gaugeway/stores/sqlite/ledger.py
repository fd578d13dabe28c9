"""The ledger of spend limits, in `ledger.db`: shared by all processes, exact, and safe from kill -9.

Each reservation and each settlement is one transaction, under the lock by which writers take turns, so that no two
processes can spend the same dollar. A reservation of a process that died stays: nobody knows what its request has
cost. It leaves with its window, or when the operator gives it back.

Commits are not flushed one by one, which would stop the event loop for the disk; a thread does it within a second
(see syncing.py). A power cut may lose what that second has settled, and the reservations with it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path

import apsw
import msgspec

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.spending import Budget, Overspent, Spent
from gaugeway.stores.sqlite.connection import Connection, connect
from gaugeway.stores.sqlite.database import Database, understood
from gaugeway.stores.sqlite.syncing import Syncing

LEASE_MS = 60_000
"""How long a process that says nothing is taken to live."""

MAX_REMEMBERED = 20_000
"""Buckets whose key a process remembers."""

CHECKPOINT_PAGES = 100_000
"""A last resort: the flushing thread empties the write-ahead log long before."""


_FORGET = (
    "DELETE FROM holds WHERE bucket IN (SELECT key FROM buckets WHERE account_id = ? AND gateway_id = ?)",
    "DELETE FROM slots WHERE bucket IN (SELECT key FROM buckets WHERE account_id = ? AND gateway_id = ?)",
    "DELETE FROM buckets WHERE account_id = ? AND gateway_id = ?",
)
_DROP_OLD = (
    "DELETE FROM holds WHERE until_ms <= ? - (SELECT window_ms FROM buckets WHERE key = bucket)",
    "DELETE FROM slots WHERE until_ms <= ? - (SELECT window_ms FROM buckets WHERE key = bucket)",
)
_FULL = 4_000_000 * 10**12
"""A slot holds no more than this, so that it stays a whole number; no limit is higher."""


class SqliteLedger:
    """A SpendLedger."""

    def __init__(self, folder: Path) -> None:
        path = folder / "ledger.db"
        migrations = files("gaugeway.stores.sqlite") / "migrations" / "ledger"
        self._database = Database(path, migrations, page_size=4096, checkpoint_pages=CHECKPOINT_PAGES)
        self._syncing = Syncing([path], self._checkpoint)
        self._holder = secrets.token_hex(8)
        self._lease_until = 0
        self._unflushed: StoreUnusable | None = None
        self._keys: dict[Budget, bytes] = {}

    def reserve(self, hold: bytes, budgets: Sequence[Budget], amount: int, at_ms: int) -> Overspent | None:
        """See SpendLedger."""
        with self._database.writing() as connection:
            for budget in budgets:
                refused = _refusal(connection, self._key(budget), budget, amount, at_ms)
                if refused is not None:
                    return refused
            for budget in budgets:
                self._hold(connection, hold, budget, amount, at_ms)
            if self._lease_until < at_ms + LEASE_MS // 2:
                self._say_alive(connection, at_ms)
        self._written()
        return None

    def look(self, budget: Budget, at_ms: int) -> Overspent | None:
        """See SpendLedger."""
        with self._database.reading() as connection:
            return _refusal(connection, self._key(budget), budget, 1, at_ms)

    def settle(self, hold: bytes, budgets: Sequence[Budget], cost: int, at_ms: int) -> None:
        """See SpendLedger."""
        with self._database.writing() as connection:
            for budget in budgets:
                key, slot = self._key(budget), budget.slot(at_ms)
                sql = "DELETE FROM holds WHERE id = ? AND bucket = ? RETURNING amount"
                rows = connection.execute(sql, (hold, key)).fetchall()
                held = rows[0][0] if rows else 0
                if not rows:  # it was given back, or dropped with its bucket, as its window had passed
                    _name(connection, key, budget)
                _add(connection, key, slot, cost, -held)
        self._written()

    def buckets(self, scope: Scope, budgets: Mapping[str, Budget], now_ms: int) -> list[Spent]:
        """See SpendLedger."""
        found: list[Spent] = []
        with self._database.reading() as connection:
            sql = (
                "SELECT key, rule_id, partition FROM buckets"
                " WHERE account_id = ? AND gateway_id = ? ORDER BY rule_id, partition"
            )
            for key, rule_id, partition in connection.execute(sql, _names(scope)).fetchall():
                budget = budgets.get(rule_id)
                if budget is None:
                    continue
                state = _state(connection, key, budget, now_ms)
                if state is not None:
                    spent, held, dead, oldest = state
                    parts = tuple((name, value) for name, value in json.loads(partition))
                    frees = (
                        oldest + budget.window * 1000
                        if budget.sliding
                        else budget.begins(now_ms) + budget.window * 1000
                    )
                    found.append(Spent(rule_id, parts, spent, held - dead, dead, frees))
        return found

    def give_back(self, scope: Scope, rule_id: str, now_ms: int) -> int:
        """See SpendLedger."""
        with self._database.writing() as connection:
            sql = (
                "SELECT id, bucket, from_ms, until_ms, amount FROM holds WHERE holder NOT IN"
                " (SELECT id FROM holders WHERE lease_until > ?) AND bucket IN"
                " (SELECT key FROM buckets WHERE account_id = ? AND gateway_id = ? AND rule_id = ?)"
            )
            dead = connection.execute(sql, (now_ms, *_names(scope), rule_id)).fetchall()
            for hold, key, from_ms, until_ms, amount in dead:
                connection.execute("DELETE FROM holds WHERE id = ? AND bucket = ?", (hold, key))
                _add(connection, key, (from_ms, until_ms), 0, -amount)
        self._written()
        return sum(row[4] for row in dead)

    def forget(self, scope: Scope) -> None:
        """See SpendLedger."""
        with self._database.writing() as connection:
            for sql in _FORGET:
                connection.execute(sql, _names(scope))
        self._written()

    def tend(self, now_ms: int) -> None:
        """See SpendLedger."""
        with self._database.writing() as connection:
            if self._lease_until:
                self._say_alive(connection, now_ms)
            for sql in _DROP_OLD:
                connection.execute(sql, (now_ms,))
            connection.execute("DELETE FROM buckets WHERE NOT EXISTS (SELECT 1 FROM slots WHERE bucket = key)")
            connection.execute(
                "DELETE FROM holders WHERE lease_until <= ? AND id NOT IN (SELECT holder FROM holds)",
                (now_ms - LEASE_MS,),
            )
        self._written()
        problem, self._unflushed = self._unflushed, None
        if problem is not None:
            raise problem

    def close(self) -> None:
        """Flush, and let go of the file."""
        self._syncing.close()
        self._database.close()

    def _hold(self, connection: Connection, hold: bytes, budget: Budget, amount: int, at_ms: int) -> None:
        key, slot = self._key(budget), budget.slot(at_ms)
        _name(connection, key, budget)
        connection.execute("INSERT INTO holds VALUES(?, ?, ?, ?, ?, ?)", (hold, key, *slot, amount, self._holder))
        _add(connection, key, slot, 0, amount)

    def _say_alive(self, connection: Connection, now_ms: int) -> None:
        self._lease_until = now_ms + LEASE_MS
        connection.execute(
            "INSERT INTO holders VALUES(?, ?) ON CONFLICT DO UPDATE SET lease_until = excluded.lease_until",
            (self._holder, self._lease_until),
        )

    def _written(self) -> None:
        """Have it flushed. That an earlier flush failed is for `tend` to tell: what was committed holds."""
        try:
            self._syncing.written()
        except StoreUnusable as problem:
            self._unflushed = problem

    def _key(self, budget: Budget) -> bytes:
        key = self._keys.get(budget)
        if key is None:
            if len(self._keys) >= MAX_REMEMBERED:
                self._keys.clear()
            name = json.dumps([*_names(budget.scope), budget.rule_id, budget.partition])
            key = self._keys[budget] = blake2b(name.encode(), digest_size=16).digest()
        return key

    def _checkpoint(self) -> None:
        """Bring the write-ahead log into the file without stopping a writer."""
        with suppress(StoreUnusable), understood(self._database.path):  # the next one tries again
            connection = connect(self._database.path)
            try:
                connection.wal_checkpoint(None, apsw.SQLITE_CHECKPOINT_PASSIVE)
            finally:
                connection.close()


def _refusal(connection: Connection, key: bytes, budget: Budget, amount: int, at_ms: int) -> Overspent | None:
    spent, held = _sums(connection, key, budget.begins(at_ms))
    excess = spent + held + amount - budget.limit
    if excess <= 0:
        return None
    wait = None
    if amount <= budget.limit:
        length = budget.window * 1000
        wait = budget.begins(at_ms) + length - at_ms
        if budget.sliding:
            wait = _until_free(connection, key, budget.begins(at_ms), excess) + length - at_ms
    return Overspent(budget, spent, held, wait)


def _sums(connection: Connection, key: bytes, begins: int) -> tuple[int, int]:
    sql = "SELECT spent, held FROM slots WHERE bucket = ? AND until_ms > ?"
    rows = connection.execute(sql, (key, begins)).fetchall()
    return sum(row[0] for row in rows), sum(row[1] for row in rows)  # SQLite's own sum may overflow


def _until_free(connection: Connection, key: bytes, begins: int, excess: int) -> int:
    """The end of the slot with whose leaving the excess is gone, if nothing is settled below what it holds."""
    sql = "SELECT until_ms, spent + held FROM slots WHERE bucket = ? AND until_ms > ? ORDER BY until_ms"
    last = begins
    for until, amount in connection.execute(sql, (key, begins)).fetchall():
        last, excess = until, excess - amount
        if excess <= 0:
            break
    return last


def _state(connection: Connection, key: bytes, budget: Budget, now_ms: int) -> tuple[int, int, int, int] | None:
    """Spent, held, the part of it held by the dead, and the oldest slot's end; None where nothing counts."""
    begins = budget.begins(now_ms)
    oldest = connection.execute(
        "SELECT MIN(until_ms) FROM slots WHERE bucket = ? AND until_ms > ? AND spent + held > 0", (key, begins)
    ).fetchone()[0]
    if oldest is None:
        return None
    spent, held = _sums(connection, key, begins)
    sql = (
        "SELECT COALESCE(SUM(amount), 0) FROM holds WHERE bucket = ? AND until_ms > ?"
        " AND holder NOT IN (SELECT id FROM holders WHERE lease_until > ?)"
    )
    return spent, held, connection.execute(sql, (key, begins, now_ms)).fetchone()[0], oldest


def _name(connection: Connection, key: bytes, budget: Budget) -> None:
    """Have the bucket's row, without which nothing of it would ever be dropped."""
    connection.execute(
        "INSERT INTO buckets VALUES(?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET window_ms = excluded.window_ms WHERE window_ms < excluded.window_ms",
        (key, *_names(budget.scope), budget.rule_id, _partition(budget), budget.window * 1000),
    )


def _add(connection: Connection, key: bytes, slot: tuple[int, int], spent: int, held: int) -> None:
    connection.execute(
        "INSERT INTO slots VALUES(?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET spent = MIN(spent + excluded.spent, ?), held = held + excluded.held",
        (key, *slot, min(spent, _FULL), held, _FULL),
    )


def _names(scope: Scope) -> tuple[str, str]:
    return scope.account_id, scope.gateway_id


def _partition(budget: Budget) -> str:
    return msgspec.json.encode(budget.partition).decode()
