"""Spend limits through real servers: never more than the budget, and the same decimal as in the logs."""

from __future__ import annotations

import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import IncompleteRead
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.routes import END, model, start
from support.server import GATEWAY_REQUIRED, Answer, Server, running_server
from support.spending import a_rule
from support.upstream import Upstream, running_upstream

_numbers = count(1)
DEAR = {"cf-aig-custom-cost": '{"per_token_in": "0.0001", "per_token_out": "0.01"}'}
COST = Decimal("0.102")
"""Of an answer of the test upstream by those rates: 20 tokens in, 10 out."""
MINI = Decimal("0.0000087")
"""The same by gpt-4o-mini's price: 16 x 0.15 + 4 x 0.075 + 10 x 0.60 dollars a million."""


@pytest.fixture(scope="module")
def origin() -> Iterator[Upstream]:
    with running_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, origin: Upstream) -> Iterator[Server]:
    """Three processes."""
    with running_server(tmp_path_factory.mktemp("three"), origin.url, workers=3) as running:
        yield running


def limits(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"spend_limits": {"enabled": True, "rules": list(rules)}}


def a_gateway(server: Server, *rules: dict[str, Any], **settings: Any) -> str:
    return server.make_gateway(f"spending-{next(_numbers)}", **limits(*rules), **settings)


def ask(
    server: Server, gateway: str, model: str = "ok", headers: dict[str, str] | None = None, **more: Any
) -> Answer:
    return server.chat(gateway, model, headers=DEAR if headers is None else headers, **{"max_tokens": 10, **more})


def budgets(server: Server, gateway: str) -> list[dict[str, Any]]:
    """How the budgets stand once nothing is reserved any more: a cost is settled just after its answer went out."""
    deadline = time.monotonic() + 20
    while True:
        shown = shown_now(server, gateway)
        if all(one["reserved"] == "0" for one in shown):
            return shown
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


def shown_now(server: Server, gateway: str) -> list[dict[str, Any]]:
    return server.manage("GET", f"/gateways/{gateway}/spend_limits")


def settled(server: Server, gateway: str, requests: int) -> dict[str, Any]:
    """The one budget once that many logs are there."""
    server.wait_for_logs(gateway, requests)
    return budgets(server, gateway)[0]


def logged(server: Server, gateway: str) -> Decimal:
    """What the logs of a gateway say together."""
    total, page = Decimal(0), 1
    while logs := server.logs(gateway, f"&page={page}"):
        total += sum(Decimal(log["cost_exact"]) for log in logs if log["cost_exact"] is not None)
        page += 1
    return total


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_a_thousand_requests_at_three_processes_never_spend_more_than_a_dollar(
    three: Server, origin: Upstream, technique: str
) -> None:
    gateway = a_gateway(three, a_rule(1, technique=technique))
    before = len(origin.seen)
    with ThreadPoolExecutor(40) as pool:
        statuses = Counter(pool.map(lambda _: ask(three, gateway).status, range(1000)))
    assert set(statuses) == {200, 429}
    spent = len(origin.seen) - before
    assert spent == statuses[200] > 0
    assert spent * COST <= 1
    state = settled(three, gateway, 50)
    assert Decimal(state["spent"]) == spent * COST == logged(three, gateway)
    assert Decimal(state["remaining"]) == 1 - spent * COST


def test_over_the_limit_is_told_as_cloudflare_does(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.2, id="team-a"))
    assert ask(three, gateway).status == 200
    assert budgets(three, gateway)[0]["spent"] == "0.102"
    refused = ask(three, gateway, "ok-2")
    assert refused.status == 429
    message = "Spend limit exceeded: rule 'team-a' (cost limit 0.2 per 1000000000s, fixed) for openai ok-2"
    assert refused.json["error"] == [{"code": 2045, "message": message}]
    assert (refused.json["internalCode"], refused.json["message"]) == (2045, message)
    assert "$0.102 of the limit are spent" in refused.json["description"]
    assert 1 <= int(refused.headers["retry-after"]) <= 1_000_000_000
    log = three.logs(gateway)[0]
    assert log["id"] == refused.headers["cf-aig-log-id"]
    assert (log["outcome"], log["success"], log["status_code"]) == ("spend_limited", False, 429)
    assert (log["provider"], log["model"], log["cost"], log["attempts"]) == ("openai", "ok-2", 0, [])
    assert message in log["error"]
    path = f"/client/v4/accounts/{three.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/request"
    assert three.call("GET", path).status == 404


