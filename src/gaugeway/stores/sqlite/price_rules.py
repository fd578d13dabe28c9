"""An account's own prices in `state.db`."""

from __future__ import annotations

from gaugeway.core.errors import NotFound
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.core.price_rules import KnownRules, PriceRule
from gaugeway.stores.sqlite.config_version import ConfigVersion
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_account, require_gateway

_RULES = Documents(PriceRule)
MAX_REMEMBERED = 10_000
"""Accounts whose rules a process remembers."""


class SqlitePriceRules:
    """A PriceRuleStore."""

    def __init__(self, database: Database, config: ConfigVersion) -> None:
        self._database = database
        self._config = config
        self._known: dict[str, KnownRules] = {}
        self._version = -1

    def create(self, rule: PriceRule) -> None:
        """See PriceRuleStore."""
        sql = (
            "INSERT INTO price_rules(custom_provider_id, gateway_id, created_at, document, account_id, id)"
            " VALUES(?, ?, ?, ?, ?, ?)"
        )
        with self._database.writing(self._config) as connection:
            _require_parents(connection, rule)
            connection.execute(sql, _columns(rule))

    def get(self, account_id: str, rule_id: str) -> PriceRule | None:
        """See PriceRuleStore."""
        sql = "SELECT document FROM price_rules WHERE account_id = ? AND id = ?"
        return _RULES.one(self._database.rows(sql, (account_id, rule_id)))

    def list(self, account_id: str, *, offset: int, limit: int) -> Page[PriceRule]:
        """See PriceRuleStore."""
        return _RULES.page(
            self._database,
            "FROM price_rules WHERE account_id = :account_id",
            "created_at DESC, seq DESC",
            {"account_id": account_id},
            offset=offset,
            limit=limit,
        )

    def replace(self, rule: PriceRule) -> None:
        """See PriceRuleStore."""
        sql = (
            "UPDATE price_rules SET custom_provider_id = ?, gateway_id = ?, created_at = ?, document = ?"
            " WHERE account_id = ? AND id = ?"
        )
        with self._database.writing(self._config) as connection:
            _require_parents(connection, rule)
            connection.execute(sql, _columns(rule))
            if not connection.changes():
                raise _not_found(rule.id)

    def delete(self, account_id: str, rule_id: str) -> PriceRule:
        """See PriceRuleStore."""
        sql = "DELETE FROM price_rules WHERE account_id = ? AND id = ? RETURNING document"
        with self._database.writing(self._config) as connection:
            rule = _RULES.one(connection.execute(sql, (account_id, rule_id)).fetchall())
            if rule is None:
                raise _not_found(rule_id)
        return rule

    def known(self, account_id: str) -> KnownRules:
        """See PriceRuleStore."""
        version = self._config.version()
        if version != self._version or len(self._known) >= MAX_REMEMBERED:
            self._version, self._known = version, {}
        known = self._known.get(account_id)
        if known is None:
            sql = (
                "SELECT rule.document, custom.slug FROM price_rules rule"
                " LEFT JOIN custom_providers custom ON custom.id = rule.custom_provider_id"
                " WHERE rule.account_id = ?"
            )
            rows = [(_RULES.decode(text), slug) for text, slug in self._database.rows(sql, (account_id,))]
            known = self._known[account_id] = tuple(
                (rule.provider or "" if slug is None else f"custom-{slug}", rule) for rule, slug in rows
            )
        return known


def _columns(rule: PriceRule) -> tuple[str | int | None, ...]:
    return (
        rule.custom_provider_id,
        rule.gateway_id,
        rule.created_at,
        _RULES.encode(rule),
        rule.account_id,
        rule.id,
    )


def _require_parents(connection: Connection, rule: PriceRule) -> None:
    require_account(connection, rule.account_id)
    if rule.gateway_id is not None:
        require_gateway(connection, Scope(rule.account_id, rule.gateway_id))
    sql = "SELECT 1 FROM custom_providers WHERE account_id = ? AND id = ?"
    if rule.custom_provider_id is not None and not has_row(
        connection, sql, (rule.account_id, rule.custom_provider_id)
    ):
        raise NotFound(f"there is no custom provider {rule.custom_provider_id!r}")


def _not_found(rule_id: str) -> NotFound:
    return NotFound(f"there is no cost rule {rule_id!r}")
