"""Rate limits through real servers: never one more than the limit, whoever asks."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.keeping_upstream import KeepingUpstream
from support.server import GATEWAY_REQUIRED, Answer, Server, running_server
from support.upstream import running_upstream

_numbers = count(1)


@pytest.fixture(scope="module")
def origin() -> Iterator[KeepingUpstream]:
    with running_upstream(KeepingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, origin: KeepingUpstream) -> Iterator[Server]:
    """Three processes."""
    with running_server(tmp_path_factory.mktemp("three"), origin.url, workers=3) as running:
        yield running


def a_gateway(server: Server, limit: int, interval: int, technique: str | None = "fixed", **settings: Any) -> str:
    return server.make_gateway(f"limited-{next(_numbers)}", **a_rate(limit, interval, technique), **settings)


def a_rate(limit: int, interval: int, technique: str | None = "fixed") -> dict[str, Any]:
    names = ("rate_limiting_limit", "rate_limiting_interval", "rate_limiting_technique")
    return dict(zip(names, (limit, interval, technique), strict=True))


def statuses(answers: list[Answer]) -> list[int]:
    return [answer.status for answer in answers]


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_a_thousand_requests_at_three_processes_get_exactly_the_limit(
    three: Server, origin: KeepingUpstream, technique: str
) -> None:
    # A fixed window of some 30 years does not end while the test runs.
    gateway = a_gateway(three, 100, 1_000_000_000, technique, collect_logs=False)
    before = len(origin.seen)
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: three.chat(gateway).status, range(1000)))
    assert Counter(answers) == {200: 100, 429: 900}
    assert len(origin.seen) == before + 100


@pytest.mark.parametrize("technique", ["fixed", "sliding", None])
def test_over_the_limit_is_told_as_cloudflare_does_and_when_to_come_again(
    three: Server, technique: str | None
) -> None:
    gateway = a_gateway(three, 1, 1_000_000, technique)
    assert three.chat(gateway).status == 200
    refused = three.chat(gateway, "gpt-4o-mini")
    assert refused.status == 429
    assert refused.json["error"] == [{"code": 2003, "message": "Rate limited"}]
    assert (refused.json["httpCode"], refused.json["internalCode"]) == (429, 2003)
    assert 1 <= int(refused.headers["retry-after"]) <= 1_010_000
    log = three.logs(gateway)[0]
    assert log["id"] == refused.headers["cf-aig-log-id"]
    assert (log["outcome"], log["success"], log["status_code"]) == ("rate_limited", False, 429)
    assert (log["provider"], log["model"], log["cost"], log["attempts"]) == ("openai", "gpt-4o-mini", 0, [])
    assert "1 requests" in log["error"]
    path = f"/client/v4/accounts/{three.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/request"
    assert three.call("GET", path).status == 404


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_after_the_wait_it_passes_again(three: Server, technique: str) -> None:
    gateway = a_gateway(three, 2, 2, technique)
    refused = None
    for _ in range(20):  # a window's end may lie between two requests
        answer = three.chat(gateway)
        if answer.status == 429:
            refused = answer
            break
    assert refused is not None
    time.sleep(int(refused.headers["retry-after"]))
    assert three.chat(gateway).status == 200


def test_hits_are_not_limited_and_do_not_count(three: Server) -> None:
    gateway = a_gateway(three, 2, 1_000_000, cache_ttl=600)
    answers = [three.chat(gateway, "numbered:limits-a") for _ in range(10)]
    assert statuses(answers) == [200] * 10
    assert three.chat(gateway, "numbered:limits-b").status == 200
    over = three.chat(gateway, "numbered:limits-c")
    assert (over.status, over.headers["cf-aig-cache-status"]) == (429, "MISS")
    assert three.chat(gateway, "numbered:limits-a").status == 200


def test_refused_requests_do_not_count(three: Server) -> None:
    gateway = a_gateway(three, 1, 1_000_000, authentication=True)
    for _ in range(3):
        assert three.chat(gateway).status == 401
    run = {"cf-aig-authorization": f"Bearer {three.token}"}
    assert three.chat(gateway, headers={**run, "cf-aig-cache-ttl": "1"}).status == 400
    assert three.call("POST", f"{three.gateway_url(gateway)}/nobody/v1/x", {}, run).status == 400
    assert [three.chat(gateway, headers=run).status for _ in range(2)] == [200, 429]


def test_a_request_counts_once_however_many_steps_it_takes(three: Server) -> None:
    gateway = a_gateway(three, 2, 1_000_000)
    steps = [
        {
            "provider": "openai",
            "endpoint": "v1/chat/completions",
            "headers": {"authorization": "Bearer sk-x"},
            "query": {"model": model},
        }
        for model in ("error-500", "error-503", "ok")
    ]
    answers = [three.call("POST", three.gateway_url(gateway), json.dumps(steps).encode(), {}) for _ in range(3)]
    assert statuses(answers) == [200, 200, 429]


def test_followers_of_a_limited_request_are_limited_too(three: Server) -> None:
    gateway = a_gateway(three, 1, 1_000_000, cache_ttl=600)
    assert three.chat(gateway).status == 200
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: three.chat(gateway, "numbered:limits-d").status, range(20)))
    assert answers == [429] * 20


def test_changes_apply_at_once(three: Server) -> None:
    gateway = a_gateway(three, 1, 1_000_000)
    assert [three.chat(gateway).status for _ in range(2)] == [200, 429]

    def put(**settings: Any) -> None:
        three.manage("PUT", f"/gateways/{gateway}", {**GATEWAY_REQUIRED, **settings})

    put(**a_rate(3, 1_000_000))
    assert [three.chat(gateway).status for _ in range(3)] == [200, 200, 429]
    put()
    assert [three.chat(gateway).status for _ in range(3)] == [200] * 3
    put(**a_rate(3, 1_000_000))
    assert three.chat(gateway).status == 429
    three.manage("DELETE", f"/gateways/{gateway}")
    three.make_gateway(gateway, **a_rate(3, 1_000_000))
    assert [three.chat(gateway).status for _ in range(4)] == [200, 200, 200, 429]


def test_a_limit_without_an_interval_is_refused(three: Server) -> None:
    path = f"/client/v4/accounts/{three.account_id}/ai-gateway/gateways"
    for interval in (0, None):
        rate = {"rate_limiting_limit": 5, "rate_limiting_interval": interval}
        answer = three.call("POST", path, {"id": "no-interval", **GATEWAY_REQUIRED, **rate})
        assert answer.status == 400
        assert answer.json["errors"][0]["path"] == ["body", "rate_limiting_interval"]
    assert three.make_gateway("no-limit", **a_rate(0, 60)) == "no-limit"
    assert [three.chat("no-limit").status for _ in range(3)] == [200] * 3


def test_the_count_outlives_kill_9(tmp_path: Path, origin: KeepingUpstream) -> None:
    with running_server(tmp_path, origin.url, workers=2) as server:
        gateway = server.make_gateway(**a_rate(5, 1_000_000, "sliding"))
        with ThreadPoolExecutor(8) as pool:
            hanging = [pool.submit(server.chat, gateway, "hang") for _ in range(4)]
            while len([seen for seen in origin.seen if seen.body and seen.json.get("model") == "hang"]) < 4:
                time.sleep(0.01)
            server.kill()
            assert all(one.exception(60) is not None for one in hanging)
        server.start()
        assert [server.chat(gateway).status for _ in range(3)] == [200, 429, 429]
