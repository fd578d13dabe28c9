"""docs/failures.md, row by row: what it says is what a real server does."""

from __future__ import annotations

import http.client
import json
import re
import time
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from support.chaos_upstream import ChaosUpstream
from support.server import Server, running_server
from support.spending import a_rule

PAGE = (Path(__file__).parents[2] / "docs" / "failures.md").read_text()

_numbers = count(1)
ALL = "all that was reserved"
RATES = {"cf-aig-custom-cost": '{"per_token_in": "0.0001", "per_token_out": "0.001"}'}

PLANS: dict[str, tuple[str, dict[str, Any]]] = {
    "refuses the connection": ("", {}),
    "closes the connection before its headers are whole": ("close", {}),
    "resets the connection before its headers are whole": ("reset", {}),
    "closes its half of the connection before its headers are whole": ("half-closed-early", {}),
    "sends no HTTP": ("garbage", {}),
    "sends a Content-Length that is no number": ("bad-length", {}),
    "sends both a Content-Length and chunks": ("two-lengths", {}),
    "sends headers over 64 KiB": ("big-head", {}),
    "does not answer within `GAUGEWAY_FIRST_BYTE_TIMEOUT`": ("hang", {}),
    "does not answer within `cf-aig-request-timeout`": ("hang", {"cf-aig-request-timeout": "200"}),
    "sends its headers line by line, without end": ("endless-head", {}),
    "sends its headers and then nothing": ("hang-after-head", {}),
    "closes the connection after its headers": ("cut-after-head", {}),
    "falls silent within its stream": ("hang-mid", {}),
    "closes the connection within its stream": ("cut", {}),
    "resets the connection within its stream": ("reset-mid", {}),
    "closes its half of the connection within its stream": ("half-closed", {}),
    "breaks the framing within its stream": ("garbage-mid", {}),
    "sends less than its Content-Length": ("too-short", {}),
    "sends more than its Content-Length": ("too-long", {}),
    "ends its stream with an error": ("error-last", {}),
    "ends its stream before its last event": ("stop-early", {}),
    "answers 200 with an error in its body": ("200", {}),
    "sends its stream slowly": ("drip", {}),
    "answers 307": ("307;location=/elsewhere", {}),
    "answers 408": ("408", {}),
    "answers 409": ("409", {}),
    "answers 429 with Retry-After": ("429;retry-after=1", {}),
    "answers 500": ("500", {}),
    "answers 503": ("503", {}),
    "answers 503 and falls silent within its body": ("hang-in-error", {}),
    "answers 400": ("400", {}),
    "answers 401": ("401", {}),
}
"""What the provider does, in the page's words → what the chaos upstream is asked for, and the request's headers."""


def rows() -> dict[str, list[str]]:
    table = PAGE.partition("## One attempt")[2].partition("\n\n## ")[0]
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"
    ]
    return {row[0]: row[1:] for row in cells[2:]}


def test_the_table_and_the_tests_have_the_same_rows() -> None:
    assert list(rows()) == list(PLANS)


def ask(server: Server, gateway: str, provider: str, body: dict[str, Any], headers: dict[str, str]) -> str:
    """What the client sees, in the page's words."""
    url = urlsplit(server.gateway_url(gateway))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    path = f"{url.path}/{provider}/chat/completions"
    try:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        try:
            whole = answer.read()
        except (http.client.IncompleteRead, ConnectionError):
            return f"{answer.status}, broken off"
    finally:
        connection.close()
    if b"AiGatewayError" in whole:
        return f"{answer.status}, code {json.loads(whole)['internalCode']}"
    return f"{answer.status}, whole"


def spent(server: Server, gateway: str) -> Decimal:
    """What the gateway's one budget has counted, once nothing is reserved any more."""
    deadline = time.monotonic() + 60
    while True:
        [budget] = server.manage("GET", f"/gateways/{gateway}/spend_limits")
        if budget["reserved"] == "0":
            return Decimal(budget["spent"])
        assert time.monotonic() < deadline, budget
        time.sleep(0.05)


