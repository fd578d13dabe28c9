"""Cached answers in `cache.db`. The file can be deleted while nothing runs: all it holds can be asked for again."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from gaugeway.core.model import Scope
from gaugeway.core.ports import CachedAnswer
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.remembered import Change, Memory

ROW_BYTES = 400
"""What an answer takes beside its headers and body: its key, its gateway's name, four indexes."""

TOUCH_AFTER_MS = 60_000
"""An answer's last use is written down once a minute at most, so that reading is not writing."""

MAX_TOUCHED = 10_000
BATCH = 200
"""Answers deleted in one transaction: others want to write, too."""

VACUUM_PAGES = 2_000
"""Free pages given back to the disk in one sweep."""

REMEMBER_EMPTIED_MS = 24 * 3600 * 1000
"""No request takes longer than that."""

_encode_headers = msgspec.msgpack.Encoder().encode
_decode_headers = msgspec.msgpack.Decoder(list[tuple[bytes, bytes]]).decode


class SqliteCache:
    """A CacheStore of at most `capacity` bytes, as far as they can be counted from outside of SQLite."""

    def __init__(self, folder: Path, capacity: int) -> None:
        migrations = files("gaugeway.stores.sqlite") / "migrations" / "cache"
        self._database = Database(folder / "cache.db", migrations)
        self._capacity = capacity
        self._touched: dict[bytes, int] = {}
        try:
            self._memory = Memory(folder / "cache.slots")
            with self._database.writing():
                self._memory.mend()
        except BaseException:
            self._database.close()
            raise

    def get(self, key: bytes, now_ms: int) -> CachedAnswer | None:
        """See CacheStore."""
        found = self._memory.find(key, now_ms)
        if found is not None:
            if now_ms - found.used_at > TOUCH_AFTER_MS:
                found.used_at = now_ms
                self._touch(key, now_ms)
            return found.answer
        self._database.reader()  # raises where there is none any more
        numbers = self._memory.numbers(key)
        rows = self._database.rows(
            "SELECT headers, body, used_at, expires_at FROM answers WHERE key = ? AND expires_at > ?", (key, now_ms)
        )
        if not rows:
            return None
        headers, body, used_at, expires_at = rows[0]
        if now_ms - used_at > TOUCH_AFTER_MS:
            used_at = now_ms
            self._touch(key, now_ms)
        answer = CachedAnswer(_decode_headers(headers), body)
        self._memory.remember(key, numbers, answer, expires=expires_at, used=used_at)
        return answer

    def _touch(self, key: bytes, now_ms: int) -> None:
        if len(self._touched) < MAX_TOUCHED:
            self._touched[key] = now_ms

    def put(
        self, scope: Scope, key: bytes, answer: CachedAnswer, *, asked_at: int, now_ms: int, expires_at: int
    ) -> bool:
        """See CacheStore."""
        headers = _encode_headers(answer.headers)
        size = ROW_BYTES + len(headers) + len(answer.body)
        if size > self._capacity:
            return False
        change = self._memory.change()
        change.touch(key)
        with self._database.writing(change) as connection:
            emptied = connection.execute(
                "SELECT at FROM emptied WHERE account_id = ? AND gateway_id = ?",
                (scope.account_id, scope.gateway_id),
            ).get
            if emptied is not None and asked_at <= emptied:
                return False
            connection.execute("DELETE FROM answers WHERE key = ?", (key,))
            self._make_room(connection, size, change)
            connection.execute(
                "INSERT INTO answers (key, account_id, gateway_id, expires_at, used_at, size, headers, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (key, scope.account_id, scope.gateway_id, expires_at, now_ms, size, headers, answer.body),
            )
        return True

    def clear(self, scope: Scope, now_ms: int) -> None:
        """See CacheStore."""
        name = (scope.account_id, scope.gateway_id)
        change = self._memory.change()
        change.touch_all()
        with self._database.writing(change) as connection:
            connection.execute(
                "INSERT INTO emptied VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                (*name, now_ms),
            )
            connection.execute("DELETE FROM answers WHERE account_id = ? AND gateway_id = ?", name)

    def sweep(self, now_ms: int) -> None:
        """See CacheStore."""
        self._write_touched()
        oldest_kept = now_ms - REMEMBER_EMPTIED_MS
        if self._database.rows("SELECT 1 FROM emptied WHERE at < ? LIMIT 1", (oldest_kept,)):
            with self._database.writing() as connection:
                connection.execute("DELETE FROM emptied WHERE at < ?", (oldest_kept,))
        swept = False
        while self._database.rows("SELECT 1 FROM answers WHERE expires_at <= ? LIMIT 1", (now_ms,)):
            with self._database.writing() as connection:
                connection.execute(
                    "DELETE FROM answers WHERE id IN"
                    " (SELECT id FROM answers WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
                    (now_ms, BATCH),
                )
            swept = True
        if swept:
            with self._database.writing() as connection:
                connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()

    def close(self) -> None:
        """Close the file."""
        self._database.close()
        self._memory.close()

    def _write_touched(self) -> None:
        touched, self._touched = self._touched, {}
        if touched:
            with self._database.writing() as connection:
                connection.executemany(
                    "UPDATE answers SET used_at = max(used_at, ?) WHERE key = ?",
                    [(used_at, key) for key, used_at in touched.items()],
                )

    def _make_room(self, connection: Connection, size: int, change: Change) -> None:
        """Delete what was not used for longest until so many bytes fit."""
        excess = connection.execute("SELECT bytes FROM total").get + size - self._capacity
        while excess > 0:
            rows: Sequence[Any] = connection.execute(
                "SELECT id, size, key FROM answers ORDER BY used_at, size LIMIT ?", (BATCH,)
            ).fetchall()
            doomed: list[tuple[int]] = []
            for identifier, freed, key in rows:
                if excess <= 0:
                    break
                change.touch(key)
                doomed.append((identifier,))
                excess -= freed
            if not doomed:
                return
            connection.executemany("DELETE FROM answers WHERE id = ?", doomed)
