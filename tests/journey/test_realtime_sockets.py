"""Realtime WebSockets through a real server to a real loopback provider, with a real client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from support.server import TOKEN, Server, running_server
from support.socket_upstream import REALTIME_USAGE, SocketUpstream, running_socket_upstream

_numbers = count(1)
KEY = "sk-the-providers-own-key"
WAIT = 60


@pytest.fixture(scope="module")
def provider() -> Iterator[SocketUpstream]:
    with running_socket_upstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory, provider: SocketUpstream) -> Iterator[Server]:
    slugs = ("openai", "google-ai-studio", "elevenlabs", "cartesia", "deepgram", "fal", "workers-ai")
    upstreams = dict.fromkeys(slugs, provider.url)
    upstreams["groq"] = "http://127.0.0.1:1"
    with running_server(
        tmp_path_factory.mktemp("sockets"),
        GAUGEWAY_UPSTREAMS=json.dumps(upstreams),
        GAUGEWAY_FIRST_BYTE_TIMEOUT="2",
        GAUGEWAY_MAX_SOCKET_MESSAGE=str(1 << 20),
    ) as server:
        yield server


@pytest.fixture
def place(sockets: Server) -> str:
    return sockets.make_gateway(f"gateway-{next(_numbers)}")


def dial(server: Server, gateway: str, path: str, *, key: str | None = KEY, **more: Any) -> ClientConnection:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    headers |= more.pop("headers", {})
    url = f"ws://127.0.0.1:{server.port}/v1/{server.account_id}/{gateway}/{path}"
    return connect(
        url, additional_headers=headers, open_timeout=WAIT, close_timeout=5, proxy=None, legacy=True, **more
    )


def log_of(server: Server, gateway: str, number: int = 1) -> dict[str, Any]:
    return server.wait_for_logs(gateway, number, timeout=WAIT)[0]


def detail(server: Server, gateway: str, log: dict[str, Any], part: str) -> str:
    answer = server.call(
        "GET", f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/{part}"
    )
    return answer.body.decode()


def test_frames_pass_both_ways_as_they_are(sockets: Server, place: str, provider: SocketUpstream) -> None:
    with dial(
        sockets, place, f"openai?model=gpt-realtime&mark={place}", headers={"openai-beta": "realtime=v1"}
    ) as ws:
        assert ws.response is not None and ws.response.headers["cf-aig-log-id"]
        for message in ("héllo", b"\x00\xff\xfe" * 50_000, "", b"", "x" * 70_000):
            ws.send(message)
            assert ws.recv(WAIT) == message
        ws.send([b"in ", b"three ", b"frames"])
        assert ws.recv(WAIT) == b"in three frames"
        assert ws.ping(b"are you there").wait(WAIT)
    seen = provider.wait_for(f"mark={place}")
    assert seen.target == f"/realtime?model=gpt-realtime&mark={place}"
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["openai-beta"] == "realtime=v1"
    assert not [name for name in seen.headers if name.startswith("cf-aig")]
    assert "sec-websocket-extensions" not in seen.headers
    assert seen.ended.wait(WAIT)
    assert (seen.close_code, seen.close_reason) == (1000, "")
    log = log_of(sockets, place)
    assert (log["outcome"], log["success"], log["provider"], log["model"]) == (
        "success",
        True,
        "openai",
        "gpt-realtime",
    )
    assert (log["request_type"], log["model_type"], log["status_code"]) == ("WebSockets", "realtime", 101)
    sent = sum(len(m) for m in ("héllo".encode(), b"\x00\xff\xfe" * 50_000, b"x" * 70_000, b"in three frames"))
    assert (log["request_size"], log["response_size"]) == (sent, sent)


def test_an_openai_session_is_priced_by_what_it_reports(sockets: Server, place: str) -> None:
    with dial(sockets, place, "openai?model=gpt-realtime&do=openai") as ws:
        assert json.loads(ws.recv(WAIT))["type"] == "session.created"
        for _ in range(2):
            ws.send(json.dumps({"type": "response.create"}))
            while json.loads(ws.recv(WAIT))["type"] != "response.done":
                pass
    log = log_of(sockets, place)
    assert (log["tokens_in"], log["tokens_out"]) == (400, 260)
    # gpt-realtime, in dollars a million: text in 4, cached 0.4, out 16; audio in 32, cached 0.4, out 64
    expected = 2 * (56 * 4 + 24 * 0.4 + 80 * 32 + 40 * 0.4 + 30 * 16 + 100 * 64) / 1e6
    assert log["cost"] == pytest.approx(expected, abs=1e-12)
    assert REALTIME_USAGE["input_tokens"] == 200
    response = detail(sockets, place, log, "response")
    assert "response.done" in response
    assert "UklGRg" not in response  # sound is counted, and not kept
    assert "response.create" in detail(sockets, place, log, "request")


def test_a_session_that_ends_within_a_response_has_no_cost(sockets: Server, place: str) -> None:
    with dial(sockets, place, "openai?model=gpt-realtime&do=openai") as ws:
        ws.send(json.dumps({"type": "response.create", "unfinished": True}))
        while json.loads(ws.recv(WAIT))["type"] != "response.output_audio.delta":
            pass
    log = log_of(sockets, place)
    assert (log["outcome"], log["cost"], log["tokens_in"]) == ("success", None, None)
    assert "ended within a response" in log["cost_reason"]


def test_gemini_live_is_read_in_binary_frames(sockets: Server, place: str, provider: SocketUpstream) -> None:
    path = f"google?api_key={KEY}&do=gemini&mark={place}"
    with dial(sockets, place, path, key=None, subprotocols=[f"cf-aig-authorization.{TOKEN}"]) as ws:
        assert ws.subprotocol == f"cf-aig-authorization.{TOKEN}"
        ws.send(json.dumps({"setup": {"model": "models/gemini-live-2.5-flash"}}))
        assert json.loads(ws.recv(WAIT)) == {"setupComplete": {}}
        ws.send(json.dumps({"clientContent": {"turns": []}}))
        assert "modelTurn" in json.loads(ws.recv(WAIT))["serverContent"]
        assert json.loads(ws.recv(WAIT))["usageMetadata"]
    seen = provider.wait_for(f"mark={place}")
    service = "google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    assert seen.target == f"/ws/{service}?do=gemini&mark={place}"
    assert seen.headers["x-goog-api-key"] == KEY
    assert "sec-websocket-protocol" not in seen.headers
    log = log_of(sockets, place)
    assert (log["provider"], log["authentication"]) == ("google-ai-studio", True)
    assert (log["tokens_in"], log["tokens_out"]) == (100, 50)
    assert log["cost"] == pytest.approx((40 * 0.5 + 60 * 3 + 50 * 12) / 1e6, abs=1e-12)
    for part in ("request", "response"):
        text = detail(sockets, place, log, part)
        assert KEY not in text
        assert TOKEN not in text


@pytest.mark.parametrize(
    ("path", "protocols", "target", "header"),
    [
        ("elevenlabs?a=1", [f"xi-api-key.{KEY}"], "/v1/convai/conversation?a=1", ("xi-api-key", KEY)),
        (f"cartesia?cartesia_version=1&api_key={KEY}", [], "/tts/websocket?cartesia_version=1", ("x-api-key", KEY)),
        ("fal/fal-ai/lcm?a=1", [f"fal-api-key.{KEY}"], "/fal-ai/lcm?a=1", ("authorization", f"Key {KEY}")),
        ("deepgram?model=nova-3", ["token", KEY], "/v1/listen?model=nova-3", ("authorization", f"Token {KEY}")),
        (
            "openai?model=gpt-realtime",
            ["realtime", f"openai-insecure-api-key.{KEY}"],
            "/realtime?model=gpt-realtime",
            ("authorization", f"Bearer {KEY}"),
        ),
    ],
)
def test_keys_come_as_each_provider_s_clients_send_them(
    sockets: Server,
    place: str,
    provider: SocketUpstream,
    path: str,
    protocols: list[Any],
    target: str,
    header: tuple[str, str],
) -> None:
    offered = [*protocols, f"cf-aig-authorization.{TOKEN}"]
    with dial(sockets, place, f"{path}&mark={place}", key=None, subprotocols=offered) as ws:
        assert ws.subprotocol in offered
        ws.send("hello")
        assert ws.recv(WAIT) == "hello"
    seen = provider.wait_for(f"mark={place}")
    assert seen.target == f"{target}&mark={place}"
    assert seen.headers[header[0]] == header[1]
    assert seen.headers.get("sec-websocket-protocol") == ("realtime" if "realtime" in protocols else None)
    assert TOKEN not in str(seen.headers)
    log = log_of(sockets, place)
    assert KEY not in json.dumps(log)
    assert log["cost"] is None
    assert log["cost_reason"]


def test_workers_ai_has_its_model_in_the_path(sockets: Server, place: str, provider: SocketUpstream) -> None:
    with dial(sockets, place, f"workers-ai?model=@cf/deepgram/nova-3&encoding=linear16&mark={place}") as ws:
        ws.send(b"sound")
        assert ws.recv(WAIT) == b"sound"
    seen = provider.wait_for(f"mark={place}")
    account = sockets.account_id
    assert seen.target == f"/{account}/ai/run/@cf/deepgram/nova-3?encoding=linear16&mark={place}"
    assert log_of(sockets, place)["model"] == "@cf/deepgram/nova-3"


def test_a_stored_key_is_spent_only_with_a_token(sockets: Server, place: str, provider: SocketUpstream) -> None:
    stored = "sk-the-stored-key-0123456789"
    body = {"provider_slug": "openai", "secret": stored, "alias": "default", "default_config": True}
    sockets.manage("POST", f"/gateways/{place}/provider_configs", body)
    with pytest.raises(InvalidStatus) as refused:
        dial(sockets, place, "openai?model=gpt-realtime", key=None)
    assert refused.value.response.status_code == 401
    with dial(
        sockets, place, f"openai?model=gpt-realtime&mark={place}", key=None, headers={"cf-aig-authorization": TOKEN}
    ) as ws:
        ws.send(f"{stored} said")
        assert ws.recv(WAIT) == f"{stored} said"
    assert provider.wait_for(f"mark={place}").headers["authorization"] == f"Bearer {stored}"
    log = log_of(sockets, place, 2)
    assert stored not in detail(sockets, place, log, "response")
    assert stored not in detail(sockets, place, log, "request")


def test_what_the_provider_says_before_it_is_asked_arrives(sockets: Server, place: str) -> None:
    with dial(sockets, place, "openai?do=early") as ws:
        assert ws.recv(WAIT) == "before you ask"


def refusal(call: Callable[[], Any]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as refused:
        call()
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")


def test_an_authenticated_gateway_wants_a_token(sockets: Server) -> None:
    gateway = sockets.make_gateway(f"gateway-{next(_numbers)}", authentication=True)
    for more in ({}, {"subprotocols": ["cf-aig-authorization.wrong-token-0123456789"]}):
        status, body = refusal(lambda more=more: dial(sockets, gateway, "openai?model=gpt-realtime", **more))
        assert (status, body["error"][0]["code"]) == (401, 2009)
    for headers in ({"cf-aig-authorization": TOKEN}, {"cf-aig-authorization": f"Bearer {TOKEN}"}):
        with dial(sockets, gateway, "openai", headers=headers) as ws:
            ws.send("hello")
            assert ws.recv(WAIT) == "hello"
    logs = sockets.wait_for_logs(gateway, 4, timeout=WAIT)
    assert sorted(log["outcome"] for log in logs) == ["refused", "refused", "success", "success"]
    assert "wrong-token" not in json.dumps(logs)


def test_refusals_before_the_handshake_are_http(sockets: Server, place: str) -> None:
    status, body = refusal(lambda: dial(sockets, place, "no-such-provider"))
    assert (status, body["error"][0]["code"]) == (400, 2008)
    status, body = refusal(lambda: dial(sockets, "no-such-gateway", "openai"))
    assert (status, body["error"][0]["code"]) == (400, 2001)
    status, body = refusal(lambda: dial(sockets, place, "openai", headers={"cf-aig-metadata": "no json"}))
    assert (status, body["error"][0]["code"]) == (400, 7001)
    status, body = refusal(lambda: dial(sockets, place, "groq/realtime"))
    assert (status, body["error"][0]["code"]) == (502, 2005)
    status, body = refusal(lambda: dial(sockets, place, "openai?do=decline&status=401"))
    assert (status, body) == (401, {"error": {"message": "Incorrect API key provided"}})
    status, body = refusal(lambda: dial(sockets, place, "openai?do=decline&status=200"))
    assert (status, body["error"][0]["code"]) == (502, 2005)
    status, body = refusal(lambda: dial(sockets, place, "openai?do=silent"))
    assert (status, body["error"][0]["code"]) == (504, 2005)
    logs = sockets.wait_for_logs(place, 6, timeout=WAIT)
    outcomes = {(log["outcome"], log["status_code"]) for log in logs}
    assert outcomes == {
        ("refused", 400),
        ("upstream_error", 502),
        ("upstream_error", 401),
        ("timeout", 504),
    }


def test_a_private_upstream_is_refused(sockets: Server, place: str, provider: SocketUpstream) -> None:
    custom = {"name": "inner", "slug": place, "base_url": f"https://127.0.0.1:{provider.port}", "enable": True}
    answer = sockets.call("POST", f"/client/v4/accounts/{sockets.account_id}/ai-gateway/custom-providers", custom)
    if answer.status == 200:
        status, body = refusal(lambda: dial(sockets, place, f"custom-{place}/socket"))
        assert (status, body["error"][0]["code"]) == (400, 2005)
        assert log_of(sockets, place)["outcome"] == "refused"
    else:
        assert answer.status == 400


def test_a_provider_that_cuts_is_told_from_one_that_closes(sockets: Server, place: str) -> None:
    with dial(sockets, place, "openai?do=cut") as ws:
        ws.send("one")
        assert ws.recv(WAIT) == "so far"
        ws.send("two")
        with pytest.raises(ConnectionClosed) as cut:
            ws.recv(WAIT)
    assert cut.value.rcvd is not None
    assert cut.value.rcvd.code == 1014
    log = log_of(sockets, place)
    assert (log["outcome"], log["success"]) == ("stream_cut", False)
    for code, outcome in ((1011, "upstream_error"), (4001, "upstream_error"), (1000, "success"), (1001, "success")):
        gateway = sockets.make_gateway(f"gateway-{next(_numbers)}")
        with dial(sockets, gateway, f"openai?do=close&code={code}&reason=as+asked") as ws:
            ws.send("one")
            with pytest.raises(ConnectionClosed) as closed:
                ws.recv(WAIT)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, "as asked")
        log = log_of(sockets, gateway)
        assert log["outcome"] == outcome
        assert outcome == "success" or f"{code}: as asked" in log["error"]


def test_a_client_that_hangs_up_ends_the_provider_s_side(
    sockets: Server, place: str, provider: SocketUpstream
) -> None:
    ws = dial(sockets, place, f"openai?mark={place}")
    ws.send("hello")
    assert ws.recv(WAIT) == "hello"
    ws.socket.shutdown(socket.SHUT_RDWR)
    seen = provider.wait_for(f"mark={place}")
    assert seen.ended.wait(WAIT)
    assert seen.close_code == 1001
    assert log_of(sockets, place)["outcome"] == "client_gone"
    ws.close()


def test_the_client_s_close_code_reaches_the_provider(
    sockets: Server, place: str, provider: SocketUpstream
) -> None:
    ws = dial(sockets, place, f"openai?mark={place}")
    ws.close(4242, "enough")
    seen = provider.wait_for(f"mark={place}")
    assert seen.ended.wait(WAIT)
    assert (seen.close_code, seen.close_reason) == (4242, "enough")
    assert log_of(sockets, place)["outcome"] == "success"


def test_a_message_over_the_limit_ends_the_session(sockets: Server, place: str, provider: SocketUpstream) -> None:
    with dial(sockets, place, f"openai?mark={place}") as ws:
        ws.send(b"\x00" * (1 << 21))
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(WAIT)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    assert provider.wait_for(f"mark={place}").received == []
    log = log_of(sockets, place)
    assert log["outcome"] == "refused"
    with (
        dial(sockets, place, f"openai?do=big&size={1 << 21}", max_size=None) as ws,
        pytest.raises(ConnectionClosed),
    ):
        ws.recv(WAIT)
    log = log_of(sockets, place, 2)
    assert log["outcome"] == "upstream_error"


def test_a_slow_client_slows_the_provider_down(sockets: Server, place: str, provider: SocketUpstream) -> None:
    ws = dial(sockets, place, f"openai?do=flood&mark={place}", max_queue=1)
    seen = provider.wait_for(f"mark={place}")
    before, deadline = -1, time.monotonic() + WAIT
    while before != seen.sent or not seen.sent:  # until it stands still
        assert time.monotonic() < deadline
        assert seen.sent < 200, "the gateway takes in what nobody reads"
        before = seen.sent
        time.sleep(0.5)
    ws.socket.shutdown(socket.SHUT_RDWR)
    ws.close()
    assert seen.ended.wait(WAIT)


def test_rate_limits_count_a_session_once(sockets: Server) -> None:
    gateway = sockets.make_gateway(
        f"gateway-{next(_numbers)}",
        rate_limiting_limit=1,
        rate_limiting_interval=3600,
        rate_limiting_technique="fixed",
    )
    with dial(sockets, gateway, "openai") as ws:
        for _ in range(3):
            ws.send("hello")
            assert ws.recv(WAIT) == "hello"
    status, body = refusal(lambda: dial(sockets, gateway, "openai"))
    assert (status, body["error"][0]["code"]) == (429, 2003)
    assert log_of(sockets, gateway, 2)["outcome"] == "rate_limited"


def test_a_spend_limit_refuses_a_session_that_nothing_bounds(sockets: Server) -> None:
    rules = [{"id": "budget", "limitType": "cost", "limit": 1, "window": 3600}]
    gateway = sockets.make_gateway(f"gateway-{next(_numbers)}", spend_limits={"enabled": True, "rules": rules})
    status, body = refusal(lambda: dial(sockets, gateway, "elevenlabs?agent_id=a"))
    assert (status, body["error"][0]["code"]) == (400, 7001)
    assert "total_cost" in body["message"]
    said = {"cf-aig-custom-cost": json.dumps({"total_cost": 0.6})}
    with dial(sockets, gateway, "openai?model=gpt-realtime", headers=said) as ws:
        ws.send("hello")
        assert ws.recv(WAIT) == "hello"
        status, body = refusal(lambda: dial(sockets, gateway, "openai?model=gpt-realtime", headers=said))
        assert (status, body["error"][0]["code"]) == (429, 2045)
    logs = sockets.wait_for_logs(gateway, 3, timeout=WAIT)
    assert sorted(log["outcome"] for log in logs) == ["spend_limited", "spend_limited", "success"]
    assert [log["cost"] for log in logs if log["outcome"] == "success"] == [0.6]


def test_collection_off_leaves_no_log(sockets: Server, place: str) -> None:
    with dial(sockets, place, "openai", headers={"cf-aig-collect-log": "false"}) as ws:
        assert ws.response is not None and "cf-aig-log-id" not in ws.response.headers
        ws.send("hello")
        ws.recv(WAIT)
    with dial(sockets, place, "openai", headers={"cf-aig-collect-log-payload": "false"}) as ws:
        ws.send("hello")
        ws.recv(WAIT)
    log = log_of(sockets, place)
    assert len(sockets.logs(place)) == 1
    assert "hello" not in detail(sockets, place, log, "request")


def test_the_server_s_stop_closes_sessions_with_1001(tmp_path: Any, provider: SocketUpstream) -> None:
    upstreams = json.dumps({"openai": provider.url})
    with running_server(tmp_path, GAUGEWAY_UPSTREAMS=upstreams, workers=2) as server:
        gateway = server.make_gateway("stopped")
        ws = dial(server, gateway, "openai?mark=stopped")
        ws.send("hello")
        assert ws.recv(WAIT) == "hello"
        server.stop()
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(WAIT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001
        seen = provider.wait_for("mark=stopped")
        assert seen.ended.wait(WAIT)
        assert seen.close_code == 1001
        server.start()
        log = log_of(server, gateway)
        assert (log["outcome"], "stopped" in log["error"]) == ("internal_error", True)


def test_an_upstream_that_keeps_failing_is_left_alone_whoever_asks(tmp_path: Any, provider: SocketUpstream) -> None:
    """The circuit breaker is one for sockets and requests: what it learns from the ones holds for the others."""
    with running_server(
        tmp_path,
        GAUGEWAY_UPSTREAMS=json.dumps({"openai": provider.url}),
        GAUGEWAY_CIRCUIT_BREAKER_FAILURES="2",
        GAUGEWAY_CIRCUIT_BREAKER_SECONDS="3600",
    ) as server:
        gateway = server.make_gateway("left-alone")
        dial(server, gateway, "openai").close()
        for status in (500, 503, None):
            with pytest.raises(InvalidStatus) as refused:
                dial(server, gateway, f"openai?do=decline&status={status or 200}&mark=left-alone")
            assert refused.value.response.status_code == (status or 503)
        assert "left alone" in refused.value.response.body.decode()
        assert server.chat(gateway).status == 503
        logs = server.wait_for_logs(gateway, 5, timeout=WAIT)
        assert ["left alone" in (log["error"] or "") for log in logs] == [True, True, False, False, False]
        assert sum("mark=left-alone" in seen.target for seen in provider.seen) == 2
