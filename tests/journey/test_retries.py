"""Attempts through a real server: which failures are tried again, how long between, and what the log keeps."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from support.chaos_upstream import ChaosUpstream
from support.server import GATEWAY_REQUIRED, Answer, Server
from support.upstream import WORDS

KEY = "sk-the-providers-own-key"
QUICK = {"cf-aig-retry-delay": "1", "cf-aig-backoff": "constant"}


class Caller:
    """Chats whose attempts go as planned, and what became of them."""

    def __init__(self, server: Server, gateway: str, chaos: ChaosUpstream) -> None:
        self.server = server
        self.gateway = gateway
        self.chaos = chaos
        self.name = ""
        self.sent = 0

    def body(self, *plan: str, **more: Any) -> dict[str, Any]:
        self.name = uuid4().hex
        self.sent += 1
        return {"model": "ok", "chaos": plan, "name": self.name, **more}

    def chat(self, *plan: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        sent = {"authorization": f"Bearer {KEY}", **(headers or {})}
        url = f"{self.server.gateway_url(self.gateway)}/openai/v1/chat/completions"
        return self.server.call("POST", url, self.body(*plan, **more), sent)

    def retry(self, attempts: int, *plan: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        return self.chat(*plan, headers={"cf-aig-max-attempts": str(attempts), **QUICK, **(headers or {})}, **more)

    @property
    def asked(self) -> int:
        """How often the upstream was asked for the last chat."""
        return self.chaos.attempts[self.name]

    def log(self) -> dict[str, Any]:
        """The gateway's newest log, in detail; it may be made only after the client has left."""
        newest = self.server.wait_for_logs(self.gateway, self.sent)[0]["id"]
        return self.server.manage("GET", f"/gateways/{self.gateway}/logs/{newest}")


@pytest.fixture
def caller(chaos_server: Server, chaos_gateway: str, chaos: ChaosUpstream) -> Caller:
    return Caller(chaos_server, chaos_gateway, chaos)


