"""The queues of `state.db`: rows that wait to be worked on, each held by a lease meanwhile.

A table that is one has the columns `owner` and `lease_until`. Whoever works on a row is its owner until then; after
that anybody may take it over. Each write of the owner names itself, so that one who lost it (slow, stopped, cut
off) changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents

T = TypeVar("T", bound=msgspec.Struct)

LET_GO = "owner = NULL, lease_until = NULL"
"""What an UPDATE sets so that nobody holds the row."""


def let_go_if(condition: str) -> str:
    """The same, where a condition holds."""
    return f"owner = iif({condition}, NULL, owner), lease_until = iif({condition}, NULL, lease_until)"


class Leases(Generic[T]):
    """The queue in one table.

    `waiting` says which rows are to be worked on (it may name :now), `order` which of them comes first.
    """

    def __init__(
        self, database: Database, documents: Documents[T], table: str, *, waiting: str, order: str
    ) -> None:
        self._database = database
        self._documents = documents
        self._claimable = (
            f"SELECT document, seq FROM {table}"  # noqa: S608  constants
            f" WHERE {waiting} AND (owner IS NULL OR lease_until <= :now) ORDER BY {order} LIMIT 1"
        )
        self._hold = f"UPDATE {table} SET owner = ?, lease_until = ? WHERE seq = ?"  # noqa: S608  constants
        self._renew = f"UPDATE {table} SET lease_until = ? WHERE id = ? AND owner = ?"  # noqa: S608  constants

    def claim(
        self, owner: str, now_ms: int, lease_ms: int, take: Callable[[Connection, int, T], T] | None = None
    ) -> T | None:
        """The first row that waits and that nobody holds, now held; None where there is none.

        `take` is told of it in the same transaction, with its `seq`, and answers what it is from now on.
        """
        # Looked at without the writers' turn first: most of the time there is nothing to do.
        bindings = {"now": now_ms}
        if not self._database.rows(self._claimable, bindings):
            return None
        with self._database.writing() as connection:
            found = connection.execute(self._claimable, bindings).fetchone()
            if found is None:
                return None
            document, seq = found
            connection.execute(self._hold, (owner, now_ms + lease_ms, seq))
            job = self._documents.decode(document)
            return job if take is None else take(connection, seq, job)

    def renew(self, job_id: str, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long from now (0: let go at once); False where it was lost or deleted."""
        with self._database.writing() as connection:
            connection.execute(self._renew, (now_ms + lease_ms, job_id, owner))
            return connection.changes() > 0
