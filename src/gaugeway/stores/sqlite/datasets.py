"""Datasets in `state.db`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Dataset, RawCriterion, RawGroup, Scope
from gaugeway.core.ports import Page
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import Database
from gaugeway.stores.sqlite.documents import Documents, folded, has_row
from gaugeway.stores.sqlite.parents import require_gateway

_DATASETS = Documents(Dataset)


class SqliteDatasets:
    """A DatasetStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, dataset: Dataset) -> None:
        """See DatasetStore."""
        with self._database.writing() as connection:
            require_gateway(connection, dataset.scope)
            _require_free_name(connection, dataset)
            connection.execute(
                "INSERT INTO datasets(name, enable, filters, created_at, document, account_id, gateway_id, id)"
                " VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                _columns(dataset),
            )

    def get(self, scope: Scope, dataset_id: str) -> Dataset | None:
        """See DatasetStore."""
        sql = "SELECT document FROM datasets WHERE account_id = ? AND gateway_id = ? AND id = ?"
        return _DATASETS.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, dataset_id)))

    def list(
        self, scope: Scope, *, name: str | None, enable: bool | None, search: str | None, offset: int, limit: int
    ) -> Page[Dataset]:
        """See DatasetStore."""
        return _DATASETS.page(
            self._database,
            "FROM datasets WHERE account_id = :account_id AND gateway_id = :gateway_id"
            " AND (:name IS NULL OR name = :name) AND (:enable IS NULL OR enable = :enable)"
            " AND (:search IS NULL OR contains(id, :search) OR contains(name, :search)"
            " OR contains(filters, :search))",
            "created_at DESC, seq DESC",
            {
                "account_id": scope.account_id,
                "gateway_id": scope.gateway_id,
                "name": name,
                "enable": enable,
                "search": folded(search),
            },
            offset=offset,
            limit=limit,
        )

    def replace(self, dataset: Dataset) -> None:
        """See DatasetStore."""
        sql = (
            "UPDATE datasets SET name = ?, enable = ?, filters = ?, created_at = ?, document = ?"
            " WHERE account_id = ? AND gateway_id = ? AND id = ?"
        )
        with self._database.writing() as connection:
            _require_free_name(connection, dataset)
            connection.execute(sql, _columns(dataset))
            if not connection.changes():
                raise _not_found(dataset.id)

    def delete(self, scope: Scope, dataset_id: str) -> Dataset:
        """See DatasetStore."""
        sql = "DELETE FROM datasets WHERE account_id = ? AND gateway_id = ? AND id = ? RETURNING document"
        with self._database.writing() as connection:
            rows = connection.execute(sql, (scope.account_id, scope.gateway_id, dataset_id)).fetchall()
            dataset = _DATASETS.one(rows)
            if dataset is None:
                raise _not_found(dataset_id)
        return dataset


def _columns(dataset: Dataset) -> tuple[str | int | bool, ...]:
    return (
        dataset.name,
        dataset.enable,
        _readable(dataset.filters),
        dataset.created_at,
        _DATASETS.encode(dataset),
        dataset.account_id,
        dataset.gateway_id,
        dataset.id,
    )


def _readable(filters: Sequence[RawCriterion]) -> str:
    """One line a filter: key, operator, values; text bare, other values as JSON writes them. Groups in brackets."""
    return "\n".join(map(_line, filters))


def _line(item: RawCriterion) -> str:
    if isinstance(item, RawGroup):
        return f"{item.join.value} ({'; '.join(map(_line, item.filters))})"
    return " ".join([item.key, item.operator, *(_word(value) for value in item.value)])


def _word(value: str | float | bool | None) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _require_free_name(connection: Connection, dataset: Dataset) -> None:
    sql = "SELECT 1 FROM datasets WHERE account_id = ? AND gateway_id = ? AND name = ? AND id <> ?"
    if has_row(connection, sql, (dataset.account_id, dataset.gateway_id, dataset.name, dataset.id)):
        raise Conflict(f"there is a dataset named {dataset.name!r} in this gateway already", ("body", "name"))


def _not_found(dataset_id: str) -> NotFound:
    return NotFound(f"there is no dataset {dataset_id!r}")
