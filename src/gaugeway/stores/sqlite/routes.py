"""Dynamic routes in `state.db`. A route's document holds its deployed version too: one look-up finds all of it."""

from __future__ import annotations

from msgspec.structs import replace

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.core.ports import Page
from gaugeway.core.routes.records import Route, RouteDeployment, RouteVersion
from gaugeway.stores.sqlite.connection import Connection
from gaugeway.stores.sqlite.database import CommitWitness, Database
from gaugeway.stores.sqlite.documents import Documents, has_row
from gaugeway.stores.sqlite.parents import require_gateway

_ROUTES = Documents(Route)
_VERSIONS = Documents(RouteVersion)
_DEPLOYMENTS = Documents(RouteDeployment)

_OF_ROUTE = (
    "WHERE route_id = :route_id AND EXISTS (SELECT 1 FROM routes WHERE account_id = :account_id"
    " AND gateway_id = :gateway_id AND id = :route_id)"
)


class SqliteRoutes:
    """A RouteStore."""

    def __init__(self, database: Database, witness: CommitWitness) -> None:
        self._database = database
        self._witness = witness

    def create(self, route: Route) -> None:
        """See RouteStore."""
        with self._database.writing(self._witness) as connection:
            require_gateway(connection, route.scope)
            _require_free_name(connection, route)
            connection.execute(
                "INSERT INTO routes(account_id, gateway_id, id, name, created_at, document)"
                " VALUES(?, ?, ?, ?, ?, ?)",
                (
                    route.account_id,
                    route.gateway_id,
                    route.id,
                    route.name,
                    route.created_at,
                    _ROUTES.encode(route),
                ),
            )
            _insert_version(connection, route.id, route.version)
            _insert_deployment(connection, route.id, route.deployment)

    def get(self, scope: Scope, route_id: str) -> Route | None:
        """See RouteStore."""
        sql = "SELECT document FROM routes WHERE account_id = ? AND gateway_id = ? AND id = ?"
        return _ROUTES.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, route_id)))

    def find(self, scope: Scope, name: str) -> Route | None:
        """See RouteStore."""
        sql = "SELECT document FROM routes WHERE account_id = ? AND gateway_id = ? AND name = ?"
        return _ROUTES.one(self._database.rows(sql, (scope.account_id, scope.gateway_id, name)))

    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[Route]:
        """See RouteStore."""
        return _ROUTES.page(
            self._database,
            "FROM routes WHERE account_id = :account_id AND gateway_id = :gateway_id",
            "created_at DESC, seq DESC",
            {"account_id": scope.account_id, "gateway_id": scope.gateway_id},
            offset=offset,
            limit=limit,
        )

    def rename(self, scope: Scope, route_id: str, name: str, now_ms: int) -> Route:
        """See RouteStore."""
        with self._database.writing(self._witness) as connection:
            route = replace(_require(connection, scope, route_id), name=name, modified_at=now_ms)
            _require_free_name(connection, route)
            _update(connection, route)
        return route

    def delete(self, scope: Scope, route_id: str) -> Route:
        """See RouteStore."""
        with self._database.writing(self._witness) as connection:
            route = _require(connection, scope, route_id)
            connection.execute("DELETE FROM routes WHERE id = ?", (route_id,))
        return route

    def add_version(self, scope: Scope, route_id: str, version: RouteVersion) -> Route:
        """See RouteStore."""
        with self._database.writing() as connection:  # nothing that the data plane reads has changed
            route = replace(_require(connection, scope, route_id), modified_at=version.created_at)
            _insert_version(connection, route_id, version)
            _update(connection, route)
        return route

    def version(self, scope: Scope, route_id: str, version_id: str) -> RouteVersion | None:
        """See RouteStore."""
        sql = f"SELECT document FROM route_versions {_OF_ROUTE} AND id = :version_id"  # noqa: S608  constants
        return _VERSIONS.one(self._database.rows(sql, {**_bindings(scope, route_id), "version_id": version_id}))

    def versions(self, scope: Scope, route_id: str, *, offset: int, limit: int) -> Page[RouteVersion]:
        """See RouteStore."""
        return _VERSIONS.page(
            self._database,
            f"FROM route_versions {_OF_ROUTE}",
            "seq DESC",
            _bindings(scope, route_id),
            offset=offset,
            limit=limit,
        )

    def deploy(self, scope: Scope, route_id: str, deployment: RouteDeployment) -> Route:
        """See RouteStore."""
        with self._database.writing(self._witness) as connection:
            before = _require(connection, scope, route_id)
            sql = "SELECT document FROM route_versions WHERE route_id = ? AND id = ?"
            version = _VERSIONS.one(connection.execute(sql, (route_id, deployment.version_id)).fetchall())
            if version is None:
                raise NotFound(f"the route has no version {deployment.version_id!r}")
            route = replace(before, version=version, deployment=deployment, modified_at=deployment.created_at)
            _insert_deployment(connection, route_id, deployment)
            _update(connection, route)
        return route

    def deployments(self, scope: Scope, route_id: str, *, offset: int, limit: int) -> Page[RouteDeployment]:
        """See RouteStore."""
        return _DEPLOYMENTS.page(
            self._database,
            f"FROM route_deployments {_OF_ROUTE}",
            "seq DESC",
            _bindings(scope, route_id),
            offset=offset,
            limit=limit,
        )


def _bindings(scope: Scope, route_id: str) -> dict[str, str]:
    return {"account_id": scope.account_id, "gateway_id": scope.gateway_id, "route_id": route_id}


def _require(connection: Connection, scope: Scope, route_id: str) -> Route:
    sql = "SELECT document FROM routes WHERE account_id = ? AND gateway_id = ? AND id = ?"
    route = _ROUTES.one(connection.execute(sql, (scope.account_id, scope.gateway_id, route_id)).fetchall())
    if route is None:
        raise NotFound(f"there is no route {route_id!r}")
    return route


def _require_free_name(connection: Connection, route: Route) -> None:
    sql = "SELECT 1 FROM routes WHERE account_id = ? AND gateway_id = ? AND name = ? AND id <> ?"
    if has_row(connection, sql, (route.account_id, route.gateway_id, route.name, route.id)):
        raise Conflict(f"there is a route named {route.name!r} in this gateway already", ("body", "name"))


def _insert_version(connection: Connection, route_id: str, version: RouteVersion) -> None:
    connection.execute(
        "INSERT INTO route_versions(route_id, id, document) VALUES(?, ?, ?)",
        (route_id, version.id, _VERSIONS.encode(version)),
    )


def _insert_deployment(connection: Connection, route_id: str, deployment: RouteDeployment) -> None:
    connection.execute(
        "INSERT INTO route_deployments(route_id, id, document) VALUES(?, ?, ?)",
        (route_id, deployment.id, _DEPLOYMENTS.encode(deployment)),
    )


def _update(connection: Connection, route: Route) -> None:
    connection.execute(
        "UPDATE routes SET name = ?, document = ? WHERE id = ?", (route.name, _ROUTES.encode(route), route.id)
    )
