"""What a record belongs to must be there: a record is never left without its account or gateway."""

from __future__ import annotations

from gaugeway.core.errors import NotFound
from gaugeway.core.model import Scope
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.documents import has_row


def require_account(connection: Connection, account_id: str) -> None:
    """NotFound where there is no such account."""
    if not has_row(connection, "SELECT 1 FROM accounts WHERE id = ?", (account_id,)):
        raise NotFound(f"there is no account {account_id!r}")


def require_gateway(connection: Connection, scope: Scope) -> None:
    """NotFound where there is no such gateway (any more)."""
    sql = "SELECT 1 FROM gateways WHERE account_id = ? AND id = ?"
    if not has_row(connection, sql, (scope.account_id, scope.gateway_id)):
        raise NotFound(f"there is no gateway {scope.gateway_id!r}")
