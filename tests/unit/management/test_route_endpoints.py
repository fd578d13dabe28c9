"""Dynamic routes through the API: envelopes, versions, deployments, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.control_plane import ControlPlane, error
from support.routes import END, conditional, model, percentage, rate, simple, start

PATH = "/gateways/main/routes"


@pytest.fixture(autouse=True)
def _gateway(plane: ControlPlane) -> None:
    plane.make_gateway()


def body(name: str = "first", elements: Any = None) -> dict[str, Any]:
    return {"name": name, "elements": simple() if elements is None else elements}


def other_elements() -> list[dict[str, Any]]:
    return [start("n"), model("n", name="other"), END]


def test_create_makes_version_1_and_deploys_it(plane: ControlPlane) -> None:
    made = plane.make(PATH, body())
    version, deployment = made["version"], made["deployment"]
    assert made == {
        "id": made["id"],
        "account_tag": plane.account_id,
        "gateway_id": "main",
        "name": "first",
        "created_at": "2026-11-18T11:06:40.000Z",
        "modified_at": "2026-11-18T11:06:40.000Z",
        "elements": simple(),
        "deployment": {**deployment, "version_id": version["version_id"]},
        "version": {
            "version_id": version["version_id"],
            "created_at": "2026-11-18T11:06:40.000Z",
            "data": version["data"],
            "active": "true",
            "is_valid": True,
        },
    }
    assert json.loads(version["data"]) == simple()
    assert sorted(deployment) == ["created_at", "deployment_id", "version_id"]
    assert plane.get(f"{PATH}/{made['id']}")["result"] == made


def test_lists_have_their_own_envelope(plane: ControlPlane) -> None:
    for number in range(3):
        plane.make(PATH, body(f"route-{number}"))
    listed = plane.get(PATH, page=2, per_page=2)
    assert listed["success"] is True
    assert "result" not in listed
    data = listed["data"]
    assert [route["name"] for route in data.pop("routes")] == ["route-0"]
    assert data == {
        "order_by": "created_at",
        "order_by_direction": "desc",
        "page": 2,
        "per_page": 2,
        "count": 1,
        "total_count": 3,
    }


def test_rename_answers_under_route(plane: ControlPlane) -> None:
    made = plane.make(PATH, body())
    answer = plane.call("PATCH", f"{PATH}/{made['id']}", {"name": "second"})
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "route": made | {"name": "second"}}
    assert plane.get(f"{PATH}/{made['id']}")["result"]["name"] == "second"


def test_versions_never_change_and_are_deployed_one_by_one(plane: ControlPlane) -> None:
    made = plane.make(PATH, body())
    route, first = f"{PATH}/{made['id']}", made["version"]["version_id"]
    plane.clock.now += 1000
    new = plane.make(f"{route}/versions", {"elements": other_elements()})
    assert (new["id"], new["name"], new["elements"]) == (made["id"], "first", other_elements())
    assert (new["active"], new["created_at"]) == ("false", "2026-11-18T11:06:41.000Z")
    second = new["version_id"]
    assert plane.get(route)["result"]["elements"] == simple()
    assert plane.get(f"{route}/versions/{second}")["result"] == new

    plane.clock.now += 1000
    deployed = plane.make(f"{route}/deployments", {"version_id": second})
    assert (deployed["elements"], deployed["version"]["version_id"]) == (other_elements(), second)
    versions = plane.get(f"{route}/versions")["data"]["versions"]
    assert [(each["version_id"], each["active"]) for each in versions] == [(second, "true"), (first, "false")]

    plane.clock.now += 1000
    plane.make(f"{route}/deployments", {"version_id": first})
    assert plane.get(route)["result"]["elements"] == simple()
    deployments = plane.get(f"{route}/deployments")["data"]["deployments"]
    assert [each["version_id"] for each in deployments] == [first, second, first]
    assert plane.get(f"{route}/deployments", page=2)["data"]["deployments"] == []
    assert plane.get(f"{route}/versions/{first}")["result"]["elements"] == simple()


def test_delete_shows_the_route_that_was(plane: ControlPlane) -> None:
    made = plane.make(PATH, body())
    answer = plane.call("DELETE", f"{PATH}/{made['id']}")
    assert answer.json()["result"] == made
    assert error(plane.call("GET", f"{PATH}/{made['id']}"), 404)[0] == 7002
    assert plane.get(PATH)["data"]["routes"] == []


def in_graph(element: dict[str, Any]) -> list[dict[str, Any]]:
    return [start(element["id"]), element, model("m"), END]


REFUSED: list[tuple[Any, list[Any], str]] = [
    ({"name": "x"}, ["body", "elements"], "Required"),
    (body(elements="x"), ["body", "elements"], "Expected array"),
    (body(elements=[]), ["body", "elements"], "1 to 100"),
    (body("a b"), ["body", "name"], "must match"),
    (body("x" * 65), ["body", "name"], "at most 64"),
    (body() | {"note": 1}, ["body", "note"], "Unrecognized key"),
    (body(elements=[start("x"), END]), ["body", "elements", 0, "outputs", "next", "elementId"], "no element 'x'"),
    (
        body(elements=[start("m"), model("m", "n"), model("n", "m"), END]),
        ["body", "elements", 2, "outputs", "fallback", "elementId"],
        "loop",
    ),
    (
        body(elements=in_graph(conditional("c", {"metadata.plan": {"$eqq": 1}}, "m", "end"))),
        ["body", "elements", 1, "properties", "conditions", "metadata.plan", "$eqq"],
        "no operator",
    ),
    (body(elements=in_graph(percentage("p", _40="m"))), ["body", "elements", 1, "outputs"], "no 'else'"),
    (
        body(elements=[start("m"), model("m", provider="elevenlabs"), END]),
        ["body", "elements", 1, "properties", "provider"],
        "'elevenlabs' is no provider that a route can ask; there are: anthropic, openai, custom-{slug}, custom",
    ),
    (
        body(elements=[start("m"), model("m", provider="custom-nobody"), END]),
        ["body", "elements", 1, "properties", "provider"],
        "There is no custom provider 'nobody'",
    ),
]


@pytest.mark.parametrize(("sent", "path", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_is_refused_says_where(plane: ControlPlane, sent: Any, path: list[Any], message: str) -> None:
    code, where, said = error(plane.call("POST", PATH, sent))
    assert (code, where) == (7001, path)
    assert message in said
    assert plane.get(PATH)["data"]["routes"] == []


def test_a_version_is_checked_like_a_route(plane: ControlPlane) -> None:
    route = f"{PATH}/{plane.make(PATH, body())['id']}"
    code, where, _ = error(plane.call("POST", f"{route}/versions", {"elements": [start("x"), END]}))
    assert (code, where) == (7001, ["body", "elements", 0, "outputs", "next", "elementId"])
    assert len(plane.get(f"{route}/versions")["data"]["versions"]) == 1


def test_a_name_is_taken_once(plane: ControlPlane) -> None:
    plane.make(PATH, body())
    second = plane.make(PATH, body("second"))
    for answer in (
        plane.call("POST", PATH, body()),
        plane.call("PATCH", f"{PATH}/{second['id']}", {"name": "first"}),
    ):
        code, where, said = error(answer)
        assert (code, where) == (7001, ["body", "name"])
        assert "'first' exists already" in said


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/none", None),
        ("PATCH", "/none", {"name": "x"}),
        ("DELETE", "/none", None),
        ("GET", "/none/versions", None),
        ("POST", "/none/versions", {"elements": simple()}),
        ("GET", "/none/versions/none", None),
        ("GET", "/none/deployments", None),
        ("POST", "/none/deployments", {"version_id": "none"}),
    ],
)
def test_a_route_that_is_not_there(plane: ControlPlane, method: str, path: str, sent: Any) -> None:
    code, _, said = error(plane.call(method, PATH + path, sent), 404)
    assert code == 7002
    assert "there is no route 'none'" in said


def test_a_version_that_is_not_there(plane: ControlPlane) -> None:
    route = f"{PATH}/{plane.make(PATH, body())['id']}"
    assert error(plane.call("GET", f"{route}/versions/none"), 404)[0] == 7002
    code, where, _ = error(plane.call("POST", f"{route}/deployments", {"version_id": "none"}))
    assert (code, where) == (7001, ["body", "version_id"])


def test_a_gateway_that_is_not_there(plane: ControlPlane) -> None:
    assert error(plane.call("GET", "/gateways/none/routes"), 404)[0] == 7002
    assert error(plane.call("POST", "/gateways/none/routes", body()), 404)[0] == 7002


def test_who_may_only_read_changes_nothing(plane: ControlPlane) -> None:
    assert plane.call("POST", PATH, body(), token="reader").status_code == 403
    assert plane.call("GET", PATH, token="reader").status_code == 200
    assert plane.call("GET", PATH, token="stranger").status_code == 403


def test_a_custom_provider_must_be_there_and_enabled(plane: ControlPlane) -> None:
    own = {"name": "Own", "slug": "own", "base_url": "https://ai.example.com/v1"}
    provider = plane.make("/custom-providers", own)
    sent = body(elements=[start("m"), model("m", provider="custom-own"), END])
    assert "is not enabled" in error(plane.call("POST", PATH, sent))[2]
    plane.call("PATCH", f"/custom-providers/{provider['id']}", {"enable": True})
    made = plane.make(PATH, sent)
    assert made["version"]["is_valid"] is True
    plane.call("DELETE", f"/custom-providers/{provider['id']}")
    assert plane.get(f"{PATH}/{made['id']}")["result"]["version"]["is_valid"] is False
    deploy = {"version_id": made["version"]["version_id"]}
    refused = error(plane.call("POST", f"{PATH}/{made['id']}/deployments", deploy))
    assert refused[1] == ["body", "version_id"]
    assert "There is no custom provider 'own'" in refused[2]


def test_older_spellings_are_accepted_and_shown_in_todays(plane: ControlPlane) -> None:
    old = rate("r", "m", "end") | {
        "type": "rate_limit",
        "properties": {"limitType": "count", "key": "metadata.user", "limit": 5, "interval": 60},
    }
    shown = plane.make(PATH, body(elements=in_graph(old)))["elements"][1]
    assert (shown["type"], shown["properties"]) == (
        "rate",
        {"limitType": "count", "key": "metadata.user", "limit": 5, "window": 60},
    )
    asked = conditional("c", {}, "m", "end") | {"properties": {"condition": {"metadata.a": 1}}}
    shown = plane.make(PATH, body("second", elements=in_graph(asked)))["elements"][1]
    assert shown["properties"] == {"conditions": {"metadata.a": 1}}
