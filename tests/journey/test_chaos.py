"""Requests that fail in every way at once: logs, analytics and the spend limits' ledger agree to the last decimal.

A few hundred by default; `pytest tests/journey/test_chaos.py --chaos-requests 10000` for the whole proof.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from support.chaos_upstream import ChaosUpstream
from support.server import Server, running_server
from support.spending import a_rule

SEED = 20261126
AT_ONCE = 32
UNTOLD = re.compile(r"the spend limits count ([0-9.]+) dollars")
"""What a log says whose cost is not known, but counts against the budget."""

Headers = dict[str, str]


class Asked(NamedTuple):
    """One request of the storm: what it is called, and what its provider does."""

    name: str
    path: str
    body: Any
    headers: Headers
    leaves: bool = False  # within the answer


class Seen(NamedTuple):
    """What came of it."""

    log_id: str
    status: int
    is_whole: bool


ONE_ATTEMPT = [
    *("ok", "ok", "ok", "400", "401", "408", "429;retry-after=1", "500", "503"),
    *("close", "reset", "garbage", "big-head", "too-short", "too-long", "hang", "charged"),
]
STREAMS = ["ok", "ok", "cut", "cut-after-head", "reset-mid", "half-closed", "garbage-mid", "hang-mid", "503"]
RETRIED = [
    ["503", "ok"],
    ["close", "429;retry-after=0", "ok"],
    ["500", "500", "500"],
    ["hang", "ok"],
    ["garbage", "ok"],
    ["charged", "ok"],
    ["hang", "charged", "reset"],
    ["cut-after-head", "ok"],
]


def storm(number: int) -> list[Asked]:
    """That many requests, the same ones each time."""
    chance = random.Random(SEED)
    kinds = [one_attempt, one_attempt, a_stream, a_stream, retried, universal, compatible, cached, refused, leaving]
    return [chance.choice(kinds)(f"chaos-{index:05d}", chance) for index in range(number)]


def query(name: str, plan: list[str], *, stream: bool = False) -> dict[str, Any]:
    chat: dict[str, Any] = {"model": "gpt-4o-mini", "max_tokens": 50, "name": name, "chaos": plan}
    chat["messages"] = [{"role": "user", "content": f"Say hello to {name}."}]
    return chat | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})


def headers_of(name: str, chance: random.Random, **more: str) -> Headers:
    own = {"cf-aig-custom-cost": '{"per_token_in": "0.0000001", "per_token_out": "0.00000033"}'}
    wishes = {wish.replace("_", "-"): value for wish, value in more.items()}
    return {"cf-aig-event-id": name, **wishes, **(own if chance.random() < 0.3 else {})}


def one_attempt(name: str, chance: random.Random) -> Asked:
    plan = chance.choice(ONE_ATTEMPT)
    wishes = {"cf_aig_request_timeout": "150"} if plan == "hang" else {}
    return Asked(name, "openai/v1/chat/completions", query(name, [plan]), headers_of(name, chance, **wishes))


def a_stream(name: str, chance: random.Random) -> Asked:
    body = query(name, [chance.choice(STREAMS)], stream=True)
    return Asked(name, "openai/v1/chat/completions", body, headers_of(name, chance))


def retried(name: str, chance: random.Random) -> Asked:
    wishes = {"cf_aig_max_attempts": "3", "cf_aig_retry_delay": "1", "cf_aig_request_timeout": "300"}
    body = query(name, chance.choice(RETRIED))
    return Asked(name, "openai/v1/chat/completions", body, headers_of(name, chance, **wishes))


def universal(name: str, chance: random.Random) -> Asked:
    plans = chance.sample(["ok", "503", "close", "400", "too-short", "charged"], 2)
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "query": query(f"{name}-{step}", [plan])}
        for step, plan in enumerate(plans)
    ]
    return Asked(name, "", steps, headers_of(name, chance))


def compatible(name: str, chance: random.Random) -> Asked:
    body = query(name, [chance.choice(["ok", "ok", "cut", "500"])], stream=True) | {"model": "openai/gpt-4o-mini"}
    return Asked(name, "compat/chat/completions", body, headers_of(name, chance))


def cached(name: str, chance: random.Random) -> Asked:
    body = query(f"shared-{chance.randrange(5)}", ["ok"])
    return Asked(name, "openai/v1/chat/completions", body, headers_of(name, chance, cf_aig_cache_ttl="300"))


def refused(name: str, chance: random.Random) -> Asked:
    path, wish = chance.choice([("openai/v1/chat/completions", "0"), ("nobody/x", "3"), ("openai/a/../b", "3")])
    return Asked(name, path, query(name, ["ok"]), headers_of(name, chance, cf_aig_max_attempts=wish))


def leaving(name: str, chance: random.Random) -> Asked:
    body = query(name, [chance.choice(["hang-mid", "drip"])], stream=True)
    return Asked(name, "openai/v1/chat/completions", body, headers_of(name, chance), leaves=True)


def send(server: Server, gateway: str, asked: Asked) -> Seen:
    url = urlsplit(f"{server.gateway_url(gateway)}/{asked.path}")
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    sent = {"content-type": "application/json", "authorization": "Bearer sk-of-the-storm", **asked.headers}
    try:
        connection.request("POST", url.path, json.dumps(asked.body), sent)
        answer = connection.getresponse()
        log_id = answer.headers["cf-aig-log-id"]
        if asked.leaves:
            answer.read(30)
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)
            return Seen(log_id, answer.status, is_whole=False)
        try:
            answer.read()
        except (http.client.IncompleteRead, ConnectionError):
            return Seen(log_id, answer.status, is_whole=False)
        return Seen(log_id, answer.status, is_whole=True)
    finally:
        connection.close()


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory, chaos: ChaosUpstream) -> Any:
    with running_server(
        tmp_path_factory.mktemp("storm"),
        chaos.url,
        workers=2,
        GAUGEWAY_FIRST_BYTE_TIMEOUT="1.5",
        GAUGEWAY_IDLE_TIMEOUT="1",
    ) as server:
        yield server


def all_logs(server: Server, gateway: str, number: int) -> list[dict[str, Any]]:
    """Every log, once there are as many as requests; those of clients that left come a little later."""
    deadline = time.monotonic() + 60
    while True:
        found: list[dict[str, Any]] = []
        page = 1
        while part := server.logs(gateway, f"&page={page}"):
            found += part
            page += 1
        if len(found) >= number:
            return found
        assert time.monotonic() < deadline, f"only {len(found)} of {number} logs came"
        time.sleep(0.2)


def ledger(server: Server, gateway: str) -> Decimal:
    """What the one budget says is spent, once nothing is reserved any more."""
    deadline = time.monotonic() + 60
    while True:
        [budget] = server.manage("GET", f"/gateways/{gateway}/spend_limits")
        if budget["reserved"] == "0":
            return Decimal(budget["spent"])
        assert time.monotonic() < deadline, budget
        time.sleep(0.1)


def total(logs: list[dict[str, Any]], field: str) -> Decimal:
    return sum((Decimal(log[field]) for log in logs if log[field] is not None), Decimal(0))


@pytest.mark.timeout(1200)
def test_whatever_happens_all_books_agree(
    stormy: Server, chaos: ChaosUpstream, request: pytest.FixtureRequest
) -> None:
    number = request.config.getoption("--chaos-requests")
    limits = {"enabled": True, "rules": [a_rule(limit=1_000_000)]}
    gateway = stormy.make_gateway("storm", spend_limits=limits)
    requests = storm(number)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = list(pool.map(lambda one: send(stormy, gateway, one), requests))

    logs = all_logs(stormy, gateway, number)
    by_id = {log["id"]: log for log in logs}
    assert len(logs) == number
    assert set(by_id) == {came.log_id for came in seen}, "each request has exactly one log"
    for asked, came in zip(requests, seen, strict=True):
        log = by_id[came.log_id]
        if asked.leaves:
            assert log["outcome"] in ("client_gone", "timeout", "success"), log
        else:
            assert came.status == log["status_code"], log
            assert log["success"] is (came.is_whole and came.status == 200), log
        assert (log["cost_exact"] is None) is (log["cost_reason"] is not None), log

    spent = total(logs, "cost_exact")
    assert spent > 0
    analytics = stormy.manage("GET", f"/gateways/{gateway}/analytics")["totals"]
    assert analytics["requests"] == number
    assert Decimal(analytics["cost"]) == spent
    assert analytics["cost_unknown"] == sum(log["cost_exact"] is None for log in logs)
    assert {name: count for name, count in analytics["outcomes"].items() if count} == Counter(
        log["outcome"] for log in logs
    )
    for field in ("tokens_in", "tokens_out"):
        assert analytics[field] == total(logs, field)
        assert analytics[field + "_unknown"] == sum(log[field] is None for log in logs)
    untold = [UNTOLD.search(log["cost_reason"] or "") for log in logs]
    reserved = sum((Decimal(found.group(1)) for found in untold if found), Decimal(0))
    counted = [attempt["counted"] for log in logs for attempt in log["attempts"]]
    perhaps = sum((Decimal(amount) for amount in counted if amount is not None), Decimal(0))
    beside = [attempt["cost_exact"] for log in logs if log["cost"] is None for attempt in log["attempts"]]
    reported = sum((Decimal(amount) for amount in beside if amount is not None), Decimal(0))
    assert ledger(stormy, gateway) == spent + reserved + perhaps + reported
    assert perhaps > 0
    assert all(attempt["may_be_billed"] for log in logs for attempt in log["attempts"] if attempt["counted"])

    outcomes = Counter(log["outcome"] for log in logs)
    assert set(outcomes) >= {
        "success",
        "cached",
        "refused",
        "upstream_error",
        "timeout",
        "stream_cut",
        "client_gone",
    }
    tried = [attempt for log in logs for attempt in log["attempts"]]
    answered = sum(attempt["status_code"] is not None for attempt in tried)
    assert answered <= sum(chaos.attempts.values()), "no attempt was answered that the provider did not see"
