"""Custom providers in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import CustomProvider
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_account

_PROVIDERS = Documents(CustomProvider)


class SqliteCustomProviders:
    """A CustomProviderStore."""

    def __init__(self, database: Database, witness: CommitWitness) -> None:
        self._database = database
        self._witness = witness

    def create(self, provider: CustomProvider) -> None:
        """See CustomProviderStore."""
        with self._database.writing(self._witness) as connection:
            require_account(connection, provider.account_id)
            _require_free_slug(connection, provider)
            connection.execute(
                "INSERT INTO custom_providers(slug, name, position, document, account_id, id)"
                " VALUES(?, ?, ?, ?, ?, ?)",
                _columns(provider),
            )

    def get(self, account_id: str, provider_id: str) -> CustomProvider | None:
        """See CustomProviderStore."""
        sql = "SELECT document FROM custom_providers WHERE account_id = ? AND id = ?"
        return _PROVIDERS.one(self._database.rows(sql, (account_id, provider_id)))

    def find(self, account_id: str, slug: str) -> CustomProvider | None:
        """See CustomProviderStore."""
        sql = "SELECT document FROM custom_providers WHERE account_id = ? AND slug = ?"
        return _PROVIDERS.one(self._database.rows(sql, (account_id, slug)))

    def list(self, account_id: str, *, offset: int, limit: int) -> Page[CustomProvider]:
        """See CustomProviderStore."""
        return _PROVIDERS.page(
            self._database,
            "FROM custom_providers WHERE account_id = :account_id",
            "position ASC NULLS LAST, name, seq",
            {"account_id": account_id},
            offset=offset,
            limit=limit,
        )

    def replace(self, provider: CustomProvider) -> None:
        """See CustomProviderStore."""
        sql = (
            "UPDATE custom_providers SET slug = ?, name = ?, position = ?, document = ?"
            " WHERE account_id = ? AND id = ?"
        )
        with self._database.writing(self._witness) as connection:
            _require_free_slug(connection, provider)
            connection.execute(sql, _columns(provider))
            if not connection.changes():
                raise _not_found(provider.id)

    def delete(self, account_id: str, provider_id: str) -> CustomProvider:
        """See CustomProviderStore."""
        sql = "DELETE FROM custom_providers WHERE account_id = ? AND id = ? RETURNING document"
        with self._database.writing(self._witness) as connection:
            provider = _PROVIDERS.one(connection.execute(sql, (account_id, provider_id)).fetchall())
            if provider is None:
                raise _not_found(provider_id)
        return provider


def _columns(provider: CustomProvider) -> tuple[str | int | None, ...]:
    return (
        provider.slug,
        provider.name,
        provider.position,
        _PROVIDERS.encode(provider),
        provider.account_id,
        provider.id,
    )


def _require_free_slug(connection: Connection, provider: CustomProvider) -> None:
    sql = "SELECT 1 FROM custom_providers WHERE account_id = ? AND slug = ? AND id <> ?"
    if has_row(connection, sql, (provider.account_id, provider.slug, provider.id)):
        raise Conflict(f"there is a custom provider with the slug {provider.slug!r} already", ("body", "slug"))


def _not_found(provider_id: str) -> NotFound:
    return NotFound(f"there is no custom provider {provider_id!r}")
