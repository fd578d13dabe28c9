"""Custom evaluation types in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.items import CustomType
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_account

_TYPES = Documents(CustomType)


class SqliteCustomTypes:
    """A CustomTypeStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, custom: CustomType) -> None:
        """See CustomTypeStore."""
        with self._database.writing() as connection:
            require_account(connection, custom.account_id)
            taken = "SELECT 1 FROM custom_types WHERE account_id = ? AND name = ?"
            if has_row(connection, taken, (custom.account_id, custom.name)):
                raise Conflict(f"there is an evaluation type named {custom.name!r} already", ("body", "name"))
            connection.execute(
                "INSERT INTO custom_types(account_id, id, name, created_at, document) VALUES(?, ?, ?, ?, ?)",
                (custom.account_id, custom.id, custom.name, custom.created_at, _TYPES.encode(custom)),
            )

    def get(self, account_id: str, type_id: str) -> CustomType | None:
        """See CustomTypeStore."""
        sql = "SELECT document FROM custom_types WHERE account_id = ? AND id = ?"
        return _TYPES.one(self._database.rows(sql, (account_id, type_id)))

    def list(self, account_id: str) -> list[CustomType]:
        """See CustomTypeStore."""
        sql = "SELECT document FROM custom_types WHERE account_id = ? ORDER BY created_at, seq"
        return [_TYPES.decode(row[0]) for row in self._database.rows(sql, (account_id,))]

    def delete(self, account_id: str, type_id: str) -> CustomType:
        """See CustomTypeStore."""
        sql = "DELETE FROM custom_types WHERE account_id = ? AND id = ? RETURNING document"
        with self._database.writing() as connection:
            custom = _TYPES.one(connection.execute(sql, (account_id, type_id)).fetchall())
            if custom is None:
                raise NotFound(f"there is no custom evaluation type {type_id!r}")
        return custom
