"""No header for the gateway is taken and ignored, by whichever door it comes: through a real server."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from support.server import Server
from support.upstream import Upstream

CHAT = {"model": "ok", "messages": []}
STEP = {"provider": "openai", "endpoint": "chat/completions", "query": CHAT}
NAMES = ("cf-aig-unheard-of", "cf-aig-turn-id", "cf-aig-otel-trace-id", "cf-aig-allowed-models")


def refused(status: int, body: dict[str, Any], name: str) -> None:
    found = body.get("error") or body["errors"]
    assert (status, found[0]["code"]) == (400, 7001), body
    assert f"Header {name}: is not available in this version" in found[0]["message"]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_is_refused_at_every_door(
    server: Server, gateway: str, shared_upstream: Upstream, name: str
) -> None:
    url, sent = server.gateway_url(gateway), {name: "x"}
    rest = f"/client/v4/accounts/{server.account_id}/ai/v1/chat/completions"
    requests: list[tuple[str, Any, dict[str, str]]] = [
        (f"{url}/openai/v1/chat/completions", CHAT, sent),
        (f"{url}/compat/chat/completions", CHAT | {"model": "openai/ok"}, sent),
        (url, [STEP], sent),
        (url, [STEP, STEP | {"headers": sent}], {}),
        (rest, CHAT | {"model": "openai/ok"}, {**sent, "authorization": f"Bearer {server.token}"}),
    ]
    before = len(shared_upstream.seen)
    for path, body, headers in requests:
        answer = server.call("POST", path, body, headers)
        refused(answer.status, answer.json, name)
    for path in ("", "/openai?model=gpt-realtime"):
        with pytest.raises(InvalidStatus) as caught:
            connect(url.replace("http", "ws", 1) + path, additional_headers=sent, proxy=None)
        refused(caught.value.response.status_code, json.loads(caught.value.response.body), name)
    assert len(shared_upstream.seen) == before


def test_what_is_said_twice_is_refused(server: Server, gateway: str) -> None:
    """Which of the two would hold, nobody could tell. A step may say again what its request says."""
    url = server.gateway_url(gateway)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.putrequest("GET", urlsplit(url).path + "/openai/v1/models")
        connection.putheader("cf-aig-max-attempts", "1")
        connection.putheader("CF-AIG-Max-Attempts", "2")
        connection.endheaders()
        answer = connection.getresponse()
        assert answer.status == 400
        assert json.load(answer)["message"] == "Header cf-aig-max-attempts: is given twice"
    step = STEP | {"headers": {"cf-aig-max-attempts": "2"}}
    assert server.call("POST", url, [step], {"cf-aig-max-attempts": "1"}).status == 200
