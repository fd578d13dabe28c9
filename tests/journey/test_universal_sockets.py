"""Universal requests over a WebSocket, through a real server with a real client (docs/websockets.md)."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from support.chaos_upstream import ChaosUpstream
from support.command_line import command
from support.own_account import EMAIL
from support.route_caller import Caller
from support.routes import model
from support.server import TOKEN, Server, running_server
from support.upstream import Upstream

KEY = "sk-the-providers-own-key"
WAIT = 60


def dial(server: Server, gateway: str, headers: dict[str, str] | None = None, **more: Any) -> ClientConnection:
    url = f"ws://127.0.0.1:{server.port}/v1/{server.account_id}/{gateway}/"
    return connect(
        url, additional_headers=headers, open_timeout=WAIT, close_timeout=5, proxy=None, legacy=True, **more
    )


def step(model: str = "ok", *, stream: bool = False, **more: Any) -> dict[str, Any]:
    query: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Say hello."}]}
    if stream:
        query |= {"stream": True, "stream_options": {"include_usage": True}}
    headers = {"Authorization": f"Bearer {KEY}"}
    return {"provider": "openai", "endpoint": "chat/completions", "headers": headers, "query": query, **more}


def create(ws: ClientConnection, request: Any, **more: Any) -> None:
    ws.send(json.dumps({"type": "universal.create", "request": request, **more}))


def heard(ws: ClientConnection) -> dict[str, Any]:
    return json.loads(ws.recv(WAIT))


def test_a_request_is_answered_and_logged(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step(eventId="my-request"))
        answer = heard(ws)
    assert answer["type"] == "universal.created"
    metadata = answer["metadata"]
    assert (metadata["eventId"], metadata["step"], metadata["status"]) == ("my-request", "0", 200)
    assert metadata["contentType"] == "application/json"
    assert answer["response"]["choices"][0]["message"]["content"]
    (log,) = server.wait_for_logs(gateway, 1)
    assert (log["id"], log["event_id"], log["request_type"]) == (metadata["logId"], "my-request", "WebSockets")
    assert (log["outcome"], log["tokens_in"], log["provider"], log["model"]) == ("success", 20, "openai", "ok")


def test_a_stream_comes_in_messages(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step(stream=True), eventId="stream")
        first = heard(ws)
        assert first["type"] == "universal.created"
        assert "response" not in first
        assert first["metadata"]["contentType"].startswith("text/event-stream")
        text, ended = "", False
        while (message := heard(ws))["type"] == "universal.stream":
            assert message["metadata"]["eventId"] == "stream"
            if message["response"] == "[DONE]":
                ended = True
            elif message["response"]["choices"]:
                text += message["response"]["choices"][0]["delta"].get("content", "")
    assert message["type"] == "universal.done"
    assert (text, ended) == ("Hello there, how are you?", True)
    (log,) = server.wait_for_logs(gateway, 1)
    assert (log["outcome"], log["tokens_out"]) == ("success", 10)


def test_several_are_in_flight_at_once(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step("hang-mid", stream=True), eventId="slow")
        assert heard(ws)["metadata"]["eventId"] == "slow"
        for number in range(10):
            create(ws, step(), eventId=f"quick-{number}")
        quick: dict[str, str] = {}
        while len(quick) < 10:  # while the first is under way
            message = heard(ws)
            if message["metadata"]["eventId"] != "slow":
                quick[message["metadata"]["eventId"]] = message["type"]
    assert set(quick.values()) == {"universal.created"}
    logs = server.wait_for_logs(gateway, 11)
    assert sorted(log["outcome"] for log in logs) == ["client_gone", *["success"] * 10]


def test_steps_fall_back_and_the_headers_of_the_handshake_hold(server: Server, gateway: str) -> None:
    headers = {"cf-aig-metadata": '{"team": "a"}', "cf-aig-cache-ttl": "60"}
    with dial(server, gateway, headers) as ws:
        create(ws, [step("error-500"), step()], eventId="two")
        answer = heard(ws)
        assert (answer["metadata"]["step"], answer["metadata"]["cacheStatus"]) == ("1", "MISS")
        create(ws, step("ok-cached"), eventId="three")
        assert heard(ws)["metadata"]["cacheStatus"] == "MISS"
        create(ws, step("ok-cached"), eventId="four")
        answer = heard(ws)
        assert answer["metadata"]["cacheStatus"] == "HIT"
        assert answer["response"]["object"] == "chat.completion"
    logs = server.wait_for_logs(gateway, 3)
    assert all(log["metadata"] == {"team": "a"} for log in logs)
    assert sorted(log["outcome"] for log in logs) == ["cached", "success", "success"]


def test_a_dynamic_route_is_a_step_here_too(server: Server, gateway: str) -> None:
    Caller(server, gateway).route(model("m", name="routed"))
    query = {"model": "dynamic/r", "messages": []}
    request = {"provider": "compat", "endpoint": "chat/completions", "query": query}
    with dial(server, gateway) as ws:
        create(ws, [step("error-500"), request])
        answer = heard(ws)
    assert (answer["type"], answer["metadata"]["step"]) == ("universal.created", "1")
    log = server.wait_for_logs(gateway, 1)[0]
    assert (log["request_type"], log["model"], log["dynamic_route"]["name"]) == ("WebSockets", "routed", "r")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{not json", "Expected a JSON object"),
        (b"\x00\x01", "not a binary one"),
        ('{"type": "universal.delete"}', "type: expected 'universal.create'"),
        ('{"type": "universal.create"}', "request: expected a step"),
        ('{"type": "universal.create", "request": 5}', "request: expected a step"),
        ('{"type": "universal.create", "request": {"eventId": 7}}', "eventId: expected"),
        ('{"type": "universal.create", "request": {"provider": "openai"}}', "Step 0: "),
        ('{"type": "universal.create", "request": []}', "Expected 1 to 20 steps"),
    ],
)
def test_a_bad_message_is_answered_and_the_connection_stays(
    server: Server, gateway: str, message: str | bytes, said: str
) -> None:
    with dial(server, gateway) as ws:
        ws.send(message)
        answer = heard(ws)
        assert answer["type"] == "universal.error"
        assert answer["metadata"]["status"] == 400
        assert answer["response"]["name"] == "AiGatewayError"
        assert said in answer["response"]["message"]
        create(ws, step(), eventId="after")
        assert heard(ws)["type"] == "universal.created"
    logs = server.wait_for_logs(gateway, 2)
    assert sorted(log["outcome"] for log in logs) == ["refused", "success"]


def test_a_provider_s_error_is_an_error_with_its_own_words(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step("error-418"), eventId="teapot")
        answer = heard(ws)
    assert (answer["type"], answer["metadata"]["status"]) == ("universal.error", 418)
    assert answer["response"] == {"error": {"message": "as asked", "code": 418}}
    (log,) = server.wait_for_logs(gateway, 1)
    assert (log["outcome"], log["status_code"]) == ("upstream_error", 418)


def test_a_cut_stream_ends_in_an_error_not_in_done(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step("cut", stream=True), eventId="cut")
        kinds = [heard(ws)["type"]]
        while kinds[-1] not in ("universal.done", "universal.error"):
            kinds.append(heard(ws)["type"])
        assert kinds[-1] == "universal.error"
        create(ws, step(), eventId="after")
        assert heard(ws)["type"] == "universal.created"
    logs = server.wait_for_logs(gateway, 2)
    assert sorted(log["outcome"] for log in logs) == ["stream_cut", "success"]


def test_one_event_id_is_not_under_way_twice(server: Server, gateway: str) -> None:
    with dial(server, gateway) as ws:
        create(ws, step("hang"), eventId="same")
        create(ws, step(), eventId="same")
        answer = heard(ws)
        assert answer["type"] == "universal.error"
        assert "under way" in answer["response"]["message"]


def test_a_hang_up_cancels_what_is_under_way(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    ws = dial(server, gateway)
    for number in range(3):
        create(ws, step("hang"), eventId=f"hang-{number}")
    hanging = shared_upstream.wait_for(before + 3)[before:]
    ws.socket.shutdown(socket.SHUT_RDWR)
    for seen in hanging:
        assert seen.abandoned.wait(WAIT)
    ws.close()
    logs = server.wait_for_logs(gateway, 3)
    assert {log["outcome"] for log in logs} == {"client_gone"}


def refused(server: Server, gateway: str, **more: Any) -> tuple[int, int]:
    with pytest.raises(InvalidStatus) as refusal:
        dial(server, gateway, **more)
    body = json.loads(refusal.value.response.body or b"{}")
    return refusal.value.response.status_code, body["error"][0]["code"]


def test_an_authenticated_gateway_wants_a_token_at_the_handshake(server: Server) -> None:
    gateway = server.make_gateway("socket-with-token", authentication=True)
    assert refused(server, gateway) == (401, 2009)
    assert refused(server, gateway, subprotocols=["cf-aig-authorization.wrong-token-0123456"]) == (401, 2009)
    assert refused(server, "no-such-gateway") == (400, 2001)
    for way in (
        {"headers": {"cf-aig-authorization": f"Bearer {TOKEN}"}},
        {"subprotocols": [f"cf-aig-authorization.{TOKEN}"]},
    ):
        with dial(server, gateway, **way) as ws:
            create(ws, step(), eventId="one")
            assert heard(ws)["type"] == "universal.created"
    logs = server.wait_for_logs(gateway, 4)
    assert sorted(log["outcome"] for log in logs) == ["refused", "refused", "success", "success"]
    assert all(log["authentication"] == (log["outcome"] == "success") for log in logs)
    answer = server.call(
        "GET",
        f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{logs[0]['id']}/request",
    )
    for secret in (TOKEN, KEY, "wrong-token"):
        assert secret not in json.dumps(logs)
        assert secret not in answer.body.decode()


def test_a_token_that_is_taken_back_ends_with_the_next_request(server: Server) -> None:
    gateway = server.make_gateway("socket-token-gone", authentication=True)
    ran = command("token", "create", "for a while", "--data", str(server.data), "--json", "--email", EMAIL)
    token = json.loads(ran.out)
    with dial(server, gateway, {"cf-aig-authorization": token["token"]}) as ws:
        create(ws, step(), eventId="one")
        assert heard(ws)["type"] == "universal.created"
        assert command("token", "revoke", token["id"], "--data", str(server.data)).code == 0
        create(ws, step(), eventId="two")
        answer = heard(ws)
    assert (answer["type"], answer["metadata"]["status"]) == ("universal.error", 401)


def test_rate_and_spend_limits_hold_for_each_request(server: Server) -> None:
    gateway = server.make_gateway("socket-rate", rate_limiting_limit=2, rate_limiting_interval=3600)
    with dial(server, gateway) as ws:
        kinds: list[str] = []
        for number in range(3):
            create(ws, step(), eventId=str(number))
            kinds.append(heard(ws)["type"])
    assert kinds == ["universal.created", "universal.created", "universal.error"]
    rules = [{"id": "budget", "limitType": "cost", "limit": 0.02, "window": 3600}]
    gateway = server.make_gateway("socket-spend", spend_limits={"enabled": True, "rules": rules})
    priced = {"cf-aig-custom-cost": '{"total_cost": 0.01}'}
    with dial(server, gateway, priced) as ws:
        statuses: list[int] = []
        for number in range(3):
            create(ws, step(), eventId=str(number))
            statuses.append(heard(ws)["metadata"]["status"])
    assert statuses == [200, 200, 429]
    logs = server.wait_for_logs(gateway, 3)
    assert sorted(log["outcome"] for log in logs) == ["spend_limited", "success", "success"]


def test_collection_off_leaves_no_log(server: Server, gateway: str) -> None:
    with dial(server, gateway, {"cf-aig-collect-log": "false"}) as ws:
        create(ws, step(), eventId="unseen")
        assert "logId" not in heard(ws)["metadata"]
    server.chat(gateway)
    (log,) = server.wait_for_logs(gateway, 1)
    assert log["event_id"] != "unseen"


def test_what_asks_wrongly_for_a_websocket_is_told(server: Server, gateway: str) -> None:
    path = f"/v1/{server.account_id}/{gateway}"
    asking = f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    for more in (
        "sec-websocket-version: 13\r\n",
        "sec-websocket-key: short\r\nsec-websocket-version: 13\r\n",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 8\r\n",
    ):
        with socket.create_connection(("127.0.0.1", server.port), WAIT) as raw:
            raw.sendall((asking + more + "\r\n").encode())
            received = b""
            while piece := raw.recv(65536):
                received += piece
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b"The WebSocket handshake is wrong" in received


def test_a_message_over_the_limit_closes_with_1009(tmp_path: Any, chaos: ChaosUpstream) -> None:
    upstreams = json.dumps({"openai": chaos.url + "/v1"})
    with running_server(
        tmp_path, GAUGEWAY_UPSTREAMS=upstreams, GAUGEWAY_MAX_REQUEST_BODY="100000", GAUGEWAY_IDLE_TIMEOUT="2"
    ) as server:
        gateway = server.make_gateway("small")
        with dial(server, gateway) as ws:
            ws.send("x" * 100_001)
            with pytest.raises(ConnectionClosed) as closed:
                ws.recv(WAIT)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        with (
            dial(server, gateway) as ws,
            pytest.raises(ConnectionClosed) as idle,
        ):  # nothing under way, nothing comes
            ws.recv(WAIT)
        assert idle.value.rcvd is not None
        assert idle.value.rcvd.code == 1001


def test_the_server_s_stop_lets_requests_end_first(tmp_path: Any, shared_upstream: Upstream) -> None:
    with running_server(tmp_path, shared_upstream.url) as server:
        gateway = server.make_gateway("stopped")
        with dial(server, gateway) as ws, dial(server, gateway) as resting:
            create(ws, step("drip", stream=True), eventId="slow")
            assert heard(ws)["type"] == "universal.created"
            stopping = threading.Thread(target=server.stop)
            stopping.start()
            kinds: list[str] = []
            with pytest.raises(ConnectionClosed) as closed:
                while True:
                    kinds.append(heard(ws)["type"])
            stopping.join(WAIT)
            assert kinds[-1] == "universal.done"
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            with pytest.raises(ConnectionClosed):
                resting.recv(WAIT)
        server.start()
        (log,) = server.wait_for_logs(gateway, 1)
        assert log["outcome"] == "success"