@pytest.mark.parametrize("failure", ["408", "409", "429", "500", "502", "503", "529", "close", "reset", "garbage"])
def test_what_may_pass_is_tried_again(caller: Caller, failure: str) -> None:
    answer = caller.retry(3, failure, failure, "ok")
    assert answer.status == 200
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    assert caller.asked == 3
    log = caller.log()
    assert (log["outcome"], log["status_code"], log["tokens_in"], log["error"]) == ("success", 200, 20, None)
    statuses = [attempt["status_code"] for attempt in log["attempts"]]
    assert statuses == [int(failure) if failure.isdigit() else None] * 2 + [200]
    assert [bool(attempt["error"]) for attempt in log["attempts"]] == [not failure.isdigit()] * 2 + [False]
    assert {(attempt["provider"], attempt["step"]) for attempt in log["attempts"]} == {("openai", 0)}
    assert all(attempt["duration"] >= 0 for attempt in log["attempts"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_would_fail_again_is_not(caller: Caller, status: int) -> None:
    assert caller.retry(5, str(status), "ok").status == status
    assert caller.asked == 1


def test_the_last_attempts_answer_is_the_providers_own(caller: Caller) -> None:
    answer = caller.retry(3, "503", "500", "429;retry-after=7", "ok")
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert answer.json == {"error": {"message": "as planned, attempt 3"}}
    log = caller.log()
    assert (log["outcome"], log["status_code"]) == ("upstream_error", 429)
    assert [attempt["status_code"] for attempt in log["attempts"]] == [503, 500, 429]


def test_without_an_answer_at_the_end_the_gateway_says_so(caller: Caller) -> None:
    answer = caller.retry(2, "503", "reset")
    assert (answer.status, answer.json["error"][0]["code"]) == (502, 2005)
    log = caller.log()
    assert (log["outcome"], log["status_code"], len(log["attempts"])) == ("upstream_error", 502, 2)


def test_a_refused_connection_is_tried_again(caller: Caller) -> None:
    url = f"{caller.server.gateway_url(caller.gateway)}/groq/chat/completions"
    answer = caller.server.call("POST", url, caller.body("ok"), {"cf-aig-max-attempts": "3", **QUICK})
    assert (answer.status, answer.json["error"][0]["code"]) == (502, 2005)
    attempts = caller.log()["attempts"]
    assert [(attempt["provider"], attempt["status_code"]) for attempt in attempts] == [("groq", None)] * 3
    assert all(attempt["error"] for attempt in attempts)


def test_what_a_failed_attempt_says_it_used_is_part_of_the_cost(caller: Caller) -> None:
    rates = {"cf-aig-custom-cost": '{"per_token_in": "0.0001", "per_token_out": "0.01"}'}  # 0.102 an answer
    assert caller.retry(3, "charged", "503", "ok", headers=rates).status == 200
    log = caller.log()
    assert (log["cost_exact"], log["tokens_out"], log["cost_is_minimum"]) == ("0.204", 10, False)
    used = [attempt["usage_metadata"] and attempt["usage_metadata"]["output_tokens"] for attempt in log["attempts"]]
    assert used == [10, None, None]


def test_an_attempt_that_gave_no_answer_is_marked_as_perhaps_billed(caller: Caller) -> None:
    assert caller.retry(4, "reset", "cut-after-head", "503", "ok").status == 200
    log = caller.log()
    assert [attempt["may_be_billed"] for attempt in log["attempts"]] == [True, True, False, False]
    assert log["cost_is_minimum"] is (log["cost"] is not None)


def test_an_attempt_without_an_answer_in_time_is_tried_again(caller: Caller) -> None:
    """Here the server's own timer strikes."""
    assert caller.retry(2, "hang", "ok").status == 200
    first = caller.log()["attempts"][0]
    assert first["status_code"] is None
    assert first["duration"] >= 1500
    assert caller.chaos.of(caller.name)[0].abandoned.wait(20), "the first attempt was left running"


@pytest.mark.parametrize("failure", ["hang-after-head", "cut-after-head"])
def test_an_answer_whose_body_never_begins_is_tried_again(caller: Caller, failure: str) -> None:
    answer = caller.retry(2, failure, "ok")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    first = caller.log()["attempts"][0]
    assert first["status_code"] == 200
    assert first["error"]


@pytest.mark.parametrize("failure", ["cut", "reset-mid", "hang-mid"])
def test_once_a_byte_went_downstream_nothing_is_tried_again(caller: Caller, failure: str) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        caller.retry(3, failure, "ok", stream=True)
    assert caller.asked == 1
    assert caller.log()["outcome"] == ("timeout" if failure == "hang-mid" else "stream_cut")
    assert len(caller.log()["attempts"]) == 1


def test_the_answer_to_a_failed_attempt_may_stay_away(caller: Caller) -> None:
    """Its connection is closed rather than waited for."""
    assert caller.retry(2, "hang-in-error", "ok").status == 200
    assert [attempt["status_code"] for attempt in caller.log()["attempts"]] == [503, 200]
    assert caller.chaos.of(caller.name)[0].abandoned.wait(20)


def test_a_stream_after_a_failed_attempt(caller: Caller) -> None:
    answer = caller.retry(2, "503", "ok", stream=True, stream_options={"include_usage": True})
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert answer.body.count(b"data: ") == len(WORDS) + 2
    log = caller.log()
    assert (log["outcome"], log["tokens_out"], log["response_size"]) == ("success", 10, len(answer.body))
    assert 0 <= log["first_byte_ms"] <= log["duration"]


def test_what_the_provider_asks_for_is_waited(caller: Caller) -> None:
    for hint in (
        "retry-after=1",
        "retry-after-ms=1000",
        "x-ratelimit-remaining-requests=0;x-ratelimit-reset-requests=1s",
    ):
        assert caller.retry(2, f"429;{hint}", "ok").status == 200
        log = caller.log()
        assert log["duration"] - sum(attempt["duration"] for attempt in log["attempts"]) >= 950, hint


def test_a_provider_that_wants_to_be_left_alone_is(caller: Caller) -> None:
    answer = caller.retry(5, "429;retry-after=3600", "ok")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3600")
    assert caller.asked == 1


def test_the_gateways_settings_hold_unless_the_request_says_otherwise(caller: Caller) -> None:
    settings = {"retry_max_attempts": 2, "retry_delay": 1, "retry_backoff": "linear"}
    made = caller.server.manage("PUT", f"/gateways/{caller.gateway}", GATEWAY_REQUIRED | settings)
    assert {name: made[name] for name in settings} == settings
    assert caller.chat("503", "ok").status == 200
    assert caller.chat("503", "503", "ok").status == 503
    assert caller.chat("503", "503", "ok", headers={"cf-aig-max-attempts": "3"}).status == 200
    assert caller.chat("503", "ok", headers={"cf-aig-max-attempts": "1"}).status == 503
    caller.server.manage("PUT", f"/gateways/{caller.gateway}", GATEWAY_REQUIRED)
    assert caller.chat("503", "ok").status == 503


@pytest.mark.parametrize("header", ["cf-aig-retry-delay", "cf-aig-backoff"])
def test_a_wish_without_a_second_attempt_is_refused_by_name(caller: Caller, header: str) -> None:
    answer = caller.chat("503", "ok", headers={header: QUICK[header]})
    assert answer.status == 400
    assert header in answer.json["message"]
    assert "cf-aig-max-attempts" in answer.json["message"]
    assert caller.asked == 0
    assert caller.log()["outcome"] == "refused"
    assert caller.chat("ok", headers={header: QUICK[header], "cf-aig-max-attempts": "1"}).status == 200


def test_a_timeout_of_the_requests_own(caller: Caller) -> None:
    answer = caller.chat("hang", headers={"cf-aig-request-timeout": "100"})
    assert (answer.status, answer.json["error"][0]["code"]) == (504, 2005)
    assert "100 ms" in answer.json["message"]
    log = caller.log()
    assert (log["outcome"], log["status_code"]) == ("timeout", 504)
    assert log["attempts"][0]["duration"] >= 99  # the event loop's timers may come a millisecond early
    assert caller.chaos.of(caller.name)[0].abandoned.wait(20)
    assert caller.chat("ok", headers={"cf-aig-request-timeout": "10000"}).status == 200


def test_the_timeout_ends_with_the_first_byte(caller: Caller) -> None:
    late = caller.chat("hang-after-head", headers={"cf-aig-request-timeout": "200"}, stream=True)
    assert (late.status, late.json["error"][0]["code"]) == (504, 2005)
    slow = caller.chat("drip", headers={"cf-aig-request-timeout": "1000"}, stream=True)
    assert slow.body.endswith(b"data: [DONE]\n\n")
    assert caller.log()["duration"] > 1000


def test_the_last_of_several_attempts_may_take_its_time(caller: Caller) -> None:
    answer = caller.retry(2, "hang", "late:0.8", headers={"cf-aig-request-timeout": "200"})
    assert answer.status == 200
    first, second = caller.log()["attempts"]
    assert (first["status_code"], second["status_code"]) == (None, 200)
    assert first["duration"] < 800 <= second["duration"]


def hang_up_during(caller: Caller, *plan: str, **headers: str) -> None:
    """Send a chat, and leave once its first attempt has arrived and failed."""
    body = json.dumps(caller.body(*plan)).encode()
    path = urlsplit(caller.server.gateway_url(caller.gateway)).path + "/openai/v1/chat/completions"
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\n{lines}content-length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", caller.server.port), 30) as raw:
        raw.sendall(head + body)
        deadline = time.monotonic() + 20
        while not (seen := caller.chaos.of(caller.name)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        if plan[0] != "hang":
            assert seen[0].finished.wait(20)


def test_a_client_that_leaves_between_attempts_ends_them_at_once(caller: Caller) -> None:
    hang_up_during(caller, "503", "ok", cf_aig_max_attempts="2", cf_aig_retry_delay="60000")
    log = caller.log()
    assert (log["outcome"], log["status_code"], len(log["attempts"])) == ("client_gone", None, 1)
    assert caller.asked == 1


def test_an_attempt_that_the_client_did_not_wait_for_is_kept(caller: Caller) -> None:
    for headers in ({}, {"cf_aig_max_attempts": "2"}):
        hang_up_during(caller, "hang", **headers)
        assert caller.chaos.of(caller.name)[0].abandoned.wait(20)
        log = caller.log()
        assert log["outcome"] == "client_gone"
        assert [(attempt["status_code"], bool(attempt["error"])) for attempt in log["attempts"]] == [(None, True)]
