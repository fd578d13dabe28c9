"""Stored provider keys in `state.db`, sealed."""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.core.stored_keys import KeysByProvider, ProviderConfig, StoredKey
from gaugeway.stores.sealing import Vault
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_gateway
from gaugeway.stores.sqlite.sealed import about_config, all_sealed

_CONFIGS = Documents(ProviderConfig)
_ONE = "account_id = ? AND gateway_id = ? AND id = ?"
_OF_PROVIDER = "account_id = ? AND gateway_id = ? AND COALESCE(custom_provider_id, provider_slug) = ? AND id <> ?"


class SqliteProviderConfigs:
    """A ProviderConfigStore."""

    def __init__(self, database: Database, witness: CommitWitness, vault: Vault) -> None:
        self._database = database
        self._witness = witness
        self._vault = vault

    def create(self, config: ProviderConfig, key: str) -> None:
        """See ProviderConfigStore."""
        with self._database.writing(self._witness) as connection:
            _require_parents(connection, config)
            sql = f"SELECT 1 FROM provider_configs WHERE {_OF_PROVIDER} AND alias = ?"  # noqa: S608  constants
            if has_row(connection, sql, (*_provider(config), config.alias)):
                raise Conflict(f"{config.provider_slug} has a key of the alias {config.alias!r}", ("body", "alias"))
            _end_other_default(connection, config)
            connection.execute(
                "INSERT INTO provider_configs(provider_slug, custom_provider_id, alias, created_at, document,"
                " sealed, account_id, gateway_id, id) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    config.provider_slug,
                    config.custom_provider_id,
                    config.alias,
                    config.created_at,
                    _CONFIGS.encode(config),
                    self._vault.seal(key, _about(config)),
                    config.account_id,
                    config.gateway_id,
                    config.id,
                ),
            )

    def get(self, scope: Scope, config_id: str) -> ProviderConfig | None:
        """See ProviderConfigStore."""
        sql = f"SELECT document FROM provider_configs WHERE {_ONE}"  # noqa: S608  constants
        return _CONFIGS.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, config_id)))

    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[ProviderConfig]:
        """See ProviderConfigStore."""
        return _CONFIGS.page(
            self._database,
            "FROM provider_configs WHERE account_id = :account_id AND gateway_id = :gateway_id",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id},
            offset=offset,
            limit=limit,
        )

    def replace(self, config: ProviderConfig, key: str) -> None:
        """See ProviderConfigStore."""
        sql = f"UPDATE provider_configs SET document = ?, sealed = ? WHERE {_ONE}"  # noqa: S608  constants
        with self._database.writing(self._witness) as connection:
            _end_other_default(connection, config)
            sealed = self._vault.seal(key, _about(config))
            place = (config.account_id, config.gateway_id, config.id)
            connection.execute(sql, (_CONFIGS.encode(config), sealed, *place))
            if not connection.changes():
                raise _not_found(config.id)

    def delete(self, scope: Scope, config_id: str) -> ProviderConfig:
        """See ProviderConfigStore."""
        sql = f"DELETE FROM provider_configs WHERE {_ONE} RETURNING document"  # noqa: S608  constants
        with self._database.writing(self._witness) as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, config_id)).fetchall()
            config = _CONFIGS.one(rows)
            if config is None:
                raise _not_found(config_id)
        return config

    def keys(self, scope: Scope) -> KeysByProvider:
        """See ProviderConfigStore."""
        sql = (
            "SELECT config.document, config.sealed, custom.slug FROM provider_configs config"
            " LEFT JOIN custom_providers custom ON custom.id = config.custom_provider_id"
            " WHERE config.account_id = ? AND config.gateway_id = ?"
        )
        found: dict[str, dict[str, StoredKey]] = {}
        for text, sealed, slug in self._database.rows(sql, (scope.account_id, scope.gateway_id)):
            config = _CONFIGS.decode(text)
            key = StoredKey(config, self._vault.open(sealed, _about(config)))
            aliases = found.setdefault(config.provider_slug if slug is None else f"custom-{slug}", {})
            aliases[config.alias] = key
            if config.default_config:
                aliases[""] = key
        return found

    def rotate(self) -> int:
        """See ProviderConfigStore. Within the writers' turn, so that nobody seals with the key before meanwhile."""
        with self._database.writing(self._witness) as connection:
            opened = [(one, self._vault.open(one.sealed, one.about)) for one in all_sealed(connection)]
            if not self._vault.was_interrupted:
                self._vault.begin_rotation()
            for one, secret in opened:
                one.put(connection, self._vault.seal(secret, one.about))
        self._vault.finish_rotation()
        return len(opened)


def _about(config: ProviderConfig) -> str:
    return about_config(config.account_id, config.gateway_id, config.id)


def _provider(config: ProviderConfig) -> tuple[str, str, str, str]:
    return config.account_id, config.gateway_id, config.custom_provider_id or config.provider_slug, config.id


def _end_other_default(connection: Connection, config: ProviderConfig) -> None:
    if not config.default_config:
        return
    sql = f"SELECT document FROM provider_configs WHERE {_OF_PROVIDER}"  # noqa: S608  constants
    for (text,) in connection.execute(sql, _provider(config)).fetchall():
        other = _CONFIGS.decode(text)
        if other.default_config:
            ended = _CONFIGS.encode(replace(other, default_config=False))
            connection.execute("UPDATE provider_configs SET document = ? WHERE id = ?", (ended, other.id))


def _require_parents(connection: Connection, config: ProviderConfig) -> None:
    require_gateway(connection, config.scope)
    sql = "SELECT 1 FROM custom_providers WHERE account_id = ? AND id = ?"
    custom = config.custom_provider_id
    if custom is not None and not has_row(connection, sql, (config.account_id, custom)):
        raise NotFound(f"there is no custom provider {custom!r}")


def _not_found(config_id: str) -> NotFound:
    return NotFound(f"there is no provider config {config_id!r}")
