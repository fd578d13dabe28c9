"""Tokens over the API: nobody can make, or take away, more than they have."""

from __future__ import annotations

import pytest

from gaugeway.core.credentials import hash_of
from gaugeway.core.model import Permission
from support.control_plane import NOW, ControlPlane, error

READ, WRITE, RUN = (permission.value for permission in (Permission.READ, Permission.WRITE, Permission.RUN))


def test_a_token_is_shown_once_and_works(plane: ControlPlane) -> None:
    made = plane.make("/tokens", {"name": "ci", "permissions": [READ]})
    assert made["value"].startswith("gw_")
    kept = plane.stores.tokens.find(hash_of(made["value"]))
    assert kept is not None
    assert (kept.name, kept.permissions, kept.expires_at) == ("ci", (Permission.READ,), None)
    listed = plane.get("/tokens")["result"]
    assert listed[0] == {name: value for name, value in made.items() if name != "value"}
    assert made["value"] not in str(listed)
    answer = plane.client.get(plane.prefix + "/gateways", headers={"authorization": f"Bearer {made['value']}"})
    assert answer.status_code == 200
    assert plane.call("DELETE", f"/tokens/{made['id']}").status_code == 200
    assert plane.stores.tokens.find(hash_of(made["value"])) is None
    assert error(plane.call("DELETE", f"/tokens/{made['id']}"), 404)[0] == 7002


def test_it_gives_no_more_than_the_caller_has(plane: ControlPlane) -> None:
    for permissions in ([RUN], [READ, RUN]):
        code, path, _ = error(plane.call("POST", "/tokens", {"name": "x", "permissions": permissions}), 403)
        assert (code, path[:2]) == (10000, ["body", "permissions"])
    plane.add_token("all", tuple(Permission))
    everything = {"name": "x", "permissions": [READ, WRITE, RUN]}
    assert plane.call("POST", "/tokens", everything, token="all").status_code == 200
    assert (
        error(plane.call("POST", "/tokens", {"name": "x", "permissions": [READ]}, token="reader"), 403)[0] == 10000
    )


def test_it_ends_no_later_than_the_callers_own(plane: ControlPlane) -> None:
    plane.add_token("day", (Permission.WRITE,), expires_at=NOW + 86_400_000)
    body = {"name": "x", "permissions": [READ]}
    made = plane.call("POST", "/tokens", body, token="day").json()["result"]
    found = plane.stores.tokens.find(hash_of(made["value"]))
    assert found is not None
    assert found.expires_at == NOW + 86_400_000
    late = plane.call("POST", "/tokens", {**body, "expires_on": "2999-01-01"}, token="day")
    assert error(late, 403)[:2] == (10000, ["body", "expires_on"])
    assert plane.call("POST", "/tokens", {**body, "expires_on": "2999-01-01"}).status_code == 200


def test_a_token_that_may_more_cannot_be_revoked(plane: ControlPlane) -> None:
    strong = plane.add_token("strong", tuple(Permission))
    assert error(plane.call("DELETE", f"/tokens/{strong.id}"), 403)[0] == 10000
    assert plane.stores.tokens.find(strong.sha256) == strong
    stranger = next(iter(plane.stores.tokens.list(plane.other_account_id)))
    assert error(plane.call("DELETE", f"/tokens/{stranger.id}"), 404)[0] == 7002


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "x", "permissions": []}, ["body", "permissions"]),
        ({"name": "x", "permissions": ["AI Gateway Everything"]}, ["body", "permissions", 0]),
        ({"name": "", "permissions": [READ]}, ["body", "name"]),
        ({"name": "x", "permissions": [READ], "expires_on": "soon"}, ["body", "expires_on"]),
        ({"name": "x", "permissions": [READ], "expires_on": "2001-01-01"}, ["body", "expires_on"]),
        ({"name": "x", "permissions": [READ], "email": "a@b"}, ["body", "email"]),
    ],
)
def test_bad_input_is_named(plane: ControlPlane, body: dict[str, object], path: list[object]) -> None:
    code, where, _ = error(plane.call("POST", "/tokens", body), 400)
    assert (code, where) == (7001, path)


def test_the_settings_that_this_version_does_not_act_on_are_named(plane: ControlPlane) -> None:
    listed = {item["name"]: item for item in plane.get("/gateway-settings")["result"]}
    assert listed["cache_ttl"] == {"name": "cache_ttl", "available": True, "note": None}
    assert listed["logpush"]["available"] is False
    assert "not available in this version" in listed["logpush"]["note"]
