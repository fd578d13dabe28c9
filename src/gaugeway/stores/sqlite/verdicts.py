"""Judges' verdicts in `state.db`."""

from __future__ import annotations

from typing import Any

import msgspec

from gaugeway.core.judging import Verdict
from gaugeway.stores.sqlite.database import Database

KEEP_MS = 90 * 86_400_000
"""How long a verdict is kept since it was given."""


class SqliteVerdicts:
    """A VerdictStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account_id: str, key: bytes) -> Verdict | None:
        """See VerdictStore."""
        rows = self._database.rows(
            "SELECT verdict FROM verdicts WHERE account_id = ? AND key = ?", (account_id, key)
        )
        return msgspec.json.decode(rows[0][0], type=dict[str, Any]) if rows else None

    def put(self, account_id: str, key: bytes, verdict: Verdict, now_ms: int) -> None:
        """See VerdictStore."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM verdicts WHERE given_at < ?", (now_ms - KEEP_MS,))
            connection.execute(
                "INSERT OR IGNORE INTO verdicts(account_id, key, given_at, verdict) VALUES(?, ?, ?, ?)",
                (account_id, key, now_ms, msgspec.json.encode(verdict).decode()),
            )
