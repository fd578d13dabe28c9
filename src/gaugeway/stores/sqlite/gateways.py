"""Gateways in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Gateway, Scope
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, folded, has_row
from gaugeway.stores.sqlite.parents import require_account

_GATEWAYS = Documents(Gateway)


class SqliteGateways:
    """A GatewayStore."""

    def __init__(self, database: Database, witness: CommitWitness) -> None:
        self._database = database
        self._witness = witness

    def create(self, gateway: Gateway) -> None:
        """See GatewayStore."""
        with self._database.writing(self._witness) as connection:
            require_account(connection, gateway.account_id)
            taken = "SELECT 1 FROM gateways WHERE account_id = ? AND id = ?"
            if has_row(connection, taken, (gateway.account_id, gateway.id)):
                raise Conflict(f"there is a gateway {gateway.id!r} already", ("body", "id"))
            connection.execute(
                "INSERT INTO gateways(account_id, id, created_at, document) VALUES(?, ?, ?, ?)",
                (gateway.account_id, gateway.id, gateway.created_at, _GATEWAYS.encode(gateway)),
            )

    def get(self, scope: Scope) -> Gateway | None:
        """See GatewayStore."""
        sql = "SELECT document FROM gateways WHERE account_id = ? AND id = ?"
        return _GATEWAYS.one(self._database.rows(sql, (scope.account_id, scope.gateway_id)))

    def list(self, account_id: str, *, search: str | None, offset: int, limit: int) -> Page[Gateway]:
        """See GatewayStore."""
        return _GATEWAYS.page(
            self._database,
            "FROM gateways WHERE account_id = :account_id AND (:search IS NULL OR contains(id, :search))",
            "created_at DESC, seq DESC",
            {"account_id": account_id, "search": folded(search)},
            offset=offset,
            limit=limit,
        )

    def replace(self, gateway: Gateway) -> None:
        """See GatewayStore."""
        sql = "UPDATE gateways SET created_at = ?, document = ? WHERE account_id = ? AND id = ?"
        with self._database.writing(self._witness) as connection:
            connection.execute(sql, (gateway.created_at, _GATEWAYS.encode(gateway), gateway.account_id, gateway.id))
            if not connection.changes():
                raise _not_found(gateway.scope)

    def delete(self, scope: Scope) -> Gateway:
        """See GatewayStore. Its datasets and evaluations go by their foreign keys."""
        sql = "DELETE FROM gateways WHERE account_id = ? AND id = ? RETURNING document"
        with self._database.writing(self._witness) as connection:
            gateway = _GATEWAYS.one(connection.execute(sql, (scope.account_id, scope.gateway_id)).fetchall())
            if gateway is None:
                raise _not_found(scope)
        return gateway


def _not_found(scope: Scope) -> NotFound:
    return NotFound(f"there is no gateway {scope.gateway_id!r}")
