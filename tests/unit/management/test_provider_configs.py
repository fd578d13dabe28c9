"""Stored provider keys over the API: every field, every refusal, and never the key."""

from __future__ import annotations

from typing import Any

import pytest

from support.control_plane import ControlPlane, error

PATH = "/gateways/main/provider_configs"
SECRET = "sk-0123456789abcdefWXYZ"
NEW: dict[str, Any] = {"alias": "default", "default_config": True, "provider_slug": "openai", "secret": SECRET}


@pytest.fixture(autouse=True)
def gateway(plane: ControlPlane) -> None:
    plane.make_gateway()


def test_create_shows_all_but_the_key(plane: ControlPlane) -> None:
    made = plane.make(PATH, NEW | {"rate_limit": 5.0, "rate_limit_period": 30})
    assert made == {
        "id": made["id"],
        "alias": "default",
        "default_config": True,
        "gateway_id": "main",
        "created_at": "2026-11-18T11:06:40.000Z",
        "modified_at": "2026-11-18T11:06:40.000Z",
        "provider_slug": "openai",
        "secret_id": made["id"],
        "secret_preview": "****WXYZ",
        "rate_limit": 5,
        "rate_limit_period": 30,
    }
    listed = plane.get(PATH)
    assert listed["result"] == [made]
    assert listed["result_info"]["total_count"] == 1
    assert SECRET not in str(listed)
    assert plane.parts.provider_configs.keys(plane.scope())["openai"]["default"].key == SECRET


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"alias": ""}, ["alias"]),
        ({"alias": "no spaces"}, ["alias"]),
        ({"alias": "x" * 65}, ["alias"]),
        ({"default_config": "yes"}, ["default_config"]),
        ({"provider_slug": "nobody"}, ["provider_slug"]),
        ({"provider_slug": "custom-nobody"}, ["provider_slug"]),
        ({"secret": ""}, ["secret"]),
        ({"secret": None}, ["secret"]),
        ({"secret": "two words"}, ["secret"]),
        ({"secret": "a\nb"}, ["secret"]),
        ({"secret": "x" * 20_000}, ["secret"]),
        ({"secret_id": "some-secret"}, ["secret_id"]),
        ({"rate_limit": 0}, ["rate_limit"]),
        ({"rate_limit": 1.5}, ["rate_limit"]),
        ({"rate_limit": 5, "rate_limit_period": 0}, ["rate_limit_period"]),
        ({"unknown": 1}, ["unknown"]),
    ],
)
def test_bad_values(plane: ControlPlane, change: dict[str, Any], path: list[str]) -> None:
    answer = plane.call("POST", PATH, NEW | change)
    code, where, _ = error(answer)
    assert (code, where) == (7001, ["body", *path])
    assert SECRET not in answer.text
    assert plane.get(PATH)["result"] == []


def test_what_is_missing_is_named(plane: ControlPlane) -> None:
    for name in NEW:
        body = {key: value for key, value in NEW.items() if key != name}
        assert error(plane.call("POST", PATH, body))[1] == ["body", name]


def test_an_alias_is_a_providers_own(plane: ControlPlane) -> None:
    plane.make(PATH, NEW)
    code, where, message = error(plane.call("POST", PATH, NEW))
    assert (code, where) == (7001, ["body", "alias"])
    assert "'default'" in message
    plane.make(PATH, NEW | {"provider_slug": "anthropic"})
    plane.make_gateway("other")
    plane.make("/gateways/other/provider_configs", NEW)


def test_replace_and_delete(plane: ControlPlane) -> None:
    made = plane.make(PATH, NEW)
    plane.clock.now += 1000
    one = f"{PATH}/{made['id']}"
    body = {"secret": "sk-another-0123456789", "rate_limit": 3, "default_config": False}
    changed = plane.call("PUT", one, body).json()["result"]
    assert changed == made | {
        "secret_preview": "****6789",
        "modified_at": "2026-11-18T11:06:41.000Z",
        "rate_limit": 3,
        "rate_limit_period": 60,
        "default_config": False,
    }
    assert "rate_limit" not in plane.call("PUT", one, {"secret": SECRET, "rate_limit": None}).json()["result"]
    assert error(plane.call("PUT", one, {"rate_limit": 3}))[1] == ["body", "secret"]
    assert plane.call("PUT", one, {"secret": SECRET, "default_config": None}).status_code == 400
    assert plane.call("DELETE", one).json()["result"]["id"] == made["id"]
    assert plane.get(PATH)["result"] == []
    for method, sent in (("PUT", {"secret": SECRET}), ("DELETE", None)):
        assert plane.call(method, one, sent).status_code == 404


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("short", "****"), ("x" * 15, "****"), ("x" * 16, "****xxxx"), ("sk-0123456789-a!bc", "****")],
)
def test_previews(plane: ControlPlane, secret: str, shown: str) -> None:
    assert plane.make(PATH, NEW | {"secret": secret})["secret_preview"] == shown


def test_a_custom_provider_keeps_its_key_when_its_slug_changes(plane: ControlPlane) -> None:
    body = {"name": "p", "slug": "p", "base_url": "https://a.example"}
    provider = plane.make("/custom-providers", body)
    plane.make(PATH, NEW | {"provider_slug": "custom-p"})
    plane.call("PATCH", f"/custom-providers/{provider['id']}", {"slug": "q"})
    assert list(plane.parts.provider_configs.keys(plane.scope())) == ["custom-q"]
    plane.make("/custom-providers", body)  # another one of the old name gets nothing
    assert "custom-p" not in plane.parts.provider_configs.keys(plane.scope())


def test_who_may_do_what(plane: ControlPlane) -> None:
    made = plane.make(PATH, NEW)
    one = f"{PATH}/{made['id']}"
    assert plane.call("GET", PATH, token="reader").status_code == 200
    assert plane.call("GET", PATH, token="runner").status_code == 403
    for token in ("reader", "runner"):
        assert plane.call("POST", PATH, NEW, token=token).status_code == 403
        assert plane.call("PUT", one, {"secret": SECRET}, token=token).status_code == 403
        assert plane.call("DELETE", one, token=token).status_code == 403
    plane.make_gateway("other")
    assert plane.call("DELETE", f"/gateways/other/provider_configs/{made['id']}").status_code == 404
