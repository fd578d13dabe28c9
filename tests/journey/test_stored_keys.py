"""Stored provider keys through real servers: who may spend them, and that nobody ever sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cloudflare import Cloudflare
from openai import AuthenticationError, OpenAI

from support.command_line import command
from support.server import Answer, Server, running_server
from support.upstream import Seen, Upstream, running_upstream

_numbers = count(1)
SECRET = "sk-stored-0123456789abcdefWXYZ"
OTHER = "sk-another-0123456789abcdefABCD"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def origin() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, origin: Upstream) -> Iterator[Server]:
    upstreams = {"openai": origin.url + "/v1", "anthropic": origin.url, "groq": origin.url + "/v1"}
    with running_server(
        tmp_path_factory.mktemp("keys"),
        workers=2,
        GAUGEWAY_UPSTREAMS=json.dumps(upstreams),
        GAUGEWAY_PRIVATE_UPSTREAMS="localhost",
    ) as running:
        yield running


def a_gateway(server: Server, *, store: bool = True, **settings: Any) -> str:
    gateway = server.make_gateway(f"keys-{next(_numbers)}", **settings)
    if store:
        store_key(server, gateway)
    return gateway


def store_key(server: Server, gateway: str, secret: str = SECRET, **fields: Any) -> dict[str, Any]:
    body = {"alias": "default", "default_config": False, "provider_slug": "openai", "secret": secret} | fields
    return server.manage("POST", f"/gateways/{gateway}/provider_configs", body)


def run(server: Server, **more: str) -> dict[str, str]:
    return {"cf-aig-authorization": f"Bearer {server.token}", **JSON, **more}


def ask(server: Server, gateway: str, headers: dict[str, str], model: str = "ok", **more: Any) -> Answer:
    url = f"{server.gateway_url(gateway)}/openai/v1/chat/completions"
    return server.call("POST", url, {"model": model, "messages": [], **more}, headers)


def last(origin: Upstream) -> Seen:
    return origin.seen[-1]


def test_it_is_spent_for_who_brings_a_token_and_no_key(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    assert ask(site, gateway, run(site)).status == 200
    assert last(origin).header["authorization"] == f"Bearer {SECRET}"
    assert site.token not in str(last(origin).headers)
    log = site.logs(gateway)[0]
    assert (log["byok"], log["byok_alias"], log["authentication"]) == (True, "default", True)


def test_the_requests_own_key_comes_first(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    assert ask(site, gateway, run(site, authorization="Bearer sk-my-own-key")).status == 200
    assert last(origin).header["authorization"] == "Bearer sk-my-own-key"
    assert site.logs(gateway)[0]["byok"] is False


def test_the_token_may_stand_where_the_providers_key_travels(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    with OpenAI(base_url=f"{site.gateway_url(gateway)}/openai", api_key=site.token, max_retries=0) as client:
        client.chat.completions.create(model="ok", messages=[{"role": "user", "content": "Hi"}])
    assert last(origin).header["authorization"] == f"Bearer {SECRET}"
    with (
        OpenAI(base_url=f"{site.gateway_url(gateway)}/openai", api_key="no-token-of-ours", max_retries=0) as client,
    ):
        client.chat.completions.create(model="ok", messages=[{"role": "user", "content": "Hi"}])
    assert last(origin).header["authorization"] == "Bearer no-token-of-ours"


@pytest.mark.parametrize("authentication", [False, True])
def test_without_a_token_that_may_run_it_is_not_spent(site: Server, origin: Upstream, authentication: bool) -> None:
    gateway = a_gateway(site, authentication=authentication)
    made = command("token", "create", "reader", "--permission", "read", "--json", "--data", str(site.data))
    reader = json.loads(made.out)["token"]
    before = len(origin.seen)
    for headers in (JSON, {"cf-aig-authorization": f"Bearer {reader}", **JSON}):
        refused = ask(site, gateway, headers)
        assert (refused.status, refused.json["internalCode"]) == (401, 2009)
    with (
        OpenAI(base_url=f"{site.gateway_url(gateway)}/openai", api_key=reader, max_retries=0) as client,
        pytest.raises(AuthenticationError),
    ):
        client.chat.completions.create(model="ok", messages=[{"role": "user", "content": "Hi"}])
    assert len(origin.seen) == before


def test_a_cached_answer_that_a_key_paid_for_is_not_for_who_has_no_token(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site, cache_ttl=600)
    assert ask(site, gateway, run(site), "ok-kept").status == 200
    assert ask(site, gateway, run(site), "ok-kept").headers["cf-aig-cache-status"] == "HIT"
    assert ask(site, gateway, JSON, "ok-kept").status == 401


def test_aliases_and_the_default(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    store_key(site, gateway, OTHER, alias="other", default_config=True)

    def sent(**headers: str) -> str:
        assert ask(site, gateway, run(site, **headers)).status == 200
        return last(origin).header["authorization"].removeprefix("Bearer ")

    assert sent() == OTHER
    assert sent(**{"cf-aig-byok-alias": "default"}) == SECRET
    assert sent(**{"cf-aig-byok-alias": "other"}) == OTHER
    missing = ask(site, gateway, run(site, **{"cf-aig-byok-alias": "nobody"}))
    assert (missing.status, "nobody" in missing.json["message"]) == (400, True)
    bad = ask(site, gateway, run(site, **{"cf-aig-byok-alias": "no spaces"}))
    assert (bad.status, bad.json["internalCode"]) == (400, 7001)


def test_a_key_is_for_its_provider_and_its_gateway(site: Server, origin: Upstream) -> None:
    gateway, empty = a_gateway(site), a_gateway(site, store=False)
    for url in (
        f"{site.gateway_url(gateway)}/groq/chat/completions",
        f"{site.gateway_url(empty)}/openai/v1/chat/completions",
    ):
        assert site.call("POST", url, {"model": "ok"}, run(site)).status == 200
        assert "authorization" not in last(origin).header


def test_replacing_and_deleting_take_effect_at_once(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site, store=False)
    made = store_key(site, gateway)
    path = f"/gateways/{gateway}/provider_configs/{made['id']}"
    assert ask(site, gateway, run(site)).status == 200
    replaced = site.manage("PUT", path, {"secret": OTHER})
    assert (replaced["secret_preview"], replaced["alias"]) == ("****ABCD", "default")
    for _ in range(4):  # both workers
        assert ask(site, gateway, run(site)).status == 200
        assert last(origin).header["authorization"] == f"Bearer {OTHER}"
    site.manage("DELETE", path)
    for _ in range(4):
        assert ask(site, gateway, run(site)).status == 200
        assert "authorization" not in last(origin).header


def test_nothing_but_a_key_will_do(site: Server) -> None:
    gateway = a_gateway(site, store=False, byok_only=True)
    refused = ask(site, gateway, run(site))
    assert (refused.status, refused.json["internalCode"]) == (400, 2021)
    assert ask(site, gateway, run(site, authorization="Bearer sk-my-own-key")).status == 200
    store_key(site, gateway)
    assert ask(site, gateway, run(site)).status == 200
    plain = a_gateway(site, store=False)
    assert ask(site, plain, run(site, **{"cf-aig-no-wholesale": "true"})).status == 400
    assert ask(site, plain, run(site)).status == 200


def test_a_keys_own_rate(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site, store=False, cache_ttl=600)
    store_key(site, gateway, rate_limit=2, rate_limit_period=1_000_000)
    before = len(origin.seen)
    statuses = [ask(site, gateway, run(site), f"ok-{number}").status for number in (1, 1, 2, 3, 4)]
    assert statuses == [200, 200, 200, 429, 429]  # the second is a hit
    assert len(origin.seen) == before + 2
    refused = ask(site, gateway, run(site), "ok-5")
    assert (refused.json["internalCode"], int(refused.headers["retry-after"]) > 0) == (2003, True)
    assert site.logs(gateway)[0]["outcome"] == "rate_limited"
    assert ask(site, gateway, run(site, authorization="Bearer sk-my-own-key"), "ok-6").status == 200


def test_every_form_of_request(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    store_key(site, gateway, "sk-ant-0123456789abcdef", provider_slug="anthropic")
    compat = f"{site.gateway_url(gateway)}/compat/chat/completions"
    body = {"model": "openai/ok", "messages": [{"role": "user", "content": "Hi"}]}
    assert site.call("POST", compat, body, run(site)).status == 200
    assert last(origin).header["authorization"] == f"Bearer {SECRET}"
    site.call("POST", compat, body | {"model": "anthropic/message"}, run(site))
    assert last(origin).header["x-api-key"] == "sk-ant-0123456789abcdef"
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "query": {"model": "error-500"}},
        {"provider": "anthropic", "endpoint": "v1/messages", "query": {"model": "message", "max_tokens": 5}},
    ]
    before = len(origin.seen)
    answer = site.call("POST", site.gateway_url(gateway), json.dumps(steps).encode(), run(site))
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    first, second = origin.seen[before:]
    assert first.header["authorization"] == f"Bearer {SECRET}"
    assert (second.header["x-api-key"], "authorization" in second.header) == ("sk-ant-0123456789abcdef", False)
    rest = f"{site.url}/client/v4/accounts/{site.account_id}/ai/v1/chat/completions"
    sent = {"authorization": f"Bearer {site.token}", "cf-aig-gateway-id": gateway, **JSON}
    assert site.call("POST", rest, body, sent).status == 200
    assert last(origin).header["authorization"] == f"Bearer {SECRET}"


def test_a_custom_providers_key_stays_with_it(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site, store=False)
    slug = f"own-{next(_numbers)}"
    address = origin.url.replace("127.0.0.1", "localhost")
    body = {"name": slug, "slug": slug, "base_url": address, "enable": True}
    provider = site.manage("POST", "/custom-providers", body)
    store_key(site, gateway, provider_slug=f"custom-{slug}")
    url = f"{site.gateway_url(gateway)}/custom-{slug}/v1/chat/completions"
    assert site.call("POST", url, {"model": "ok"}, run(site)).status == 200
    assert last(origin).header["authorization"] == f"Bearer {SECRET}"
    site.manage("DELETE", f"/custom-providers/{provider['id']}")
    site.manage("POST", "/custom-providers", body)
    assert site.call("POST", url, {"model": "ok"}, run(site)).status == 200
    assert "authorization" not in last(origin).header


def test_nobody_ever_sees_it(site: Server, origin: Upstream) -> None:
    gateway = a_gateway(site)
    echoed = ask(site, gateway, run(site), "echo")
    assert SECRET in echoed.body.decode()  # the provider has had it, and says so
    ask(site, gateway, run(site), "error-500")
    for log in site.logs(gateway):
        prefix = f"/client/v4/accounts/{site.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}"
        for path in ("", "/request", "/response"):
            shown = site.call("GET", prefix + path).body
            assert SECRET.encode() not in shown
    assert SECRET not in json.dumps(site.manage("GET", f"/gateways/{gateway}/provider_configs"))
    assert SECRET not in site.output
    site.logs(gateway)
    for file in site.data.rglob("*"):
        if file.is_file() and not file.name.endswith(".lock"):
            assert SECRET.encode() not in file.read_bytes(), file


def test_the_official_client_stores_and_lists(site: Server) -> None:
    gateway = a_gateway(site, store=False)
    where = {"gateway_id": gateway, "account_id": site.account_id}
    with Cloudflare(api_token=site.token, base_url=site.base_url, max_retries=0) as client:
        configs = client.ai_gateway.provider_configs
        made = configs.create(
            alias="team", default_config=True, provider_slug="openai", secret=SECRET, rate_limit=10, **where
        )
        assert (made.alias, made.default_config, made.provider_slug) == ("team", True, "openai")
        assert (made.secret_preview, made.rate_limit, made.rate_limit_period) == ("****WXYZ", 10, 60)
        assert made.modified_at.tzinfo is not None
        configs.create(alias="two", default_config=False, provider_slug="anthropic", secret=OTHER, **where)
        assert [one.alias for one in configs.list(**where, per_page=1)] == ["two", "team"]


def test_the_master_key_is_a_file_of_the_operators_own_and_can_be_rotated(tmp_path: Path, origin: Upstream) -> None:
    with running_server(tmp_path, origin.url) as server:
        gateway = a_gateway(server)
        key = server.data / "master.key"
        assert key.stat().st_mode & 0o777 == 0o600
        before = key.read_bytes()
        assert ask(server, gateway, run(server)).status == 200
        ran = command("key", "rotate", "--data", str(server.data), "--json")
        assert json.loads(ran.out) == {"sealed": 1}
        assert key.read_bytes() != before
        store_key(server, gateway, OTHER, alias="after")
        assert ask(server, gateway, run(server)).status == 200
        assert ask(server, gateway, run(server, **{"cf-aig-byok-alias": "after"})).status == 200
        assert last(origin).header["authorization"] == f"Bearer {OTHER}"
        server.stop()
        server.start()
        assert ask(server, gateway, run(server)).status == 200
        key.unlink()
        server.stop()
        server.start()
        lost = ask(server, gateway, run(server))
        assert (lost.status, SECRET in lost.body.decode()) == (503, False)
        assert "master key" in server.output