def test_public_prices_count_and_the_log_says_the_same(three: Server) -> None:
    gateway = a_gateway(three, a_rule(1))
    assert ask(three, gateway, "gpt-4o-mini", {}).status == 200
    assert ask(three, gateway, "gpt-4o-mini", {}, stream=True, stream_options={"include_usage": True}).status == 200
    assert Decimal(settled(three, gateway, 2)["spent"]) == 2 * MINI == logged(three, gateway)


def test_a_request_whose_most_does_not_fit_is_refused_before_it_is_sent(three: Server, origin: Upstream) -> None:
    gateway = a_gateway(three, a_rule(0.001))
    before = len(origin.seen)
    refused = three.chat(gateway, "gpt-4o-mini", max_tokens=10_000)
    assert (refused.status, "retry-after" in refused.headers) == (429, False)
    assert "may cost up to $0.01" in refused.json["description"]
    assert len(origin.seen) == before
    assert ask(three, gateway, "gpt-4o-mini", {}).status == 200


@pytest.mark.parametrize(
    ("model", "headers", "words"),
    [
        ("no-such-model", {}, ["no-such-model", "cf-aig-custom-cost"]),
        ("ok", {"cf-aig-custom-cost": '{"per_token_out": 1}'}, ["max_tokens"]),
    ],
)
def test_what_has_no_price_does_not_pass_uncounted(
    three: Server, origin: Upstream, model: str, headers: dict[str, str], words: list[str]
) -> None:
    gateway = a_gateway(three, a_rule(1, id="r-1"))
    before = len(origin.seen)
    refused = three.chat(gateway, model, headers=headers)
    assert refused.status == 400
    assert all(word in refused.json["message"] for word in [*words, "r-1"])
    assert len(origin.seen) == before
    assert three.logs(gateway)[0]["outcome"] == "spend_limited"


def test_rules_that_do_not_count_a_request_let_it_pass(three: Server) -> None:
    gateway = a_gateway(
        three,
        a_rule(0.11, id="a", provider={"mode": "filter", "values": ["groq"]}),
        a_rule(0.11, id="b", model={"mode": "filter", "values": ["another"]}),
        a_rule(0.11, id="c", metadata={"plan": {"mode": "filter", "values": ["free"]}}),
        a_rule(0.11, id="d", enabled=False),
        a_rule(0.3, id="e", metadata={"user": {"mode": "partition"}}),
    )
    assert [ask(three, gateway).status for _ in range(3)] == [200] * 3
    assert three.chat(gateway, "unpriced").status == 200
    user = {**DEAR, "cf-aig-metadata": '{"user": "u1"}'}
    assert [ask(three, gateway, headers=user).status for _ in range(3)] == [200, 200, 429]
    assert ask(three, gateway, headers={**DEAR, "cf-aig-metadata": '{"user": "u2"}'}).status == 200
    free = {**DEAR, "cf-aig-metadata": '{"plan": "free"}'}
    assert ask(three, gateway, headers=free).status == 429
    shown = {(one["rule_id"], one["partition"].get("user")): one["spent"] for one in budgets(three, gateway)}
    assert shown == {
        ("a", None): "0",
        ("b", None): "0",
        ("c", None): "0",
        ("e", "u1"): "0.204",
        ("e", "u2"): "0.102",
    }


def test_all_rules_must_have_room(three: Server) -> None:
    gateway = a_gateway(three, a_rule(1, id="wide"), a_rule(0.25, id="tight"))
    assert [ask(three, gateway).status for _ in range(3)] == [200, 200, 429]
    assert {one["rule_id"]: one["spent"] for one in budgets(three, gateway)} == {"tight": "0.204", "wide": "0.204"}


def test_failures_that_cost_nothing_free_what_they_held(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.3))  # room for two
    rates = {"cf-aig-custom-cost": '{"per_token_in": "0.0001", "per_token_out": "0.01"}'}
    for _ in range(5):
        assert ask(three, gateway, "error-500", rates).status == 500
    assert ask(three, gateway).status == 200
    assert Decimal(settled(three, gateway, 6)["spent"]) == COST == logged(three, gateway)


def test_hits_are_free_and_pass_a_spent_budget(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.13), cache_ttl=600)
    assert [ask(three, gateway, "ok-hit").status for _ in range(4)] == [200] * 4
    assert ask(three, gateway, "ok-miss").status == 429
    assert budgets(three, gateway)[0]["spent"] == "0.102"


def test_what_is_not_logged_counts_all_the_same(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.25), collect_logs=False)
    assert [ask(three, gateway).status for _ in range(3)] == [200, 200, 429]


