"""Gateways: every field, every bound, every default."""

from __future__ import annotations

from typing import Any

import pytest

from gaugeway.management.gateway_settings import GatewaySettings
from gaugeway.management.unenforced import UNENFORCED
from support.control_plane import NOW, REQUIRED, ControlPlane, error, errors

DEFAULTS: dict[str, Any] = {
    "authentication": False,
    "byok_only": False,
    "dlp": None,
    "guardrails": None,
    "is_default": False,
    "log_classification": False,
    "log_management": 10_000_000,
    "log_management_strategy": "DELETE_OLDEST",
    "logpush": False,
    "logpush_public_key": None,
    "otel": None,
    "rate_limiting_technique": None,
    "retry_backoff": None,
    "retry_delay": None,
    "retry_max_attempts": None,
    "spend_limits": None,
    "store_id": "",
    "stripe": None,
    "workers_ai_billing_mode": "postpaid",
    "zdr": False,
}
SOME: dict[str, Any] = {
    "authentication": True,
    "collect_logs": False,
    "log_management": 10_000,
    "log_management_strategy": "STOP_INSERTING",
    "rate_limiting_interval": 60,
    "rate_limiting_technique": "sliding",
    "logpush_public_key": "k" * 16,
    "cache_invalidate_on_update": False,
}


def test_create_shows_every_field_with_its_default(plane: ControlPlane) -> None:
    made = plane.make("/gateways", {"id": "main", **REQUIRED})
    dates = {"created_at": made["created_at"], "modified_at": made["modified_at"]}
    assert made == {"id": "main", **REQUIRED, **DEFAULTS, **dates}
    assert dates == {"created_at": "2026-11-18T11:06:40.000Z", "modified_at": "2026-11-18T11:06:40.000Z"}
    assert plane.get("/gateways/main")["result"] == made
    assert plane.get("/gateways")["result"] == [made]


def test_create_keeps_what_was_sent(plane: ControlPlane) -> None:
    made = plane.make("/gateways", {"id": "main", **REQUIRED, **SOME})
    assert made.items() >= SOME.items()
    stored = plane.stores.gateways.get(plane.scope())
    assert stored is not None
    assert {name: getattr(stored, name) for name in SOME} == SOME


def test_null_where_it_means_off_is_shown_as_what_it_means(plane: ControlPlane) -> None:
    nulls = dict.fromkeys(("cache_ttl", "rate_limiting_interval", "rate_limiting_limit"))
    made = plane.make("/gateways", {"id": "main", **REQUIRED, **nulls, "log_management_strategy": None})
    assert (made["cache_ttl"], made["rate_limiting_interval"], made["rate_limiting_limit"]) == (0, 0, 0)
    assert made["log_management_strategy"] == "DELETE_OLDEST"


def test_log_management_null_is_no_limit(plane: ControlPlane) -> None:
    made = plane.make("/gateways", {"id": "main", **REQUIRED, "log_management": None})
    assert made["log_management"] is None


def test_a_taken_id(plane: ControlPlane) -> None:
    plane.make_gateway("main", authentication=True)
    answer = plane.call("POST", "/gateways", {"id": "main", **REQUIRED})
    assert error(answer) == (7001, ["body", "id"], "A gateway with the id 'main' exists already")
    assert plane.get("/gateways/main")["result"]["authentication"] is True


@pytest.mark.parametrize("gateway_id", ["a", "a-b", "a_b-1", "_", "0" * 64])
def test_good_ids(plane: ControlPlane, gateway_id: str) -> None:
    assert plane.make_gateway(gateway_id) == plane.get(f"/gateways/{gateway_id}")["result"]["id"]


@pytest.mark.parametrize("gateway_id", ["", "A", "a--b", "-a", "a-", "a b", "a/b", "ä", "0" * 65, 7, None, "a\n"])
def test_bad_ids(plane: ControlPlane, gateway_id: Any) -> None:
    code, path, _ = error(plane.call("POST", "/gateways", {"id": gateway_id, **REQUIRED}))
    assert (code, path) == (7001, ["body", "id"])


