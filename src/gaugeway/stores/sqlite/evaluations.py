"""Evaluations in `state.db`, and the queue of those to be run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import structs

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Evaluation, Result, Scope
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, folded, has_row
from gaugeway.stores.sqlite.items import forget_failures as forget_failed_items
from gaugeway.stores.sqlite.leases import LET_GO, Leases, let_go_if
from gaugeway.stores.sqlite.parents import require_gateway

_EVALUATIONS = Documents(Evaluation)


class SqliteEvaluations:
    """An EvaluationStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = Leases(
            database, _EVALUATIONS, "evaluations", waiting="processed = 0", order="created_at, seq"
        )

    def create(self, evaluation: Evaluation) -> None:
        """See EvaluationStore."""
        with self._database.writing() as connection:
            insert_evaluation(connection, evaluation)

    def get(self, scope: Scope, evaluation_id: str) -> Evaluation | None:
        """See EvaluationStore."""
        sql = "SELECT document FROM evaluations WHERE account_id = ? AND gateway_id = ? AND id = ?"
        return _EVALUATIONS.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, evaluation_id)))

    def list(
        self,
        scope: Scope,
        *,
        name: str | None,
        processed: bool | None,
        search: str | None,
        offset: int,
        limit: int,
    ) -> Page[Evaluation]:
        """See EvaluationStore."""
        return _EVALUATIONS.page(
            self._database,
            "FROM evaluations WHERE account_id = :account_id AND gateway_id = :gateway_id"
            " AND (:name IS NULL OR name = :name) AND (:processed IS NULL OR processed = :processed)"
            " AND (:search IS NULL OR contains(id, :search) OR contains(name, :search))",
            "created_at DESC, seq DESC",
            {
                "account_id": scope.account_id,
                "gateway_id": scope.gateway_id,
                "name": name,
                "processed": processed,
                "search": folded(search),
            },
            offset=offset,
            limit=limit,
        )

    def delete(self, scope: Scope, evaluation_id: str) -> Evaluation:
        """See EvaluationStore."""
        sql = "DELETE FROM evaluations WHERE account_id = ? AND gateway_id = ? AND id = ? RETURNING document"
        with self._database.writing() as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, evaluation_id)).fetchall()
            evaluation = _EVALUATIONS.one(rows)
            if evaluation is None:
                raise NotFound(f"there is no evaluation {evaluation_id!r}")
        return evaluation

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Evaluation | None:
        """See EvaluationStore."""
        return self._leases.claim(owner, now_ms, lease_ms)

    def renew(self, evaluation: Evaluation, owner: str, now_ms: int, lease_ms: int) -> bool:
        """See EvaluationStore."""
        return self._leases.renew(evaluation.id, owner, now_ms, lease_ms)

    def save(self, evaluation: Evaluation, owner: str, results: Sequence[Result], total_logs: int) -> bool:
        """See EvaluationStore."""
        with self._database.writing() as connection:
            rows = connection.execute(
                "SELECT document FROM evaluations WHERE id = ? AND owner = ?", (evaluation.id, owner)
            ).fetchall()
            kept = _EVALUATIONS.one(rows)
            if kept is None:
                return False
            saved = structs.replace(
                kept,
                results=[*results],
                total_logs=total_logs,
                modified_at=max(
                    kept.modified_at, evaluation.modified_at, *(result.modified_at for result in results)
                ),
            )
            connection.execute(
                "UPDATE evaluations SET document = :document, processed = :processed,"  # noqa: S608  constants
                f" {let_go_if(':processed')} WHERE id = :id",
                {"document": _EVALUATIONS.encode(saved), "processed": saved.processed, "id": saved.id},
            )
            return True

    def change(
        self,
        scope: Scope,
        evaluation_id: str,
        change: Callable[[Evaluation], list[Result]],
        *,
        forget_failures: bool = False,
    ) -> Evaluation:
        """See EvaluationStore."""
        sql = "SELECT document FROM evaluations WHERE account_id = ? AND gateway_id = ? AND id = ?"
        with self._database.writing() as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, evaluation_id)).fetchall()
            kept = _EVALUATIONS.one(rows)
            if kept is None:
                raise NotFound(f"there is no evaluation {evaluation_id!r}")
            results = change(kept)
            newest = max(kept.modified_at, *(result.modified_at for result in results))
            changed = structs.replace(kept, results=results, modified_at=newest)
            connection.execute(
                f"UPDATE evaluations SET document = ?, processed = ?, {LET_GO} WHERE id = ?",  # noqa: S608  constants
                (_EVALUATIONS.encode(changed), changed.processed, changed.id),
            )
            if forget_failures:
                forget_failed_items(connection, changed.id)
        return changed


def insert_evaluation(connection: Connection, evaluation: Evaluation) -> None:
    """NotFound without its gateway, Conflict where that has one of the name."""
    scope = evaluation.scope
    require_gateway(connection, scope)
    taken = "SELECT 1 FROM evaluations WHERE account_id = ? AND gateway_id = ? AND name = ?"
    if has_row(connection, taken, (scope.account_id, scope.gateway_id, evaluation.name)):
        raise Conflict(
            f"there is an evaluation named {evaluation.name!r} in this gateway already", ("body", "name")
        )
    connection.execute(
        "INSERT INTO evaluations(account_id, gateway_id, id, name, created_at, processed, document)"
        " VALUES(?, ?, ?, ?, ?, ?, ?)",
        (
            scope.account_id,
            scope.gateway_id,
            evaluation.id,
            evaluation.name,
            evaluation.created_at,
            evaluation.processed,
            _EVALUATIONS.encode(evaluation),
        ),
    )