def test_reading_is_free(three: Server) -> None:
    gateway = a_gateway(three, a_rule(1))
    url = f"{three.gateway_url(gateway)}/openai/v1/models"
    assert three.call("GET", url, headers={"authorization": "Bearer sk-x"}).status == 200
    assert budgets(three, gateway)[0]["spent"] == "0"


def step(model: str, *, rates: dict[str, str] = DEAR) -> dict[str, Any]:
    return {
        "provider": "openai",
        "endpoint": "v1/chat/completions",
        "headers": {"authorization": "Bearer sk-x", **rates},
        "query": {"model": model, "max_tokens": 10},
    }


def universal(server: Server, gateway: str, *steps: dict[str, Any]) -> Answer:
    return server.call("POST", server.gateway_url(gateway), json.dumps(steps).encode(), {})


def test_each_step_is_counted_for_itself_and_one_without_room_is_passed_over(three: Server) -> None:
    only_dear = a_rule(0.13, id="dear", model={"mode": "filter", "values": ["ok-dear"]})
    gateway = a_gateway(three, only_dear, a_rule(1, id="all"))
    answers = [universal(three, gateway, step("ok-dear"), step("ok-plain")) for _ in range(2)]
    assert [answer.headers["cf-aig-step"] for answer in answers] == ["0", "1"]
    log = three.logs(gateway)[0]
    assert [(one["step"], one["status_code"]) for one in log["attempts"]] == [(0, None), (1, 200)]
    assert "Spend limit exceeded: rule 'dear'" in log["attempts"][0]["error"]
    assert universal(three, gateway, step("error-500"), step("ok-plain")).status == 200
    refused = universal(three, gateway, step("ok-dear"), step("ok-dear"))
    assert (refused.status, refused.json["internalCode"]) == (429, 2045)
    shown = {one["rule_id"]: one["spent"] for one in budgets(three, gateway)}
    assert shown == {"all": "0.306", "dear": "0.102"}
    assert logged(three, gateway) == Decimal("0.306")


def test_a_dynamic_route_goes_on_to_its_fallback_where_a_budget_is_spent(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.13, id="dear", model={"mode": "filter", "values": ["ok-dear"]}))
    first = model("a", "b", name="ok-dear")
    elements = [start("a"), first, model("b", name="ok-plain"), END]
    three.manage("POST", f"/gateways/{gateway}/routes", {"name": "r", "elements": elements})
    body = {"model": "dynamic/r", "messages": [], "max_tokens": 10}
    url, sent = f"{three.gateway_url(gateway)}/compat/chat/completions", {"authorization": "Bearer sk-x", **DEAR}
    answers = [three.call("POST", url, body, sent) for _ in range(2)]
    assert [answer.headers["cf-aig-model"] for answer in answers] == ["ok-dear", "ok-plain"]
    assert budgets(three, gateway)[0]["spent"] == "0.102"


def test_retries_hold_one_reservation(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.3))  # room for two
    retried = {**DEAR, "cf-aig-max-attempts": "3", "cf-aig-retry-delay": "1"}
    assert ask(three, gateway, "error-500", retried).status == 500
    assert ask(three, gateway, headers=retried).status == 200
    assert settled(three, gateway, 2)["spent"] == "0.102"


def test_the_openai_compatible_endpoint_counts_too(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.25))
    body = {"model": "openai/ok", "messages": [], "max_tokens": 10}
    url = f"{three.gateway_url(gateway)}/compat/chat/completions"
    sent = {"authorization": "Bearer sk-x", **DEAR}
    assert [three.call("POST", url, body, sent).status for _ in range(3)] == [200, 200, 429]


def test_changes_apply_at_once_and_counts_survive_them(three: Server) -> None:
    gateway = a_gateway(three, a_rule(0.13))
    assert [ask(three, gateway).status for _ in range(2)] == [200, 429]

    def put(*rules: dict[str, Any], **more: Any) -> None:
        three.manage("PUT", f"/gateways/{gateway}", {**GATEWAY_REQUIRED, **limits(*rules), **more})

    put(a_rule(0.25))
    assert [ask(three, gateway).status for _ in range(2)] == [200, 429]
    put(a_rule(0.25, id="another"))
    assert ask(three, gateway).status == 200
    put(a_rule(0.25, window=900_000_000))
    assert ask(three, gateway).status == 429
    put(spend_limits=None)
    assert [ask(three, gateway).status for _ in range(3)] == [200] * 3
    three.manage("DELETE", f"/gateways/{gateway}")
    three.make_gateway(gateway, **limits(a_rule(0.13)))
    assert [ask(three, gateway).status for _ in range(2)] == [200, 429]