def what_counts(log: dict[str, Any], said: str) -> Decimal:
    """What a log says that its budget counts, after a look whether that is what the page says."""
    untold = re.search(r"the spend limits count ([0-9.]+) dollars, the most it may be", log["cost_reason"] or "")
    reserved = Decimal(0) if untold is None else Decimal(untold.group(1))
    if said == "nothing":
        assert (log["cost"], reserved) == (None, 0)
    elif said == ALL:
        assert log["cost"] is None
        assert reserved > 0
    elif said in ("an estimate", "as reported"):
        assert log["cost"] > 0
        assert log["usage_estimated"] is (said == "an estimate")
    return Decimal(log["cost_exact"] or 0) + reserved


@pytest.fixture
def chaos_gateway(chaos_server: Server) -> str:
    """One with a budget."""
    limits = {"enabled": True, "rules": [a_rule(limit=1000)]}
    return chaos_server.make_gateway(f"failing-{next(_numbers)}", spend_limits=limits)


def one_request(plan: list[str], scenario: str) -> dict[str, Any]:
    fields = {"model": "ok", "max_tokens": 20, "messages": [{"role": "user", "content": "Hello"}]}
    fields |= {"stream": True, "stream_options": {"include_usage": True}} if "stream" in scenario else {}
    return fields | {"name": uuid4().hex, "chaos": plan}


@pytest.mark.parametrize("scenario", PLANS)
def test_a_row(chaos_server: Server, chaos_gateway: str, chaos: ChaosUpstream, scenario: str) -> None:
    seen, outcome, status, again, counts = rows()[scenario]
    behaviour, headers = PLANS[scenario]
    provider = "openai" if behaviour else "groq"
    headers = headers | RATES

    body = one_request([behaviour], scenario)
    assert ask(chaos_server, chaos_gateway, provider, body, headers) == seen
    log = chaos_server.wait_for_logs(chaos_gateway, 1)[0]
    assert (f"`{log['outcome']}`", str(log["status_code"])) == (outcome, status)
    assert log["success"] is (log["outcome"] == "success")
    assert bool(log["error"]) is not log["success"]
    assert len(log["attempts"]) == 1
    assert spent(chaos_server, chaos_gateway) == what_counts(log, counts)

    wishes = {"cf-aig-max-attempts": "2", "cf-aig-retry-delay": "1"}
    ask(chaos_server, chaos_gateway, provider, one_request([behaviour, "ok"], scenario), headers | wishes)
    [second, first] = chaos_server.wait_for_logs(chaos_gateway, 2)
    attempts = second["attempts"]
    if again == "yes":
        assert attempts[0]["may_be_billed"] is (attempts[0]["counted"] is not None) is (counts == ALL)
        assert second["cost_is_minimum"] is (counts == ALL and second["cost"] is not None)
    later = what_counts(second, "all there is") + Decimal(attempts[0]["counted"] or 0)
    assert spent(chaos_server, chaos_gateway) == what_counts(first, counts) + later
    assert len(attempts) == {"yes": 2, "no": 1}[again]
    assert chaos.attempts[body["name"]] == (1 if behaviour else 0)


def test_an_upstream_that_keeps_failing_is_left_alone_and_taken_back(tmp_path: Path, chaos: ChaosUpstream) -> None:
    settings = {
        "GAUGEWAY_UPSTREAMS": json.dumps({"openai": chaos.url + "/v1", "groq": "http://127.0.0.1:1"}),
        "GAUGEWAY_CIRCUIT_BREAKER_FAILURES": "2",
        "GAUGEWAY_CIRCUIT_BREAKER_SECONDS": "1.5",
    }
    with running_server(tmp_path, **settings) as server:
        gateway = server.make_gateway()
        body = one_request(["503", "503", "ok"], "")
        wishes = {"cf-aig-max-attempts": "5", "cf-aig-retry-delay": "1"}
        assert ask(server, gateway, "openai", body, wishes) == "503, code 2005"
        assert chaos.attempts[body["name"]] == 2, "two failures, and no third attempt while it is left alone"
        log = server.wait_for_logs(gateway, 1)[0]
        assert (log["outcome"], len(log["attempts"])) == ("upstream_error", 3)
        assert "GAUGEWAY_CIRCUIT_BREAKER_FAILURES" in log["error"]
        deadline = time.monotonic() + 20
        while ask(server, gateway, "openai", body, {}) != "200, whole":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert chaos.attempts[body["name"]] == 3
        assert ask(server, gateway, "openai", one_request(["ok"], ""), {}) == "200, whole"
