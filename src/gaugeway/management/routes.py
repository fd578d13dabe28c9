"""Dynamic routes, their versions and deployments (contract 1.10), each in the envelope that the SDKs expect."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec.structs import replace
from pydantic import Field
from starlette.responses import Response

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.routes.elements import Element, ModelElement, as_json, read_elements
from gaugeway.core.routes.graph import NAMED_BY_REQUEST, check_graph
from gaugeway.core.routes.records import Route, RouteDeployment, RouteVersion
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body

router = APIRouter(prefix="/gateways/{gateway_id}/routes", tags=["Dynamic routes"])

ELEMENTS = ("body", "elements")
_CUSTOM_PREFIX = "custom-"

RouteName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]


class RouteList(Paged):
    """The query of a list of routes."""


class HistoryList(Paged):
    """The query of a list of versions or deployments. The SDKs send none, so a page is as long as it may be."""

    per_page: int = Field(100, ge=1, le=100)


class NewVersion(Body):
    """The body of POST versions."""

    elements: list[Any]


class NewRoute(NewVersion):
    """The body of POST."""

    name: RouteName


class RouteChange(Body):
    """The body of PATCH: elements never change, a new version takes their place."""

    name: RouteName


class NewDeployment(Body):
    """The body of POST deployments."""

    version_id: str


@router.get("", summary="List dynamic routes")
def list_routes(call: Caller, gateway: NamedGateway, query: Annotated[RouteList, InQuery()]) -> Response:
    """Newest first."""
    part = call.parts.routes.list(gateway.scope, offset=query.offset, limit=query.per_page)
    return _listed("routes", [show(call, route) for route in part.items], query, part.total)


@router.post("", summary="Create a dynamic route", dependencies=[NO_QUERY])
def create_route(call: Caller, gateway: NamedGateway, body: NewRoute) -> Response:
    """Makes version 1 of these elements, and deploys it."""
    version = _new_version(call, body.elements)
    now = version.created_at
    route = Route(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id(),
        name=body.name,
        created_at=now,
        modified_at=now,
        version=version,
        deployment=RouteDeployment(id=call.parts.new_id(), version_id=version.id, created_at=now),
    )
    try:
        call.parts.routes.create(route)
    except Conflict as problem:
        raise _name_taken(body.name) from problem
    return envelope.result(show(call, route))


@router.get("/{route_id}", summary="Get a dynamic route", dependencies=[NO_QUERY])
def get_route(call: Caller, gateway: NamedGateway, route_id: str) -> Response:
    """One route, with what is deployed of it."""
    return envelope.result(show(call, _find(call, gateway, route_id)))


@router.patch("/{route_id}", summary="Rename a dynamic route", dependencies=[NO_QUERY])
def rename_route(call: Caller, gateway: NamedGateway, route_id: str, body: RouteChange) -> Response:
    """Requests reach it by the new name at once, and no longer by the old one."""
    try:
        route = call.parts.routes.rename(gateway.scope, route_id, body.name, call.parts.clock.now_ms())
    except Conflict as problem:
        raise _name_taken(body.name) from problem
    return envelope.respond({"success": True, "route": show(call, route)})


@router.delete("/{route_id}", summary="Delete a dynamic route", dependencies=[NO_QUERY])
def delete_route(call: Caller, gateway: NamedGateway, route_id: str) -> Response:
    """Deletes it with its versions and deployments; its logs stay."""
    return envelope.result(show(call, call.parts.routes.delete(gateway.scope, route_id)))


@router.get("/{route_id}/versions", summary="List a route's versions")
def list_versions(
    call: Caller, gateway: NamedGateway, route_id: str, query: Annotated[HistoryList, InQuery()]
) -> Response:
    """Newest first."""
    route = _find(call, gateway, route_id)
    part = call.parts.routes.versions(gateway.scope, route_id, offset=query.offset, limit=query.per_page)
    return _listed("versions", [_show_version(call, route, one) for one in part.items], query, part.total)


@router.post("/{route_id}/versions", summary="Create a version of a route", dependencies=[NO_QUERY])
def create_version(call: Caller, gateway: NamedGateway, route_id: str, body: NewVersion) -> Response:
    """Keeps it. It answers no request before it is deployed."""
    _find(call, gateway, route_id)  # a route that is not there is what to say first
    version = _new_version(call, body.elements)
    route = call.parts.routes.add_version(gateway.scope, route_id, version)
    return envelope.result(_show_with(call, route, version))


@router.get("/{route_id}/versions/{version_id}", summary="Get a version of a route", dependencies=[NO_QUERY])
def get_version(call: Caller, gateway: NamedGateway, route_id: str, version_id: str) -> Response:
    """One version with its elements."""
    route = _find(call, gateway, route_id)
    version = call.parts.routes.version(gateway.scope, route_id, version_id)
    if version is None:
        raise NotFound(f"the route has no version {version_id!r}")
    return envelope.result(_show_with(call, route, version))


@router.get("/{route_id}/deployments", summary="List a route's deployments")
def list_deployments(
    call: Caller, gateway: NamedGateway, route_id: str, query: Annotated[HistoryList, InQuery()]
) -> Response:
    """Newest first: the first is the one that counts."""
    _find(call, gateway, route_id)
    part = call.parts.routes.deployments(gateway.scope, route_id, offset=query.offset, limit=query.per_page)
    return _listed("deployments", [_show_deployment(one) for one in part.items], query, part.total)


@router.post("/{route_id}/deployments", summary="Deploy a version of a route", dependencies=[NO_QUERY])
def create_deployment(call: Caller, gateway: NamedGateway, route_id: str, body: NewDeployment) -> Response:
    """Puts a version to work: a newer one, or an older one to roll back."""
    _find(call, gateway, route_id)
    now = call.parts.clock.now_ms()
    deployment = RouteDeployment(id=call.parts.new_id(), version_id=body.version_id, created_at=now)
    version = call.parts.routes.version(gateway.scope, route_id, body.version_id)
    if version is None:
        raise BadInput(f"The route has no version '{body.version_id[:64]}'", ("body", "version_id"))
    try:
        _check_providers(call, read_elements(msgspec.json.decode(version.elements)))
    except BadInput as problem:
        raise BadInput(f"The version cannot be deployed: {problem.message}", ("body", "version_id")) from problem
    return envelope.result(show(call, call.parts.routes.deploy(gateway.scope, route_id, deployment)))


def show(call: Call, route: Route) -> dict[str, Any]:
    """A route as the API shows it, with its deployed version."""
    return {
        "id": route.id,
        "account_tag": route.account_id,
        "gateway_id": route.gateway_id,
        "name": route.name,
        "created_at": to_rfc3339(route.created_at),
        "modified_at": to_rfc3339(route.modified_at),
        "elements": msgspec.json.decode(route.version.elements),
        "deployment": _show_deployment(route.deployment),
        "version": _show_version(call, route, route.version),
    }


def _show_with(call: Call, route: Route, version: RouteVersion) -> dict[str, Any]:
    """A route with one of its versions in place of the deployed one."""
    shown = show(call, replace(route, version=version))
    del shown["deployment"]
    return {**shown, **_show_version(call, route, version), "created_at": to_rfc3339(version.created_at)}


def _show_version(call: Call, route: Route, version: RouteVersion) -> dict[str, Any]:
    return {
        "version_id": version.id,
        "created_at": to_rfc3339(version.created_at),
        "data": version.elements,
        "active": "true" if version.id == route.deployment.version_id else "false",
        "is_valid": _is_valid(call, version),
    }


def _show_deployment(deployment: RouteDeployment) -> dict[str, Any]:
    return {
        "deployment_id": deployment.id,
        "version_id": deployment.version_id,
        "created_at": to_rfc3339(deployment.created_at),
    }


def _is_valid(call: Call, version: RouteVersion) -> bool:
    """Whether it could be created today: a custom provider may have gone since."""
    try:
        _check_providers(call, read_elements(msgspec.json.decode(version.elements)))
    except BadInput:
        return False
    return True


def _listed(name: str, items: list[dict[str, Any]], query: Paged, total: int | None) -> Response:
    return envelope.respond(
        {
            "success": True,
            "data": {
                name: items,
                "order_by": "created_at",
                "order_by_direction": "desc",
                "page": query.page,
                "per_page": query.per_page,
                "count": len(items),
                "total_count": total,
            },
        }
    )


def _find(call: Call, gateway: NamedGateway, route_id: str) -> Route:
    route = call.parts.routes.get(gateway.scope, route_id)
    if route is None:
        raise NotFound(f"there is no route {route_id!r}")
    return route


def _new_version(call: Call, sent: list[Any]) -> RouteVersion:
    """A version of these elements, checked; raises BadInput."""
    try:
        elements = read_elements(sent)
        check_graph(elements)
    except BadInput as problem:
        raise BadInput(problem.message, (*ELEMENTS, *problem.path)) from None
    _check_providers(call, elements)
    return RouteVersion(id=call.parts.new_id(), created_at=call.parts.clock.now_ms(), elements=as_json(elements))


def _check_providers(call: Call, elements: tuple[Element, ...]) -> None:
    for index, element in enumerate(elements):
        if isinstance(element, ModelElement):
            problem = _problem_with(call, element.properties.provider)
            if problem is not None:
                raise BadInput(problem, (*ELEMENTS, index, "properties", "provider"))


def _problem_with(call: Call, provider: str) -> str | None:
    """Why a model element cannot name the provider; None where it can."""
    if provider == NAMED_BY_REQUEST or provider in call.parts.route_providers:
        return None
    if provider.startswith(_CUSTOM_PREFIX):
        slug = provider.removeprefix(_CUSTOM_PREFIX)
        custom = call.parts.custom_providers.find(call.account_id, slug)
        if custom is None:
            return f"There is no custom provider '{slug[:64]}' in this account"
        return None if custom.enable else f"The custom provider '{slug[:64]}' is not enabled: set enable to true"
    names = ", ".join(sorted(call.parts.route_providers))
    return f"'{provider[:64]}' is no provider that a route can ask; there are: {names}, custom-{{slug}}, custom"


def _name_taken(name: str) -> Conflict:
    return Conflict(f"A route with the name '{name}' exists already in this gateway", ("body", "name"))
