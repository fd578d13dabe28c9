"""Requests through a real server to a real upstream: what arrives, what comes back, and the one log of each."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.server import Server, running_server
from support.upstream import USAGE, WORDS, Upstream

KEY = "sk-the-providers-own-key"


def only_log(server: Server, gateway: str) -> dict[str, Any]:
    """The gateway's one log, in detail; exactly one, or it fails."""
    logs = server.logs(gateway)
    assert len(logs) == 1, logs
    return server.manage("GET", f"/gateways/{gateway}/logs/{logs[0]['id']}")


def wait_for_log(server: Server, gateway: str, seconds: float = 20) -> dict[str, Any]:
    """The gateway's one log, where it is made only after the client has left."""
    deadline = time.monotonic() + seconds
    while not server.logs(gateway):
        assert time.monotonic() < deadline, "no log came"
        time.sleep(0.05)
    return only_log(server, gateway)


def body_of(server: Server, gateway: str, log: dict[str, Any], which: str) -> bytes:
    path = f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/{which}"
    answer = server.call("GET", path)
    assert answer.status == 200, answer
    return answer.body


def test_a_chat_passes_through_and_becomes_one_log(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    before = len(shared_upstream.seen)
    answer = server.chat(gateway, headers={"x-custom": "kept", "user-agent": "journey/1"})
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    assert answer.headers["x-upstream"] == "yes"
    assert answer.headers["cf-aig-step"] == "0"

    seen = shared_upstream.wait_for(before + 1)[before]
    assert seen.method == "POST"
    assert seen.target == "/v1/chat/completions"
    assert seen.header["authorization"] == f"Bearer {KEY}"
    assert seen.header["x-custom"] == "kept"
    assert not [name for name, _ in seen.headers if name.startswith("cf-")]
    assert seen.json["messages"][0]["content"] == "Say hello."

    log = only_log(server, gateway)
    assert log["id"] == answer.headers["cf-aig-log-id"] == answer.headers["cf-aig-event-id"]
    assert (log["provider"], log["model"], log["path"]) == ("openai", "ok", "v1/chat/completions")
    assert (log["success"], log["cached"], log["status_code"], log["outcome"]) == (True, False, 200, "success")
    assert (log["tokens_in"], log["tokens_out"]) == (20, 10)
    assert log["usage_metadata"]["input_cached_tokens"] == 4
    assert log["usage_metadata"]["output_reasoning_tokens"] == 3
    assert log["user_agent"] == "journey/1"
    assert log["request_content_type"] == log["response_content_type"] == "application/json"
    assert log["response_size"] == len(answer.body)
    assert log["duration"] >= log["first_byte_ms"] >= 0
    assert log["cost"] is None
    assert "ok" in log["cost_reason"]
    assert body_of(server, gateway, log, "response") == answer.body
    assert json.loads(body_of(server, gateway, log, "request"))["model"] == "ok"


def test_a_known_model_has_an_exact_cost(server: Server, gateway: str) -> None:
    server.chat(gateway, "gpt-4o-mini")
    log = only_log(server, gateway)
    # 16 new and 4 cached input tokens at 0.15 and 0.075 dollars a million, 10 output tokens at 0.60
    assert log["cost_exact"] == "0.0000087"
    assert log["cost"] == pytest.approx(0.0000087)
    assert log["cost_reason"] is None


def test_a_stream_arrives_piece_by_piece(server: Server, gateway: str) -> None:
    """The first piece is here before the upstream has written its last: nothing is held back."""
    url = urlsplit(server.gateway_url(gateway))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    body = json.dumps({"model": "drip", "stream": True, "stream_options": {"include_usage": True}})
    began = time.monotonic()
    connection.request("POST", f"{url.path}/openai/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    assert answer.getheader("content-type") == "text/event-stream"
    first = answer.read1()
    first_at = time.monotonic() - began
    rest = answer.read()
    whole_at = time.monotonic() - began
    connection.close()
    assert first.startswith(b"data: ")
    assert rest.endswith(b"data: [DONE]\n\n")
    assert first_at < whole_at / 2
    log = only_log(server, gateway)
    assert (log["outcome"], log["tokens_in"], log["tokens_out"]) == ("success", 20, 10)
    assert log["first_byte_ms"] < log["duration"]
    assert body_of(server, gateway, log, "response") == first + rest


def test_a_compressed_answer_reaches_the_client_as_it_was_and_is_read_for_the_log(
    server: Server, gateway: str
) -> None:
    answer = server.chat(gateway, "gzip", headers={"accept-encoding": "gzip, br"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.body[:2] == b"\x1f\x8b"
    log = only_log(server, gateway)
    assert (log["tokens_in"], log["tokens_out"]) == (20, 10)
    assert json.loads(body_of(server, gateway, log, "response"))["usage"] == USAGE


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_providers_error_passes_through_and_is_logged_as_one(server: Server, gateway: str, status: int) -> None:
    answer = server.chat(gateway, f"error-{status}")
    assert answer.status == status
    assert answer.json == {"error": {"message": "as asked", "code": status}}
    log = only_log(server, gateway)
    assert (log["success"], log["status_code"], log["outcome"]) == (False, status, "upstream_error")
    assert str(status) in log["error"]
    assert log["attempts"][0]["status_code"] == status


def test_a_stream_that_the_provider_cuts_does_not_end_cleanly(server: Server, gateway: str) -> None:
    url = urlsplit(server.gateway_url(gateway))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.request(
        "POST", f"{url.path}/openai/v1/chat/completions", json.dumps({"model": "cut", "stream": True})
    )
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as broken:
        answer.read()
    connection.close()
    assert b"Hello" in broken.value.partial
    log = wait_for_log(server, gateway)
    assert (log["success"], log["outcome"]) == (False, "stream_cut")
    assert log["error"]
    assert b"Hello" in body_of(server, gateway, log, "response")


def ask_with_http_1_0(server: Server, gateway: str, model: str) -> bytes:
    body = json.dumps({"model": model, "stream": True}).encode()
    path = urlsplit(server.gateway_url(gateway)).path + "/openai/v1/chat/completions"
    received = b""
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(f"POST {path} HTTP/1.0\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        while piece := raw.recv(65536):
            received += piece
    return received


def test_an_http_1_0_client_gets_a_stream_whole_or_not_at_all(server: Server, gateway: str) -> None:
    """It knows no chunks and takes the connection's end for the answer's: half an answer must not reach it."""
    whole = ask_with_http_1_0(server, gateway, "ok")
    head, _, body = whole.partition(b"\r\n\r\n")
    assert body.endswith(b"data: [DONE]\n\n")
    assert f"content-length: {len(body)}".encode() in head
    assert b"chunked" not in head
    assert ask_with_http_1_0(server, gateway, "cut") == b""
    assert [log["outcome"] for log in server.logs(gateway)] == ["stream_cut", "success"]


def test_a_json_answer_that_breaks_off_is_an_error_on_both_sides(server: Server, gateway: str) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.chat(gateway, "cut-json")
    log = wait_for_log(server, gateway)
    assert (log["success"], log["outcome"]) == (False, "stream_cut")


def test_a_client_that_hangs_up_cancels_the_upstream_and_leaves_its_log(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    for model, stream in (("hang", False), ("hang-mid", True)):
        before = len(shared_upstream.seen)
        raw = socket.create_connection(("127.0.0.1", server.port), 30)
        body = json.dumps({"model": model, "stream": stream}).encode()
        path = urlsplit(server.gateway_url(gateway)).path + "/openai/v1/chat/completions"
        raw.sendall(f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        seen = shared_upstream.wait_for(before + 1)[before]
        if stream:
            assert raw.recv(65536)
        raw.close()
        assert seen.abandoned.wait(20), "the upstream went on working for nobody"
        deadline = time.monotonic() + 20
        while not (logs := [log for log in server.logs(gateway) if log["model"] == model]):
            assert time.monotonic() < deadline
        assert [log["outcome"] for log in logs] == ["client_gone"]
        assert logs[0]["success"] is False


def test_an_upstream_that_refuses_is_told_apart_from_one_that_answers(tmp_path: Path) -> None:
    with running_server(tmp_path, "http://127.0.0.1:1") as server:
        gateway = server.make_gateway()
        answer = server.chat(gateway)
        assert answer.status == 502
        assert answer.json["name"] == "AiGatewayError"
        assert answer.json["error"][0]["code"] == 2005
        assert "openai" in answer.json["message"]
        log = only_log(server, gateway)
        assert (log["outcome"], log["status_code"], log["success"]) == ("upstream_error", 502, False)
        assert log["attempts"][0]["status_code"] is None
        assert log["attempts"][0]["error"]


def test_an_upstream_that_speaks_no_http_is_an_error(server: Server, gateway: str) -> None:
    answer = server.chat(gateway, "garbage")
    assert answer.status == 502
    assert only_log(server, gateway)["outcome"] == "upstream_error"


def test_a_silent_upstream_times_out(tmp_path: Path, upstream: Upstream) -> None:
    slow = {"GAUGEWAY_FIRST_BYTE_TIMEOUT": "0.5", "GAUGEWAY_IDLE_TIMEOUT": "0.5"}
    with running_server(tmp_path, upstream.url, **slow) as server:
        gateway = server.make_gateway("before-headers")
        answer = server.chat(gateway, "hang")
        assert (answer.status, answer.json["error"][0]["code"]) == (504, 2005)
        assert only_log(server, gateway)["outcome"] == "timeout"
        within = server.make_gateway("within")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            server.chat(within, "hang-mid", stream=True)
        assert wait_for_log(server, within)["outcome"] == "timeout"


def test_metadata_and_event_id_are_kept_and_echoed(server: Server, gateway: str) -> None:
    answer = server.chat(
        gateway, headers={"cf-aig-metadata": '{"team": "blue", "try": 2}', "cf-aig-event-id": "event-7"}
    )
    assert answer.headers["cf-aig-event-id"] == "event-7"
    log = only_log(server, gateway)
    assert log["metadata"] == {"team": "blue", "try": 2}
    assert log["event_id"] == "event-7"


def test_custom_cost_is_exact(server: Server, gateway: str) -> None:
    server.chat(gateway, headers={"cf-aig-custom-cost": '{"per_token_in": 0.000001, "per_token_out": 0.00001}'})
    log = only_log(server, gateway)
    assert (log["cost_exact"], log["custom_cost"]) == ("0.00012", True)


def test_a_log_can_be_declined_or_go_without_bodies(server: Server, gateway: str) -> None:
    quiet = server.chat(gateway, headers={"cf-aig-collect-log": "false"})
    assert quiet.status == 200
    assert "cf-aig-log-id" not in quiet.headers
    assert server.logs(gateway) == []
    server.chat(gateway, headers={"cf-aig-collect-log-payload": "false"})
    log = only_log(server, gateway)
    assert log["tokens_in"] == 20
    path = f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{gateway}/logs/{log['id']}/request"
    assert server.call("GET", path).status == 404


def test_a_gateway_that_collects_no_logs_can_be_overruled(server: Server) -> None:
    gateway = server.make_gateway("quiet", collect_logs=False)
    server.chat(gateway)
    assert server.logs(gateway) == []
    server.chat(gateway, headers={"cf-aig-collect-log": "true"})
    only_log(server, gateway)


def test_an_authenticated_gateway_wants_a_run_token(server: Server, shared_upstream: Upstream) -> None:
    gateway = server.make_gateway("locked", authentication=True)
    for headers in ({}, {"cf-aig-authorization": "Bearer wrong"}, {"cf-aig-authorization": f"Bearer {KEY}"}):
        refused = server.chat(gateway, headers=headers)
        assert refused.status == 401
        assert refused.json["error"] == [{"code": 2009, "message": "Unauthorized"}]
        assert refused.json["internalCode"] == 2009
    before = len(shared_upstream.seen)
    for headers in (
        {"cf-aig-authorization": f"Bearer {server.token}"},
        {"cf-aig-authorization": server.token},
        {"authorization": f"Bearer {server.token}"},
        {"x-api-key": server.token},
    ):
        assert server.chat(gateway, headers=headers).status == 200
    for seen in shared_upstream.wait_for(before + 4)[before:]:
        assert server.token not in str(seen.headers), "a gateway credential went upstream"
    logs = server.logs(gateway)
    assert [log["outcome"] for log in logs] == ["success"] * 4 + ["refused"] * 3


def test_no_credential_is_found_in_a_log(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    """The upstream echoes all it saw, the client repeats its key wherever it can: the log has it nowhere."""
    headers = {
        "cf-aig-authorization": f"Bearer {server.token}",
        "user-agent": f"agent/{KEY}",
        "cf-aig-collect-log": "true",
    }
    answer = server.chat(gateway, "echo", headers=headers, note=f"my key is {KEY}, my token {server.token}")
    assert KEY in answer.body.decode()
    log = only_log(server, gateway)
    shown = json.dumps(log) + body_of(server, gateway, log, "request").decode()
    shown += body_of(server, gateway, log, "response").decode()
    assert KEY not in shown
    assert server.token not in shown
    assert "[redacted]" in shown


def test_a_key_of_odd_signs_is_found_in_metadata(server: Server, gateway: str) -> None:
    key = "sk-it's\\an-odd\\key-0123456789"
    metadata = json.dumps({"note": f"it is {key}"})
    server.chat(gateway, headers={"authorization": f"Bearer {key}", "cf-aig-metadata": metadata})
    assert only_log(server, gateway)["metadata"] == {"note": "it is [redacted]"}


@pytest.mark.parametrize("word", ["lm-studio", "not-needed", "00000000"])
def test_a_key_that_is_a_common_word_costs_no_log(server: Server, word: str) -> None:
    """Local models are given any word for a key: the names of the gateway and the provider stay, and so the log."""
    gateway = server.make_gateway(word)
    headers = {"authorization": f"Bearer {word}", "user-agent": f"agent/{word}"}
    assert server.chat(gateway, f"{word}/llama", headers=headers).status == 200
    log = only_log(server, gateway)
    assert (log["provider"], log["outcome"], log["request_size"] > 0) == ("openai", "success", True)
    assert (log["user_agent"], log["model"]) == ("agent/[redacted]", "[redacted]/llama")


def test_what_does_not_exist_is_named(server: Server, gateway: str) -> None:
    unknown = server.call("POST", f"{server.url}/v1/{server.account_id}/nowhere/openai/v1/chat/completions", {})
    assert (unknown.status, unknown.json["error"][0]["code"]) == (400, 2001)
    assert "nowhere" in unknown.json["message"]
    foreign = server.call("POST", f"{server.url}/v1/{'f' * 32}/{gateway}/openai/v1/chat/completions", {})
    assert (foreign.status, foreign.json["error"][0]["code"]) == (400, 2001)
    provider = server.call("POST", f"{server.gateway_url(gateway)}/nobody/v1/x", {})
    assert (provider.status, provider.json["error"][0]["code"]) == (400, 2008)
    assert "nobody" in provider.json["message"]
    assert only_log(server, gateway)["outcome"] == "refused"


def test_a_bad_header_is_refused_by_name_and_goes_nowhere(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    before = len(shared_upstream.seen)
    answer = server.chat(gateway, headers={"cf-aig-cache-ttl": "59"})
    assert answer.status == 400
    assert "cf-aig-cache-ttl" in answer.json["message"]
    assert len(shared_upstream.seen) == before
    assert only_log(server, gateway)["outcome"] == "refused"


def test_the_default_gateway_makes_itself_for_whoever_may_run(tmp_path: Path, upstream: Upstream) -> None:
    with running_server(tmp_path, upstream.url) as server:
        assert server.chat("default").status == 400
        token = {"cf-aig-authorization": f"Bearer {server.token}"}
        assert server.chat("default", headers=token).status == 200
        made = server.manage("GET", "/gateways/default")
        assert (made["authentication"], made["collect_logs"], made["is_default"]) == (True, True, True)
        assert server.chat("default").status == 401


def test_too_large_requests_are_refused_and_logged(tmp_path: Path, upstream: Upstream) -> None:
    limits = {
        "GAUGEWAY_MAX_REQUEST_BODY": "2000",
        "GAUGEWAY_MAX_HEADER_BYTES": "3000",
        "GAUGEWAY_MAX_LOG_BODY": "100",
    }
    with running_server(tmp_path, upstream.url, **limits) as server:
        gateway = server.make_gateway()
        answer = server.chat(gateway, note="x" * 3000)
        assert (answer.status, answer.json["error"][0]["code"]) == (413, 2413)
        assert "2000 bytes" in answer.json["message"]
        assert only_log(server, gateway)["outcome"] == "refused"
        assert server.chat(gateway, headers={"x-long": "y" * 4000}).status == 431
        assert len(server.logs(gateway)) == 1  # its head was never whole, so it reached no gateway
        assert server.chat(gateway, note="z" * 500).status == 200
        log = server.manage("GET", f"/gateways/{gateway}/logs/{server.logs(gateway)[0]['id']}")
        assert log["request_size"] > 500
        assert log["request_head_complete"] is False
        assert len(body_of(server, gateway, log, "request")) == 100
        assert upstream.seen[-1].json["note"] == "z" * 500


def test_any_method_and_query_pass(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    for method in ("GET", "DELETE", "PUT", "PATCH"):
        before = len(shared_upstream.seen)
        answer = server.call(
            method, f"{server.gateway_url(gateway)}/openai/v1/files/a%2Fb?limit=2&x=%20y", headers={}
        )
        assert answer.status == 200
        seen = shared_upstream.wait_for(before + 1)[before]
        assert (seen.method, seen.target) == (method, "/v1/files/a%2Fb?limit=2&x=%20y")
    assert len(server.logs(gateway)) == 4


def test_a_custom_provider_is_reached_by_its_slug(server: Server, gateway: str, shared_upstream: Upstream) -> None:
    made = server.manage(
        "POST",
        "/custom-providers",
        {
            "name": "Mine",
            "slug": "mine",
            "base_url": shared_upstream.url + "/deep",
            "enable": True,
            "headers": '{"X-Extra": "from the provider", "x-custom": "theirs"}',
        },
    )
    before = len(shared_upstream.seen)
    answer = server.call(
        "POST",
        f"{server.gateway_url(gateway)}/custom-mine/v1/chat/completions",
        {"model": "ok"},
        {"x-custom": "mine"},
    )
    assert answer.status == 200
    seen = shared_upstream.wait_for(before + 1)[before]
    assert seen.target == "/deep/v1/chat/completions"
    assert (seen.header["x-extra"], seen.header["x-custom"]) == ("from the provider", "theirs")
    log = only_log(server, gateway)
    assert (log["provider"], log["tokens_in"]) == ("custom-mine", 20)
    server.manage("DELETE", f"/custom-providers/{made['id']}")
    gone = server.call(
        "POST", f"{server.gateway_url(gateway)}/custom-mine/v1/chat/completions", {"model": "ok"}, {}
    )
    assert (gone.status, gone.json["error"][0]["code"]) == (400, 2008)


def private_name() -> str:
    """A host name that looks like any other and leads to a private address of this machine."""
    for name in (socket.gethostname(), "ip6-loopback", "ip6-localhost"):
        try:
            address = socket.getaddrinfo(name, 443)[0][4][0]
        except OSError:
            continue
        if ip_address(address).is_private:
            return name
    pytest.skip("this machine has no name but localhost for one of its private addresses")


def test_a_custom_provider_may_not_point_inward(tmp_path: Path, upstream: Upstream) -> None:
    """The name is looked at when it is made, the address when it is connected to."""
    with running_server(tmp_path) as server:
        gateway = server.make_gateway()
        path = f"/client/v4/accounts/{server.account_id}/ai-gateway/custom-providers"
        literal = {"name": "In", "slug": "in", "base_url": "https://127.0.0.1/x", "enable": True}
        refused = server.call("POST", path, literal)
        assert refused.status == 400
        assert "GAUGEWAY_PRIVATE_UPSTREAMS" in refused.body.decode()
        port = urlsplit(upstream.url).port
        named = {"name": "In", "slug": "in", "base_url": f"https://{private_name()}:{port}", "enable": True}
        assert server.call("POST", path, named).status == 200
        answer = server.call("POST", f"{server.gateway_url(gateway)}/custom-in/v1/chat/completions", {}, {})
        assert answer.status == 400
        assert "GAUGEWAY_PRIVATE_UPSTREAMS" in answer.json["message"]
        assert upstream.seen == []
        assert only_log(server, gateway)["outcome"] == "refused"


def test_a_revoked_token_and_a_changed_gateway_count_at_once_in_every_process(server: Server) -> None:
    """Two workers share the server: whatever answers next must know."""
    gateway = server.make_gateway("changing", authentication=False)
    for authentication in (True, False, True):
        settings = {
            "cache_invalidate_on_update": False,
            "cache_ttl": 0,
            "collect_logs": True,
            "rate_limiting_interval": 0,
            "rate_limiting_limit": 0,
            "authentication": authentication,
        }
        server.manage("PUT", f"/gateways/{gateway}", settings)
        assert {server.chat(gateway).status for _ in range(12)} == {401 if authentication else 200}


def pipelined(server: Server, gateway: str, *models: str) -> socket.socket:
    """A connection over which several requests were sent at once, the last one asking to close it."""
    path = urlsplit(server.gateway_url(gateway)).path + "/openai/v1/chat/completions"
    sent = b""
    for index, model in enumerate(models):
        body = json.dumps({"model": model}).encode()
        close = "connection: close\r\n" if index == len(models) - 1 else ""
        sent += f"POST {path} HTTP/1.1\r\nhost: x\r\n{close}content-length: {len(body)}\r\n\r\n".encode() + body
    raw = socket.create_connection(("127.0.0.1", server.port), 30)
    raw.sendall(sent)
    return raw


def test_pipelined_requests_are_answered_in_order(server: Server, gateway: str) -> None:
    received = b""
    with pipelined(server, gateway, "ok", "error-404", "ok") as raw:
        while piece := raw.recv(65536):
            received += piece
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert statuses == [b"200", b"404", b"200"]
    assert len(server.logs(gateway)) == 3


def test_a_client_that_leaves_with_requests_in_the_pipe_leaves_a_log_of_what_was_begun(
    server: Server, gateway: str, shared_upstream: Upstream
) -> None:
    before = len(shared_upstream.seen)
    raw = pipelined(server, gateway, "hang", "ok")
    seen = shared_upstream.wait_for(before + 1)[before]
    raw.close()
    assert seen.abandoned.wait(20)
    assert wait_for_log(server, gateway)["outcome"] == "client_gone"


def test_head_and_empty_answers_have_no_body(server: Server, gateway: str) -> None:
    answer = server.call("HEAD", f"{server.gateway_url(gateway)}/openai/v1/models", headers={})
    assert (answer.status, answer.body) == (200, b"")
    assert only_log(server, gateway)["outcome"] == "success"


def test_a_head_that_never_ends_is_stopped(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 30) as raw:
        raw.sendall(b"GET /v1/x HTTP/1.1\r\n")
        received = b""
        try:
            for number in range(100_000):
                raw.sendall(b"x-%d: %b\r\n" % (number, b"y" * 1000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("100 MB of headers were taken in")
        try:
            received = raw.recv(65536)
        except ConnectionResetError:
            return
        assert received.startswith(b"HTTP/1.1 431 ")
