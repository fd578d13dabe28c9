"""Prices of an account's own through a real server: what the logs say, and by whose price."""

from __future__ import annotations

import json
from decimal import Decimal
from importlib.metadata import version
from itertools import count
from typing import Any

from support.server import Server
from support.spending import a_rule
from support.upstream import Upstream

_numbers = count(1)
RATES = {"input_tokens": "0.001", "output_tokens": "0.01", "input_cached_tokens": "0.0001"}
COST = Decimal("0.1164")
"""16 x 0.001 + 4 x 0.0001 + 10 x 0.01."""


def a_custom_provider(server: Server, upstream: Upstream) -> dict[str, Any]:
    slug = f"own-{next(_numbers)}"
    body = {"name": slug, "slug": slug, "base_url": upstream.url.replace("127.0.0.1", "localhost"), "enable": True}
    return server.manage("POST", "/custom-providers", body)


def chat(server: Server, gateway: str, slug: str, model: str, **more: Any) -> dict[str, Any]:
    url = f"{server.gateway_url(gateway)}/{slug}/v1/chat/completions"
    answer = server.call("POST", url, {"model": model, "messages": [], **more}, {"authorization": "Bearer sk-own"})
    assert answer.status == 200, answer.body
    return server.manage("GET", f"/gateways/{gateway}/logs/{answer.headers['cf-aig-log-id']}")


def test_a_custom_providers_rule_prices_its_models(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    provider = a_custom_provider(server, shared_upstream)
    slug = f"custom-{provider['slug']}"
    before = chat(server, gateway, slug, "ok-1")
    assert (before["cost"], before["priced_by"]) == (None, None)
    assert "cost rule" in before["cost_reason"]
    rule = {
        "account_provider_id": provider["id"],
        "model": "ok",
        "model_rule": "starts-with",
        "token_pricing": RATES,
    }
    made = server.manage("POST", "/custom-providers/costs", rule)
    for more in ({}, {"stream": True, "stream_options": {"include_usage": True}}):
        log = chat(server, gateway, slug, "ok-1", **more)
        assert (log["cost_exact"], log["priced_by"]) == (str(COST), f"rule {made['id']}")
    server.manage("PATCH", f"/custom-providers/costs/{made['id']}", {"enable": False})
    assert chat(server, gateway, slug, "ok-1")["cost"] is None


def test_public_prices_can_be_overridden_for_a_gateway(server: Server, gateway: str) -> None:
    public = chat(server, gateway, "openai", "gpt-4o-mini")
    edition = f"genai-prices {version('genai-prices')}"
    assert (public["cost_exact"], public["priced_by"]) == ("0.0000087", edition)
    rule = {"provider": "openai", "model": "gpt-4o-mini", "token_pricing": RATES, "gateway_id": gateway}
    made = server.manage("POST", "/custom-providers/costs", rule)
    assert chat(server, gateway, "openai", "gpt-4o-mini")["cost_exact"] == str(COST)
    other = server.make_gateway(f"costs-{next(_numbers)}")
    assert chat(server, other, "openai", "gpt-4o-mini")["priced_by"] == edition
    server.manage("DELETE", f"/custom-providers/costs/{made['id']}")
    assert chat(server, gateway, "openai", "gpt-4o-mini")["priced_by"] == edition


def test_spend_limits_count_by_the_own_price(server: Server, shared_upstream: Upstream) -> None:
    provider = a_custom_provider(server, shared_upstream)
    limits = {"enabled": True, "rules": [a_rule(0.5)]}
    gateway = server.make_gateway(f"costs-{next(_numbers)}", spend_limits=limits)
    url = f"{server.gateway_url(gateway)}/custom-{provider['slug']}/v1/chat/completions"
    body = {"model": "ok-1", "messages": [], "max_tokens": 10}
    sent = {"authorization": "Bearer sk-own"}
    refused = server.call("POST", url, body, sent)
    assert (refused.status, "cost rule" in refused.json["message"]) == (400, True)
    rule = {"account_provider_id": provider["id"], "model": "ok-1", "token_pricing": RATES}
    server.manage("POST", "/custom-providers/costs", rule)
    statuses = [server.call("POST", url, body, sent).status for _ in range(6)]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    logs = server.logs(gateway)
    spent = sum(Decimal(log["cost_exact"]) for log in logs if log["cost_exact"])
    assert spent == statuses.count(200) * COST <= Decimal("0.5")


def test_custom_cost_of_the_client_comes_first(server: Server, gateway: str) -> None:
    answer = server.chat(gateway, "gpt-4o-mini", headers={"cf-aig-custom-cost": json.dumps({"total_cost": 2})})
    log = server.manage("GET", f"/gateways/{gateway}/logs/{answer.headers['cf-aig-log-id']}")
    assert (log["cost_exact"], log["custom_cost"], log["priced_by"]) == ("2", True, "cf-aig-custom-cost")
