"""Cost rules: every field, what is refused, and that they go with what they are about."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from support.control_plane import ControlPlane, error

PATH = "/custom-providers/costs"
PRICES = {"input_tokens": 0.000001, "output_tokens": "0.0000025"}


@pytest.fixture
def provider(plane: ControlPlane) -> str:
    return plane.make("/custom-providers", {"name": "p", "slug": "p", "base_url": "https://a.example"})["id"]


def test_create_shows_every_field(plane: ControlPlane, provider: str) -> None:
    made = plane.make(PATH, {"account_provider_id": provider, "model": "m", "token_pricing": PRICES})
    assert made == {
        "id": made["id"],
        "account_provider_id": provider,
        "provider": None,
        "gateway_id": None,
        "model": "m",
        "model_rule": "equals",
        "cost_type": "tokens",
        "cost_in": 0.000001,
        "cost_out": 0.0000025,
        "token_pricing": '{"input_tokens": 0.000001, "output_tokens": 0.0000025}',
        "enable": True,
        "weight": 0,
        "changed_by": "manual",
        "valid_from": None,
        "valid_until": None,
        "created_at": "2026-11-18T11:06:40.000Z",
        "modified_at": "2026-11-18T11:06:40.000Z",
    }
    assert plane.get(f"{PATH}/{made['id']}")["result"] == made
    assert plane.get(PATH)["result"] == [made]
    assert json.loads(made["token_pricing"], parse_float=Decimal)["output_tokens"] == Decimal("0.0000025")


def test_an_override_of_a_public_price(plane: ControlPlane) -> None:
    plane.make_gateway()
    body = {
        "provider": "openai",
        "model": "gpt-",
        "model_rule": "starts-with",
        "cost_in": 1e-6,
        "cost_out": 2e-6,
        "gateway_id": "main",
        "valid_from": "2026-01-01",
        "valid_until": "2027-01-01T00:00:00Z",
        "weight": 5,
        "changed_by": "me",
    }
    made = plane.make(PATH, body)
    assert (
        made.items()
        >= (body | {"valid_from": "2026-01-01T00:00:00.000Z", "valid_until": "2027-01-01T00:00:00.000Z"}).items()
    )
    ((slug, rule),) = plane.parts.price_rules.known(plane.account_id)
    assert (slug, rule.pricing.input_tokens) == ("openai", Decimal("0.000001"))


def test_change(plane: ControlPlane, provider: str) -> None:
    made = plane.make(PATH, {"account_provider_id": provider, "model": "m", "token_pricing": PRICES})
    plane.clock.now += 1000
    answer = plane.call("PATCH", f"{PATH}/{made['id']}", {"cost_out": 0.5, "enable": False, "model": "other"})
    changed = answer.json()["result"]
    assert changed == made | {
        "cost_out": 0.5,
        "token_pricing": '{"input_tokens": 0.000001, "output_tokens": 0.5}',
        "enable": False,
        "model": "other",
        "modified_at": "2026-11-18T11:06:41.000Z",
    }
    whole = plane.call("PATCH", f"{PATH}/{made['id']}", {"token_pricing": {"total_tokens": 1}}).json()["result"]
    assert (whole["token_pricing"], whole["cost_in"]) == ('{"total_tokens": 1}', None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"token_pricing": PRICES}, ["account_provider_id"]),
        (
            {"account_provider_id": "PROVIDER", "provider": "openai", "token_pricing": PRICES},
            ["account_provider_id"],
        ),
        ({"account_provider_id": "nobody", "token_pricing": PRICES}, ["account_provider_id"]),
        ({"provider": "nobody", "token_pricing": PRICES}, ["provider"]),
        ({"provider": "openai", "gateway_id": "nobody", "token_pricing": PRICES}, ["gateway_id"]),
        ({"provider": "openai"}, ["token_pricing"]),
        ({"provider": "openai", "token_pricing": {}}, ["token_pricing"]),
        ({"provider": "openai", "token_pricing": {"input_tokens": 1}}, ["token_pricing"]),
        ({"provider": "openai", "cost_out": 1}, ["token_pricing"]),
        (
            {"provider": "openai", "token_pricing": {"input_cached_tokens": 1, "output_tokens": 1}},
            ["token_pricing"],
        ),
        ({"provider": "openai", "token_pricing": {**PRICES, "total_tokens": 1}}, ["token_pricing"]),
        ({"provider": "openai", "cost_in": 1, "token_pricing": PRICES}, []),
        ({"provider": "openai", "token_pricing": {**PRICES, "unknown": 1}}, ["token_pricing", "unknown"]),
        (
            {"provider": "openai", "token_pricing": {**PRICES, "output_tokens": -1}},
            ["token_pricing", "output_tokens"],
        ),
        (
            {"provider": "openai", "token_pricing": {**PRICES, "output_tokens": "nan"}},
            ["token_pricing", "output_tokens"],
        ),
        (
            {"provider": "openai", "token_pricing": {**PRICES, "output_tokens": True}},
            ["token_pricing", "output_tokens"],
        ),
        (
            {"provider": "openai", "token_pricing": {**PRICES, "output_tokens": 1e9}},
            ["token_pricing", "output_tokens"],
        ),
        (
            {"provider": "openai", "token_pricing": {**PRICES, "output_tokens": "1e-99"}},
            ["token_pricing", "output_tokens"],
        ),
        ({"provider": "openai", "token_pricing": PRICES, "model_rule": "regex"}, ["model_rule"]),
        ({"provider": "openai", "token_pricing": PRICES, "model": ""}, ["model"]),
        ({"provider": "openai", "token_pricing": PRICES, "cost_type": "requests"}, ["cost_type"]),
        ({"provider": "openai", "token_pricing": PRICES, "valid_from": "soon"}, ["valid_from"]),
        (
            {
                "provider": "openai",
                "token_pricing": PRICES,
                "valid_from": "2026-02-01",
                "valid_until": "2026-01-01",
            },
            ["valid_until"],
        ),
    ],
)
def test_bad_rules(plane: ControlPlane, provider: str, body: dict[str, Any], path: list[str]) -> None:
    body = {"model": "m"} | body
    if body.get("account_provider_id") == "PROVIDER":
        body["account_provider_id"] = provider
    code, where, message = error(plane.call("POST", PATH, body))
    assert (code, where) == (7001, ["body", *path])
    assert message
    assert plane.get(PATH)["result"] == []


def test_rules_go_with_what_they_are_about(plane: ControlPlane, provider: str) -> None:
    plane.make_gateway()
    plane.make(PATH, {"account_provider_id": provider, "model": "m", "token_pricing": PRICES})
    plane.make(PATH, {"provider": "openai", "gateway_id": "main", "model": "m", "token_pricing": PRICES})
    kept = plane.make(PATH, {"provider": "openai", "model": "m", "token_pricing": PRICES})
    assert plane.call("DELETE", f"/custom-providers/{provider}").status_code == 200
    assert plane.call("DELETE", "/gateways/main").status_code == 200
    assert plane.get(PATH)["result"] == [kept]
    assert plane.call("DELETE", f"{PATH}/{kept['id']}").json()["result"] == kept
    assert plane.get(PATH)["result"] == []
    assert plane.parts.price_rules.known(plane.account_id) == ()


def test_a_renamed_provider_keeps_its_rules(plane: ControlPlane, provider: str) -> None:
    plane.make(PATH, {"account_provider_id": provider, "model": "m", "token_pricing": PRICES})
    plane.call("PATCH", f"/custom-providers/{provider}", {"slug": "renamed"})
    assert [slug for slug, _ in plane.parts.price_rules.known(plane.account_id)] == ["custom-renamed"]


def test_pages_and_strangers(plane: ControlPlane, provider: str) -> None:
    made = [
        plane.make(PATH, {"provider": "openai", "model": f"m{number}", "token_pricing": PRICES})
        for number in range(3)
    ]
    assert [one["model"] for one in plane.get(PATH, per_page=2)["result"]] == ["m2", "m1"]
    assert plane.get(PATH, per_page=2, page=3)["result"] == []
    path = f"{PATH}/{made[0]['id']}"
    for method, body in (("GET", None), ("PATCH", {"weight": 1}), ("DELETE", None)):
        assert plane.call(method, f"{PATH}/nobody", body).status_code == 404
        assert plane.call(method, path, body, token="runner").status_code == 403
    assert plane.call("DELETE", path, token="reader").status_code == 403
