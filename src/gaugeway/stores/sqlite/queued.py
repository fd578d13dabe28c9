"""Jobs of gateways in `state.db` that are also the queue of those to be run: documents with a name and a lease.

Whoever runs a job is its `owner` until `lease_until`, and only then its writes count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.core.replays import Replay
from gaugeway.core.shadows import Shadow
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.leases import LET_GO, Leases, let_go_if
from gaugeway.stores.sqlite.parents import require_gateway

T = TypeVar("T", Replay, Shadow)


class SqliteQueued(Generic[T]):
    """The part of a store of jobs that is about the jobs themselves. What hangs on a job goes with it."""

    TABLE: ClassVar[str]
    NOUN: ClassVar[str]
    DOCUMENTS: Documents[T]

    def __init__(self, database: Database) -> None:
        self._database = database
        # nothing but the name of a table of ours is put into these
        of_gateway = f"{self.TABLE} WHERE account_id = ? AND gateway_id = ?"
        self._one = f"SELECT document FROM {of_gateway} AND id = ?"  # noqa: S608
        self._named = f"SELECT 1 FROM {of_gateway} AND name = ?"  # noqa: S608
        self._leases = Leases(
            database, self.DOCUMENTS, self.TABLE, waiting="processed = 0", order="created_at, seq"
        )

    def create(self, job: T) -> None:
        """NotFound without its gateway, Conflict where that has one of the name."""
        names = (job.account_id, job.gateway_id)
        with self._database.writing() as connection:
            require_gateway(connection, job.scope)
            if has_row(connection, self._named, (*names, job.name)):
                message = f"there is a {self.NOUN} named {job.name!r} in this gateway already"
                raise Conflict(message, ("body", "name"))
            self._check_room(connection)
            connection.execute(
                f"INSERT INTO {self.TABLE}(account_id, gateway_id, id, name, created_at, processed, document)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                (*names, job.id, job.name, job.created_at, job.processed, self.DOCUMENTS.encode(job)),
            )

    def get(self, scope: Scope, job_id: str) -> T | None:
        """None: there is none of that id."""
        return self.DOCUMENTS.one(self._database.rows(self._one, (scope.account_id, scope.gateway_id, job_id)))

    def list(self, scope: Scope, *, name: str | None, processed: bool | None, offset: int, limit: int) -> Page[T]:
        """Newest first."""
        return self.DOCUMENTS.page(
            self._database,
            f"FROM {self.TABLE} WHERE account_id = :account_id AND gateway_id = :gateway_id"
            " AND (:name IS NULL OR name = :name) AND (:processed IS NULL OR processed = :processed)",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "name": name, "processed": processed},
            offset=offset,
            limit=limit,
        )

    def delete(self, scope: Scope, job_id: str) -> T:
        """The job that was, running or not; NotFound."""
        sql = f"DELETE FROM {self.TABLE} WHERE account_id = ? AND gateway_id = ? AND id = ? RETURNING document"  # noqa: S608
        with self._database.writing() as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, job_id)).fetchall()
            return self._found(rows, job_id)

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> T | None:
        """The oldest unprocessed one that nobody holds (or whose lease ran out), now held by `owner`."""
        return self._leases.claim(owner, now_ms, lease_ms)

    def renew(self, job: T, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long (0: let go at once); False where it was lost or deleted."""
        return self._leases.renew(job.id, owner, now_ms, lease_ms)

    def save(self, job: T, owner: str) -> bool:
        """Write how it stands, if `owner` still holds it. One that is processed ends the hold."""
        with self._database.writing() as connection:
            connection.execute(
                f"UPDATE {self.TABLE} SET document = :document, processed = :processed,"  # noqa: S608
                f" {let_go_if(':processed')} WHERE id = :id AND owner = :owner",
                {
                    "document": self.DOCUMENTS.encode(job),
                    "processed": job.processed,
                    "id": job.id,
                    "owner": owner,
                },
            )
            return connection.changes() > 0

    def _change(self, connection: Connection, scope: Scope, job_id: str, change: Callable[[T], T]) -> T:
        """Write what `change` makes of it, and take it from whoever runs it; NotFound."""
        rows = connection.execute(self._one, (scope.account_id, scope.gateway_id, job_id)).fetchall()
        changed = change(self._found(rows, job_id))
        connection.execute(
            f"UPDATE {self.TABLE} SET document = ?, processed = ?, {LET_GO} WHERE id = ?",  # noqa: S608
            (self.DOCUMENTS.encode(changed), changed.processed, changed.id),
        )
        return changed

    def _held(self, connection: Connection, job: T, owner: str) -> int | None:
        """The job's number, if the owner still holds it."""
        sql = f"SELECT seq FROM {self.TABLE} WHERE id = ? AND owner = ?"  # noqa: S608
        return connection.execute(sql, (job.id, owner)).get

    def _check_room(self, connection: Connection) -> None:
        """Conflict where one more would be too many."""

    def _found(self, rows: list[tuple[str]], job_id: str) -> T:
        job = self.DOCUMENTS.one(rows)
        if job is None:
            raise NotFound(f"there is no {self.NOUN} {job_id!r}")
        return job