@pytest.mark.parametrize("missing", ["id", *REQUIRED])
def test_required(plane: ControlPlane, missing: str) -> None:
    body = {"id": "main", **REQUIRED}
    del body[missing]
    assert error(plane.call("POST", "/gateways", body)) == (7001, ["body", missing], "Required")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("cache_ttl", "5", "Expected integer, received string"),
        ("cache_ttl", 1.5, "Expected integer, received float"),
        ("cache_ttl", True, "Expected integer, received boolean"),
        ("cache_ttl", -1, "Number must be greater than or equal to 0"),
        ("cache_ttl", 10**30, "Number must be less than or equal to 1000000000"),
        ("collect_logs", None, "Expected boolean, received null"),
        ("collect_logs", 1, "Expected boolean, received number"),
        ("collect_logs", "true", "Expected boolean, received string"),
        ("rate_limiting_technique", "x", "Invalid enum value. Expected 'fixed' | 'sliding', received 'x'"),
        ("rate_limiting_technique", 3, "Invalid enum value. Expected 'fixed' | 'sliding', received number"),
        ("log_management", 9_999, "Number must be greater than or equal to 10000"),
        ("log_management", 10_000_001, "Number must be less than or equal to 10000000"),
        ("log_management_strategy", "delete_oldest", None),
        ("logpush_public_key", "short", "String must contain at least 16 character(s)"),
        ("retry_max_attempts", 6, "Number must be less than or equal to 5"),
        ("retry_delay", 60_001, "Number must be less than or equal to 60000"),
        ("retry_backoff", "random", None),
        ("workers_ai_billing_mode", "free", None),
        ("otel", {}, "Expected array, received object"),
        ("otel", [{"url": "u", "headers": {}}] * 6, "Array must contain at most 5 element(s)"),
        ("guardrails", [], "Expected object, received array"),
        ("cache_tll", 5, "Unrecognized key: this is not a parameter of this operation"),
        ("is_default", True, "Unrecognized key: this is not a parameter of this operation"),
    ],
)
def test_bad_values(plane: ControlPlane, field: str, value: Any, message: str | None) -> None:
    code, path, said = error(plane.call("POST", "/gateways", {"id": "main", **REQUIRED, field: value}))
    assert (code, path) == (7001, ["body", field])
    assert message is None or said == message
    assert plane.get("/gateways")["result"] == []


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("otel", [{"url": "u"}], ["otel", 0, "headers"]),
        ("otel", [{"url": "u", "headers": {"a": 1}}], ["otel", 0, "headers", "a"]),
        ("guardrails", {"prompt": {"P1": "IGNORE"}, "response": {}}, ["guardrails", "prompt", "P1"]),
        ("guardrails", {"prompt": {"P9": "FLAG"}, "response": {}}, ["guardrails", "prompt", "P9"]),
        ("guardrails", {"prompt": {}}, ["guardrails", "response"]),
        (
            "spend_limits",
            {"rules": [{"limit": 0, "window": 1, "limitType": "cost"}]},
            ["spend_limits", "rules", 0, "limit"],
        ),
        ("spend_limits", {"rules": [{"limit": 1, "window": 1}]}, ["spend_limits", "rules", 0, "limitType"]),
        ("dlp", {"enabled": False}, ["dlp"]),
        ("dlp", {"enabled": False, "policies": [], "action": "FLAG", "profiles": []}, ["dlp"]),
        ("dlp", {"enabled": False, "policies": [{"id": "x"}]}, ["dlp", "policies", 0, "enabled"]),
        ("stripe", {"authorization": "x"}, ["stripe", "usage_events"]),
    ],
)
def test_bad_nested_values(plane: ControlPlane, field: str, value: Any, path: list[Any]) -> None:
    found = errors(plane.call("POST", "/gateways", {"id": "main", **REQUIRED, field: value}))
    assert found[0]["path"] == ["body", *path]


ASKS_FOR_MORE: dict[str, Any] = {
    "logpush": True,
    "zdr": True,
    "store_id": "store",
    "log_classification": True,
    "workers_ai_billing_mode": "unified",
    "otel": [{"url": "https://otel.example", "headers": {}}],
    "dlp": {"enabled": True, "action": "FLAG", "profiles": []},
    "guardrails": {"prompt": {"P1": "FLAG"}, "response": {}},
    "stripe": {"authorization": "x", "usage_events": []},
}
ASKS_FOR_NOTHING: dict[str, Any] = {
    "otel": [],
    "store_id": "",
    "dlp": {"enabled": False, "action": "FLAG", "profiles": []},
    "guardrails": {"prompt": {}, "response": {}},
    "spend_limits": {"enabled": False, "rules": []},
}


