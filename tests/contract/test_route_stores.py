"""What every adapter of the route store must do: routes, their versions, their deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.core.routes.records import RouteDeployment
from gaugeway.stores import Stores, open_stores
from support.routes import a_route, a_version
from support.state import ACCOUNT, SCOPE, a_gateway, an_account, new_id

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
ELSEWHERE = [Scope(ACCOUNT, "other"), Scope("f" * 32, SCOPE.gateway_id)]


@pytest.fixture(params=sorted(ADAPTERS))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(ADAPTERS[request.param](tmp_path / "data"))
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


def deployment(version_id: str, created_at: int = 2) -> RouteDeployment:
    return RouteDeployment(id=new_id(), version_id=version_id, created_at=created_at)


def test_a_route_is_found_by_id_and_by_name_in_its_gateway_only(stores: Stores) -> None:
    route = a_route()
    stores.routes.create(route)
    assert stores.routes.get(SCOPE, route.id) == stores.routes.find(SCOPE, route.name) == route
    assert stores.routes.version(SCOPE, route.id, route.version.id) == route.version
    assert stores.routes.versions(SCOPE, route.id, offset=0, limit=9).items == [route.version]
    assert stores.routes.deployments(SCOPE, route.id, offset=0, limit=9).items == [route.deployment]
    for scope in ELSEWHERE:
        assert stores.routes.get(scope, route.id) is stores.routes.find(scope, route.name) is None
        assert stores.routes.version(scope, route.id, route.version.id) is None
        assert stores.routes.versions(scope, route.id, offset=0, limit=9).total == 0
        assert stores.routes.deployments(scope, route.id, offset=0, limit=9).total == 0
        for change in (
            lambda scope=scope: stores.routes.rename(scope, route.id, "x", 9),
            lambda scope=scope: stores.routes.delete(scope, route.id),
            lambda scope=scope: stores.routes.add_version(scope, route.id, a_version()),
            lambda scope=scope: stores.routes.deploy(scope, route.id, deployment(route.version.id)),
        ):
            with pytest.raises(NotFound):
                change()
    assert stores.routes.get(SCOPE, route.id) == route


def test_a_name_is_taken_once_per_gateway(stores: Stores) -> None:
    first, second = a_route("first"), a_route("second")
    stores.routes.create(first)
    stores.routes.create(second)
    with pytest.raises(Conflict):
        stores.routes.create(a_route("first"))
    with pytest.raises(Conflict):
        stores.routes.rename(SCOPE, second.id, "first", 9)
    stores.gateways.create(a_gateway("other"))
    stores.routes.create(a_route("first", gateway_id="other"))
    with pytest.raises(NotFound):
        stores.routes.create(a_route("third", gateway_id="none"))
    assert stores.routes.list(SCOPE, offset=0, limit=9).total == 2


def test_a_route_is_renamed(stores: Stores) -> None:
    route = a_route("old")
    stores.routes.create(route)
    renamed = stores.routes.rename(SCOPE, route.id, "new", 9)
    assert renamed == structs.replace(route, name="new", modified_at=9) == stores.routes.find(SCOPE, "new")
    assert stores.routes.find(SCOPE, "old") is None
    assert stores.routes.rename(SCOPE, route.id, "new", 10).name == "new"


def test_routes_are_listed_newest_first_in_pages(stores: Stores) -> None:
    routes = [a_route(f"route-{number}", created_at=number // 2) for number in range(5)]
    for route in routes:
        stores.routes.create(route)
    page = stores.routes.list(SCOPE, offset=1, limit=2)
    assert ([route.name for route in page.items], page.total) == (["route-3", "route-2"], 5)


def test_a_version_answers_only_once_it_is_deployed_and_an_older_one_again_after(stores: Stores) -> None:
    route = a_route()
    stores.routes.create(route)
    version = a_version(created_at=5)
    before = stores.config.version()
    added = stores.routes.add_version(SCOPE, route.id, version)
    assert (added.version, added.modified_at) == (route.version, 5)
    assert stores.routes.find(SCOPE, route.name) == added
    assert stores.config.version() == before, "nothing that requests use has changed"
    assert stores.routes.versions(SCOPE, route.id, offset=0, limit=9).items == [version, route.version]

    forward = deployment(version.id, 6)
    deployed = stores.routes.deploy(SCOPE, route.id, forward)
    assert (deployed.version, deployed.deployment, deployed.modified_at) == (version, forward, 6)
    assert stores.config.version() != before
    back = deployment(route.version.id, 7)
    assert stores.routes.deploy(SCOPE, route.id, back).version == route.version
    assert stores.routes.deployments(SCOPE, route.id, offset=0, limit=9).items == [back, forward, route.deployment]


def test_a_version_of_another_route_cannot_be_deployed(stores: Stores) -> None:
    mine, other = a_route("mine"), a_route("other")
    stores.routes.create(mine)
    stores.routes.create(other)
    for version_id in (other.version.id, "none"):
        with pytest.raises(NotFound):
            stores.routes.deploy(SCOPE, mine.id, deployment(version_id))
        assert stores.routes.version(SCOPE, mine.id, version_id) is None
    assert stores.routes.get(SCOPE, mine.id) == mine


def test_what_is_deleted_is_gone_with_all_that_belongs_to_it(stores: Stores) -> None:
    route, of_gateway = a_route("one"), a_route("two")
    stores.routes.create(route)
    stores.routes.create(of_gateway)
    assert stores.routes.delete(SCOPE, route.id) == route
    with pytest.raises(NotFound):
        stores.routes.delete(SCOPE, route.id)
    stores.gateways.delete(SCOPE)
    stores.gateways.create(a_gateway())
    for each in (route, of_gateway):
        assert stores.routes.get(SCOPE, each.id) is None
        stores.routes.create(each)  # neither its versions nor its deployments are in the way


def test_every_change_that_requests_can_see_moves_the_config_version(stores: Stores) -> None:
    route = a_route()
    seen = [stores.config.version()]
    for change in (
        lambda: stores.routes.create(route),
        lambda: stores.routes.rename(SCOPE, route.id, "x", 9),
        lambda: stores.routes.deploy(SCOPE, route.id, deployment(route.version.id)),
        lambda: stores.routes.delete(SCOPE, route.id),
    ):
        change()
        seen.append(stores.config.version())
    assert len(set(seen)) == len(seen)
