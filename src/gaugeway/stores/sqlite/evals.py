"""Evals and their runs in `state.db`, and the queue of those to be run. Their items: `eval_items.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gaugeway.core.errors import NotFound
from gaugeway.core.evals import Eval, EvalRun, RunItem, RunStatus, Slice
from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents
from gaugeway.stores.sqlite.eval_items import SqliteEvalItems, insert_items
from gaugeway.stores.sqlite.leases import LET_GO, Leases, let_go_if
from gaugeway.stores.sqlite.parents import require_gateway

_EVALS = Documents(Eval)
_RUNS = Documents(EvalRun)

_OF_GATEWAY = "account_id = :account_id AND gateway_id = :gateway_id"
_THE_EVAL = f"(SELECT seq FROM evals WHERE {_OF_GATEWAY} AND id = :eval_id)"  # noqa: S608  constants


class SqliteEvals(SqliteEvalItems):
    """An EvalStore."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._leases = Leases(database, _RUNS, "eval_runs", waiting="NOT ended", order="seq")

    def create(self, made: Eval) -> None:
        """See EvalStore."""
        with self._database.writing() as connection:
            require_gateway(connection, made.scope)
            connection.execute(
                "INSERT INTO evals(account_id, gateway_id, id, modified_at, document) VALUES(?, ?, ?, ?, ?)",
                (made.account_id, made.gateway_id, made.id, made.modified_at, _EVALS.encode(made)),
            )

    def get(self, scope: Scope, eval_id: str) -> Eval | None:
        """See EvalStore."""
        sql = f"SELECT document FROM evals WHERE {_OF_GATEWAY} AND id = :eval_id"  # noqa: S608  constants
        return _EVALS.one(self._database.rows(sql, _bindings(scope, eval_id)))

    def list(self, scope: Scope, part: Slice, *, by_change: bool = False) -> tuple[list[Eval], bool]:
        """See EvalStore."""
        order = "modified_at" if by_change else "seq"
        bindings = {**_bindings(scope, part.after or ""), "limit": part.limit + 1}
        after = ""
        if part.after is not None:
            if not self._database.rows(f"SELECT 1 FROM evals WHERE {_OF_GATEWAY} AND id = :eval_id", bindings):  # noqa: S608
                raise NotFound(f"there is no eval {part.after!r}")
            beyond = "<" if part.descending else ">"
            after = f" AND ({order}, seq) {beyond} (SELECT {order}, seq FROM evals WHERE id = :eval_id)"  # noqa: S608
        way = "DESC" if part.descending else "ASC"
        sql = (
            f"SELECT document FROM evals WHERE {_OF_GATEWAY}{after} ORDER BY {order} {way}, seq {way} LIMIT :limit"  # noqa: S608
        )
        return _part(_EVALS, self._database.rows(sql, bindings), part.limit)

    def replace(self, changed: Eval) -> None:
        """See EvalStore."""
        with self._database.writing() as connection:
            sql = f"UPDATE evals SET modified_at = :at, document = :document WHERE {_OF_GATEWAY} AND id = :eval_id"  # noqa: S608
            told = {"at": changed.modified_at, "document": _EVALS.encode(changed)}
            connection.execute(sql, {**_bindings(changed.scope, changed.id), **told})
            if not connection.changes():
                raise NotFound(f"there is no eval {changed.id!r}")

    def delete(self, scope: Scope, eval_id: str) -> bool:
        """See EvalStore."""
        with self._database.writing() as connection:
            sql = f"DELETE FROM evals WHERE {_OF_GATEWAY} AND id = :eval_id"  # noqa: S608  constants
            connection.execute(sql, _bindings(scope, eval_id))
            return connection.changes() > 0

    def create_run(self, run: EvalRun, items: Sequence[RunItem]) -> None:
        """See EvalStore."""
        with self._database.writing() as connection:
            bindings = _bindings(run.scope, run.eval_id)
            of_eval = connection.execute(f"SELECT {_THE_EVAL}", bindings).get
            if of_eval is None:
                raise NotFound(f"there is no eval {run.eval_id!r}")
            seq = connection.execute(
                "INSERT INTO eval_runs(eval, id, status, ended, document) VALUES(?, ?, ?, ?, ?) RETURNING seq",
                (of_eval, run.id, run.status.value, run.status.is_terminal, _RUNS.encode(run)),
            ).get
            insert_items(connection, seq, items)

    def get_run(self, scope: Scope, eval_id: str, run_id: str) -> EvalRun | None:
        """See EvalStore."""
        sql = f"SELECT document FROM eval_runs WHERE eval = {_THE_EVAL} AND id = :id"  # noqa: S608  constants
        return _RUNS.one(self._database.rows(sql, {**_bindings(scope, eval_id), "id": run_id}))

    def list_runs(
        self, scope: Scope, eval_id: str, part: Slice, status: RunStatus | None
    ) -> tuple[list[EvalRun], bool]:
        """See EvalStore."""
        told = {"after": part.after, "status": None if status is None else status.value, "limit": part.limit + 1}
        after = ""
        if part.after is not None:
            if self.get_run(scope, eval_id, part.after) is None:
                raise NotFound(f"there is no run {part.after!r}")
            after = f" AND seq {'<' if part.descending else '>'} (SELECT seq FROM eval_runs WHERE id = :after)"  # noqa: S608
        sql = (
            f"SELECT document FROM eval_runs WHERE eval = {_THE_EVAL}"  # noqa: S608  constants
            f" AND (:status IS NULL OR status = :status){after}"
            f" ORDER BY seq {'DESC' if part.descending else 'ASC'} LIMIT :limit"
        )
        return _part(_RUNS, self._database.rows(sql, {**_bindings(scope, eval_id), **told}), part.limit)

    def delete_run(self, scope: Scope, eval_id: str, run_id: str) -> bool:
        """See EvalStore."""
        with self._database.writing() as connection:
            sql = f"DELETE FROM eval_runs WHERE eval = {_THE_EVAL} AND id = :id"  # noqa: S608  constants
            connection.execute(sql, {**_bindings(scope, eval_id), "id": run_id})
            return connection.changes() > 0

    def change_run(self, scope: Scope, eval_id: str, run_id: str, change: Callable[[EvalRun], EvalRun]) -> EvalRun:
        """See EvalStore."""
        sql = f"SELECT document FROM eval_runs WHERE eval = {_THE_EVAL} AND id = :id"  # noqa: S608  constants
        with self._database.writing() as connection:
            kept = _RUNS.one(connection.execute(sql, {**_bindings(scope, eval_id), "id": run_id}).fetchall())
            if kept is None:
                raise NotFound(f"there is no run {run_id!r}")
            changed = change(kept)
            _write(connection, changed, LET_GO, "")
        return changed

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> EvalRun | None:
        """See EvalStore."""
        return self._leases.claim(owner, now_ms, lease_ms)

    def renew(self, run: EvalRun, owner: str, now_ms: int, lease_ms: int) -> bool:
        """See EvalStore."""
        return self._leases.renew(run.id, owner, now_ms, lease_ms)

    def save(self, run: EvalRun, owner: str) -> bool:
        """See EvalStore."""
        with self._database.writing() as connection:
            return _write(connection, run, let_go_if(":ended"), " AND owner = :owner", owner)


def _write(connection: Connection, run: EvalRun, hold: str, condition: str, owner: str = "") -> bool:
    connection.execute(
        f"UPDATE eval_runs SET document = :document, status = :status, ended = :ended, {hold}"  # noqa: S608  constants
        f" WHERE id = :id{condition}",
        {
            "document": _RUNS.encode(run),
            "status": run.status.value,
            "ended": run.status.is_terminal,
            "id": run.id,
            "owner": owner,
        },
    )
    return connection.changes() > 0


def _part(documents: Documents[Any], rows: list[Any], limit: int) -> tuple[list[Any], bool]:
    return [documents.decode(row[0]) for row in rows[:limit]], len(rows) > limit


def _bindings(scope: Scope, eval_id: str) -> dict[str, Any]:
    return {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "eval_id": eval_id}