def stream_and_leave(server: Server, gateway: str, model: str, headers: dict[str, str]) -> None:
    """Ask for a stream, read some of it, and hang up."""
    body = json.dumps(
        {"model": model, "stream": True, "max_tokens": 200, "messages": [{"role": "user", "content": "Hi"}]}
    )
    lines = [
        f"POST /v1/{server.account_id}/{gateway}/openai/v1/chat/completions HTTP/1.1",
        "host: gateway",
        "authorization: Bearer sk-x",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection(("127.0.0.1", server.port), 20) as client:
        client.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        received = b""
        while received.count(b"data: ") < 3:
            piece = client.recv(65536)
            assert piece, received
            received += piece


def test_a_client_that_hangs_up_pays_for_what_came(three: Server) -> None:
    gateway = a_gateway(three, a_rule(10))
    stream_and_leave(three, gateway, "drip", DEAR)
    state = settled(three, gateway, 1)
    log = three.logs(gateway)[0]
    assert (log["outcome"], log["usage_estimated"]) == ("client_gone", True)
    assert log["tokens_in"] > 0
    assert log["tokens_out"] > 0
    assert Decimal(state["spent"]) == Decimal(log["cost_exact"]) > 0


def test_the_estimate_needs_no_spend_limit(three: Server) -> None:
    gateway = three.make_gateway(f"spending-{next(_numbers)}")
    stream_and_leave(three, gateway, "drip", DEAR)
    log = three.wait_for_logs(gateway, 1)[0]
    assert (log["outcome"], log["usage_estimated"]) == ("client_gone", True)
    assert log["cost"] > 0


@pytest.mark.parametrize("limited", [True, False])
def test_a_cut_stream_is_billed_for_what_came(three: Server, limited: bool) -> None:
    gateway = three.make_gateway(f"spending-{next(_numbers)}", **(limits(a_rule(10)) if limited else {}))
    with pytest.raises((IncompleteRead, ConnectionError)):
        three.chat(gateway, "cut", headers=DEAR, stream=True, max_tokens=100)
    log = three.wait_for_logs(gateway, 1)[0]
    assert (log["outcome"], log["usage_estimated"], log["success"]) == ("stream_cut", True, False)
    assert log["tokens_out"] > 0
    if limited:
        assert settled(three, gateway, 1)["spent"] == log["cost_exact"]


def test_a_stream_that_reports_no_usage_is_estimated_where_a_budget_needs_a_figure(three: Server) -> None:
    gateway = a_gateway(three, a_rule(1))
    assert ask(three, gateway, "gpt-4o-mini", {}, stream=True, max_tokens=100).status == 200
    state = settled(three, gateway, 1)
    log = three.logs(gateway)[0]
    assert (log["outcome"], log["usage_estimated"]) == ("success", True)
    assert Decimal(state["spent"]) == Decimal(log["cost_exact"]) > 0
    plain = three.make_gateway(f"spending-{next(_numbers)}")
    assert ask(three, plain, "gpt-4o-mini", {}, stream=True).status == 200
    log = three.logs(plain)[0]
    assert (log["usage_estimated"], log["cost"]) == (False, None)


def test_kill_9_neither_frees_what_may_have_been_spent_nor_holds_it_for_ever(
    tmp_path: Path, origin: Upstream
) -> None:
    with running_server(tmp_path, origin.url, workers=2) as server:
        gateway = server.make_gateway(**limits(a_rule(0.6, window=1_000_000)))
        assert ask(server, gateway).status == 200
        before = len(origin.seen)
        with ThreadPoolExecutor(8) as pool:
            hanging = [pool.submit(ask, server, gateway, "hang") for _ in range(3)]
            origin.wait_for(before + 3)
            server.kill()
            assert all(one.exception(60) is not None for one in hanging)
        server.start()
        (state,) = shown_now(server, gateway)
        held = Decimal(state["reserved"]) + Decimal(state["unsettled"])
        assert held > 0
        assert Decimal(state["spent"]) == COST
        answers = [ask(server, gateway).status for _ in range(5)]
        assert 429 in answers
        assert COST * (1 + answers.count(200)) + held <= Decimal("0.6")
        resets = state["resets_at"]
        assert resets > "2026"
        path = f"/gateways/{gateway}/spend_limits/rule/unsettled"
        assert server.manage("DELETE", path)["rule_id"] == "rule"