def test_every_setting_that_is_not_acted_on_has_a_test() -> None:
    assert set(ASKS_FOR_MORE) == set(UNENFORCED)
    assert set(UNENFORCED) <= set(GatewaySettings.model_fields)


@pytest.mark.parametrize("field", UNENFORCED)
def test_a_setting_that_is_not_acted_on_is_not_accepted(plane: ControlPlane, field: str) -> None:
    plane.make_gateway("there")
    wanted = {**REQUIRED, field: ASKS_FOR_MORE[field]}
    for answer in (
        plane.call("POST", "/gateways", {"id": "main", **wanted}),
        plane.call("PUT", "/gateways/there", wanted),
    ):
        code, path, message = error(answer)
        assert (code, path) == (7001, ["body", field])
        assert "not available in this version" in message
    assert [item["id"] for item in plane.get("/gateways")["result"]] == ["there"]


@pytest.mark.parametrize("field", ASKS_FOR_NOTHING)
def test_a_setting_that_asks_for_nothing_is_accepted_and_kept(plane: ControlPlane, field: str) -> None:
    made = plane.make("/gateways", {"id": "main", **REQUIRED, field: ASKS_FOR_NOTHING[field]})
    assert made[field] == ASKS_FOR_NOTHING[field]


def test_put_replaces_and_returns_what_was_left_out_to_its_default(plane: ControlPlane) -> None:
    plane.make_gateway("main", **SOME)
    plane.clock.now = NOW + 1500
    answer = plane.call("PUT", "/gateways/main", REQUIRED)
    replaced = answer.json()["result"]
    dates = {"created_at": "2026-11-18T11:06:40.000Z", "modified_at": "2026-11-18T11:06:41.500Z"}
    assert replaced == {"id": "main", **REQUIRED, **DEFAULTS, **dates}
    assert plane.get("/gateways/main")["result"] == replaced


def test_put_changes_no_id_and_needs_what_create_needs(plane: ControlPlane) -> None:
    plane.make_gateway("main")
    assert error(plane.call("PUT", "/gateways/main", {"id": "main", **REQUIRED}))[1] == ["body", "id"]
    assert len(errors(plane.call("PUT", "/gateways/main", {}))) == len(REQUIRED)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("gateway_id", ["absent", "ABSENT", "a%00b", "%F0%9F%A6%84", "x" * 3000])
def test_unknown_gateway(plane: ControlPlane, method: str, gateway_id: str) -> None:
    answer = plane.call(method, f"/gateways/{gateway_id}", REQUIRED if method == "PUT" else None)
    code, _, message = error(answer, 404)
    assert code == 7002
    assert message.startswith("Not Found")


def test_delete_answers_with_what_was(plane: ControlPlane) -> None:
    plane.make_gateway("main")
    before = plane.get("/gateways/main")["result"]
    assert plane.call("DELETE", "/gateways/main").json()["result"] == before
    assert error(plane.call("DELETE", "/gateways/main"), 404)[0] == 7002


def test_pages_and_search(plane: ControlPlane) -> None:
    for index in range(25):
        plane.clock.now += 1
        plane.make_gateway(f"gateway-{index:02}")
    first, second = plane.get("/gateways"), plane.get("/gateways", page=2)
    assert [item["id"] for item in first["result"] + second["result"]] == [
        f"gateway-{index:02}" for index in reversed(range(25))
    ]
    assert first["result_info"] == {"count": 20, "page": 1, "per_page": 20, "total_count": 25, "total_pages": 2}
    assert plane.get("/gateways", page=3)["result"] == []
    found = plane.get("/gateways", search="WAY-1", per_page=3)
    assert [item["id"] for item in found["result"]] == ["gateway-19", "gateway-18", "gateway-17"]
    assert found["result_info"]["total_count"] == 10
    assert plane.get("/gateways", search="%")["result"] == []
    assert len(plane.get("/gateways", search="", per_page=100)["result"]) == 25
