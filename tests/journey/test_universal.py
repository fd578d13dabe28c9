"""The universal endpoint through a real server: steps in turn, each with its own and nothing of the others."""

from __future__ import annotations

import http.client
import json
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from support.chaos_upstream import ChaosUpstream
from support.server import GATEWAY_REQUIRED, Answer, Server
from support.upstream import WORDS, Seen

OPENAI_KEY = "sk-openai-key-of-this-test"
ANTHROPIC_KEY = "sk-ant-key-of-this-test"


class Caller:
    """Universal requests, and what became of them."""

    def __init__(self, server: Server, gateway: str, chaos: ChaosUpstream) -> None:
        self.server = server
        self.gateway = gateway
        self.chaos = chaos
        self.names: list[str] = []
        self.sent = 0

    def step(self, *plan: str, provider: str = "openai", **more: Any) -> dict[str, Any]:
        """A step whose attempts go as planned, for `send`."""
        self.names.append(uuid4().hex)
        credential = {"authorization": f"Bearer {OPENAI_KEY}"}
        endpoint = "chat/completions"
        if provider == "anthropic":
            credential, endpoint = {"x-api-key": ANTHROPIC_KEY}, "v1/messages"
        query = {"model": f"{provider}-model", "chaos": list(plan), "name": self.names[-1], **more.pop("query", {})}
        return {"provider": provider, "endpoint": endpoint, "headers": credential, "query": query, **more}

    def send(self, *steps: Any, headers: dict[str, str] | None = None, path: str = "") -> Answer:
        return self.post(list(steps), headers or {}, path)

    def post(self, body: Any, headers: dict[str, str], path: str = "") -> Answer:
        self.sent += 1
        return self.server.call("POST", self.server.gateway_url(self.gateway) + path, body, headers)

    def seen(self, step: int) -> list[Seen]:
        """What the provider of a step was sent."""
        return self.chaos.of(self.names[step])

    def log(self) -> dict[str, Any]:
        """The gateway's newest log, in detail."""
        newest = self.server.wait_for_logs(self.gateway, self.sent)[0]["id"]
        return self.server.manage("GET", f"/gateways/{self.gateway}/logs/{newest}")

    def body(self, log: dict[str, Any], which: str) -> bytes:
        account = f"/client/v4/accounts/{self.server.account_id}/ai-gateway"
        return self.server.call("GET", f"{account}/gateways/{self.gateway}/logs/{log['id']}/{which}").body


@pytest.fixture
def caller(chaos_server: Server, chaos_gateway: str, chaos: ChaosUpstream) -> Caller:
    return Caller(chaos_server, chaos_gateway, chaos)


@pytest.mark.parametrize("path", ["", "/"])
def test_the_first_good_answer_is_the_answer(caller: Caller, path: str) -> None:
    answer = caller.send(caller.step("ok"), caller.step("ok", provider="anthropic"), path=path)
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "0")
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    assert len(caller.seen(0)) == 1
    assert caller.seen(1) == []
    log = caller.log()
    assert answer.headers["cf-aig-log-id"] == log["id"]
    assert (log["request_type"], log["provider"], log["model"]) == ("Universal", "openai", "openai-model")
    assert (log["path"], log["step"], log["outcome"]) == ("chat/completions", 0, "success")
    assert (log["tokens_in"], log["tokens_out"]) == (20, 10)


@pytest.mark.parametrize("failure", ["400", "401", "404", "429", "500", "503", "close", "reset", "garbage", "hang"])
def test_the_next_step_is_tried_after_any_failure(caller: Caller, failure: str) -> None:
    answer = caller.send(caller.step(failure), caller.step("ok", provider="anthropic"), caller.step("ok"))
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    log = caller.log()
    assert (log["provider"], log["model"], log["path"]) == ("anthropic", "anthropic-model", "v1/messages")
    assert (log["step"], log["outcome"], log["error"]) == (1, "success", None)
    first, second = log["attempts"]
    assert (first["provider"], first["step"]) == ("openai", 0)
    assert first["status_code"] == (int(failure) if failure.isdigit() else None)
    assert bool(first["error"]) is not failure.isdigit()
    assert (second["provider"], second["step"], second["status_code"]) == ("anthropic", 1, 200)
    assert caller.seen(2) == []


def test_each_step_gets_its_own_credentials_and_no_other(caller: Caller) -> None:
    outer = {
        "cf-aig-authorization": f"Bearer {caller.server.token}",
        "authorization": "Bearer an-outer-credential",
        "x-api-key": "another-outer-credential",
        "cookie": "session=outer-cookie",
        "x-private": "outer-header",
        "user-agent": "journey/2",
        "accept-language": "en",
    }
    steps = caller.step("503"), caller.step("503", provider="anthropic"), caller.step("ok")
    steps[0]["headers"] |= {"openai-organization": "org-of-step-0"}
    steps[2]["headers"] = {"Authorization": "Bearer sk-third-key", "User-Agent": "step/2"}
    assert caller.send(*steps, headers=outer).status == 200
    first, second, third = (caller.seen(index)[0] for index in range(3))
    assert first.header["authorization"] == f"Bearer {OPENAI_KEY}"
    assert first.header["openai-organization"] == "org-of-step-0"
    assert second.header["x-api-key"] == ANTHROPIC_KEY
    assert (third.header["authorization"], third.header["user-agent"]) == ("Bearer sk-third-key", "step/2")
    for index, seen in enumerate((first, second, third)):
        text = json.dumps(seen.headers) + seen.body.decode()
        foreign = [key for at, key in enumerate((OPENAI_KEY, ANTHROPIC_KEY, "sk-third-key")) if at != index]
        for secret in (*foreign, caller.server.token, "outer-credential", "outer-cookie", "outer-header"):
            assert secret not in text
        assert not [name for name in seen.header if name.startswith("cf-")]
        assert seen.header["content-type"] == "application/json"
        assert seen.header["accept-language"] == "en"
    assert second.header["user-agent"] == "journey/2"
    assert "authorization" not in second.header


def test_no_credential_of_any_step_is_found_in_the_log(caller: Caller) -> None:
    """Not even where a step's query repeats another step's key."""
    steps = [caller.step("503"), caller.step("ok", provider="anthropic", query={"note": f"it is {OPENAI_KEY}"})]
    steps[1]["endpoint"] = f"v1/messages?key=AIza-in-the-endpoint&note={ANTHROPIC_KEY}"
    steps[1]["query"]["more"] = "AIza-in-the-endpoint"
    answer = caller.send(*steps)
    assert answer.status == 200
    assert caller.seen(1)[0].target.startswith("/v1/messages?key=AIza-in-the-endpoint")
    assert OPENAI_KEY in caller.seen(1)[0].body.decode(), "what is sent stays as it was written"
    log = caller.log()
    shown = json.dumps(log) + caller.body(log, "request").decode() + caller.body(log, "response").decode()
    for secret in (OPENAI_KEY, ANTHROPIC_KEY, "AIza-in-the-endpoint"):
        assert secret not in shown
    assert "[redacted]" in shown


def test_the_log_keeps_the_query_of_the_step_that_answered(caller: Caller) -> None:
    steps = caller.step("503", query={"which": "first"}), caller.step("ok", query={"which": "second"})
    caller.send(*steps)
    log = caller.log()
    assert json.loads(caller.body(log, "request")) == steps[1]["query"]
    assert log["request_size"] == len(json.dumps(steps))


def test_a_query_travels_byte_for_byte(caller: Caller) -> None:
    name = uuid4().hex
    numbers = '"exact": 1.10, "big": 123456789012345678901234567890'
    query = f'{{ "chaos":["ok"],  "name":"{name}", {numbers}, "ü": "\\u00fc" }}'
    body = f'[{{"provider": "openai", "endpoint": "/v1/chat/completions?a=b%20c", "query": {query}}}]'
    answer = caller.post(body.encode(), {})
    assert answer.status == 200, answer.body
    seen = caller.chaos.of(name)[0]
    assert seen.body.decode() == query
    assert seen.target == "/v1/chat/completions?a=b%20c"


def test_a_single_step_needs_no_list(caller: Caller) -> None:
    answer = caller.post(caller.step("ok"), {})
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "0")
    assert caller.log()["request_type"] == "Universal"


def test_header_values_may_be_anything_but_null(caller: Caller) -> None:
    step = caller.step("ok")
    step["headers"] = {
        "X-Number": 3,
        "x-float": 1.5,
        "x-flag": True,
        "x-list": [1, "ü"],
        "x-object": {"a": {"b": 1}},
    }
    assert caller.send(step | {"authorization": "Bearer the-old-spelling"}).status == 200
    header = caller.seen(0)[0].header
    assert [header[name] for name in ("x-number", "x-float", "x-flag")] == ["3", "1.5", "true"]
    assert json.loads(header["x-list"].encode("latin-1")) == [1, "ü"]
    assert json.loads(header["x-object"]) == {"a": {"b": 1}}
    assert header["authorization"] == "Bearer the-old-spelling"


def test_a_token_of_the_gateways_own_never_goes_upstream(caller: Caller) -> None:
    step = caller.step("ok")
    step["headers"] = {"authorization": f"Bearer {caller.server.token}", "x-api-key": caller.server.token}
    step["endpoint"] += f"?key={caller.server.token}&a=1"
    assert caller.send(step).status == 200
    seen = caller.seen(0)[0]
    assert seen.target == "/v1/chat/completions?a=1"
    assert caller.server.token not in json.dumps(seen.headers)


def test_an_authenticated_gateway_wants_a_token_here_too(caller: Caller) -> None:
    caller.server.manage("PUT", f"/gateways/{caller.gateway}", GATEWAY_REQUIRED | {"authentication": True})
    refused = caller.send(caller.step("ok"))
    assert (refused.status, refused.json["error"][0]["code"]) == (401, 2009)
    assert caller.seen(0) == []
    log = caller.log()
    assert (log["request_type"], log["provider"], log["outcome"]) == ("Universal", "unknown", "refused")
    token = {"cf-aig-authorization": f"Bearer {caller.server.token}"}
    assert caller.send(caller.step("ok"), headers=token).status == 200


def test_when_all_steps_fail_the_last_ones_answer_is_returned(caller: Caller) -> None:
    answer = caller.send(caller.step("503"), caller.step("hang-in-error"), caller.step("429;retry-after=3"))
    assert (answer.status, answer.headers["cf-aig-step"], answer.headers["retry-after"]) == (429, "2", "3")
    assert answer.json == {"error": {"message": "as planned, attempt 1"}}
    log = caller.log()
    assert (log["outcome"], log["step"], log["status_code"]) == ("upstream_error", 2, 429)
    assert [attempt["status_code"] for attempt in log["attempts"]] == [503, 503, 429]
    assert [attempt["step"] for attempt in log["attempts"]] == [0, 1, 2]


def test_when_the_last_step_has_no_answer_the_gateway_says_so(caller: Caller) -> None:
    refused = {"provider": "groq", "endpoint": "chat/completions", "query": {}}
    answer = caller.send(caller.step("401"), refused)
    assert (answer.status, answer.json["error"][0]["code"], answer.headers["cf-aig-step"]) == (502, 2005, "1")
    assert "groq" in answer.json["message"]
    log = caller.log()
    assert (log["provider"], log["step"], log["outcome"]) == ("groq", 1, "upstream_error")


def test_a_stream_after_two_failed_steps(caller: Caller) -> None:
    more = {"query": {"stream": True, "stream_options": {"include_usage": True}}}
    answer = caller.send(
        caller.step("reset", **more), caller.step("hang-after-head", **more), caller.step("ok", **more)
    )
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.body.endswith(b"data: [DONE]\n\n")
    log = caller.log()
    assert (log["step"], log["outcome"], log["tokens_out"]) == (2, "success", 10)
    assert caller.body(log, "response") == answer.body


def test_a_step_may_be_tried_several_times(caller: Caller) -> None:
    """Step before request, request before gateway."""
    settings = {"retry_max_attempts": 3, "retry_delay": 1, "retry_backoff": "constant"}
    caller.server.manage("PUT", f"/gateways/{caller.gateway}", GATEWAY_REQUIRED | settings)
    steps = [
        caller.step("503", config={"maxAttempts": 1}),
        caller.step("503"),
        caller.step("503"),
        caller.step("503", "503", "503", "ok", config={"maxAttempts": 4, "retryDelay": 0, "backoff": "linear"}),
    ]
    steps[1]["headers"]["cf-aig-max-attempts"] = 5
    assert caller.send(*steps, headers={"cf-aig-max-attempts": "2"}).status == 200
    assert [len(caller.seen(index)) for index in range(4)] == [1, 5, 2, 4]
    assert [attempt["step"] for attempt in caller.log()["attempts"]] == [0] + [1] * 5 + [2] * 2 + [3] * 4
    assert not [name for name in caller.seen(1)[0].header if name.startswith("cf-")]
    caller.send(caller.step("503"))
    assert len(caller.seen(4)) == 3


@pytest.mark.parametrize("where", ["config", "header of the step", "header of the request"])
def test_a_step_that_takes_too_long_gives_way_to_the_next(caller: Caller, where: str) -> None:
    slow, headers = caller.step("late:1.2"), {}
    if where == "config":
        slow["config"] = {"requestTimeout": 100}
    elif where == "header of the step":
        slow["headers"]["cf-aig-request-timeout"] = "100"
    else:
        headers = {"cf-aig-request-timeout": "100"}
    answer = caller.send(slow, caller.step("ok"), headers=headers)
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    first = caller.log()["attempts"][0]
    assert "100 ms" in first["error"]
    assert caller.seen(0)[0].abandoned.wait(20)


def test_a_step_may_say_more_about_its_own_log(caller: Caller) -> None:
    steps = [caller.step("503"), caller.step("ok")]
    steps[0]["headers"]["cf-aig-custom-cost"] = {"total_cost": 5}
    steps[1]["headers"] |= {"cf-aig-custom-cost": {"total_cost": 0.25}, "cf-aig-metadata": {"step": 1}}
    answer = caller.send(*steps, headers={"cf-aig-metadata": '{"step": "any"}', "cf-aig-event-id": "event-9"})
    log = caller.log()
    assert (log["cost_exact"], log["metadata"], log["event_id"]) == ("0.25", {"step": 1}, "event-9")
    assert answer.headers["cf-aig-event-id"] == "event-9"


GOOD = {"provider": "openai", "endpoint": "chat/completions", "query": {"model": "ok"}}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"endpoint": "x", "query": {}}, "provider"),
        (GOOD | {"provider": 5}, "provider: Expected `str`"),
        (GOOD | {"provider": "nobody"}, "nobody"),
        (GOOD | {"provider": "custom-none"}, "none"),
        (GOOD | {"provider": "compat"}, "model: "),
        (GOOD | {"provider": "compat", "query": {"model": "nobody/x"}}, "does not begin with a provider"),
        (GOOD | {"provider": "compat", "query": {"model": "anthropic/x", "seed": 1}}, "messages"),
        (GOOD | {"provider": "compat", "endpoint": "models"}, "takes GET"),
        ({"provider": "openai", "query": {}}, "endpoint"),
        ({"provider": "openai", "endpoint": "x"}, "query"),
        (GOOD | {"endpoint": "../admin"}, "endpoint: "),
        (GOOD | {"endpoint": "a b"}, "endpoint: "),
        (GOOD | {"endpoint": "a?b=c d"}, "endpoint: "),
        (GOOD | {"endpoint": "ü"}, "endpoint: "),
        (GOOD | {"endpoint": "https://api.openai.com/v1/chat/completions"}, "endpoint: "),
        (GOOD | {"headers": {"x-a": None}}, "headers.x-a: "),
        (GOOD | {"headers": {"x-a": "1\r\nx-b: 2"}}, "headers.x-a: "),
        (GOOD | {"headers": {"x a": "1"}}, "headers: "),
        (GOOD | {"headers": {"x-a": "1", "X-A": "2"}}, "headers.x-a: "),
        (GOOD | {"headers": {"x-a": "y" * 70_000}}, "headers: "),
        (GOOD | {"headers": []}, "headers: "),
        (GOOD | {"headers": {"cf-aig-max-attempts": 9}}, "cf-aig-max-attempts"),
        (GOOD | {"headers": {"cf-aig-something-new": 9}}, "cf-aig-something-new"),
        (GOOD | {"headers": {"cf-aig-cache-ttl": 60}}, "headers.cf-aig-cache-ttl: "),
        (GOOD | {"headers": {"cf-aig-cache-key": "k"}}, "headers.cf-aig-cache-key: "),
        (GOOD | {"headers": {"cf-aig-gateway-id": "other"}}, "cf-aig-gateway-id"),
        (GOOD | {"authorization": "a\nb"}, "authorization"),
        (GOOD | {"config": {"maxAttempts": 0}}, "config.maxAttempts: "),
        (GOOD | {"config": {"requestTimeout": "1s"}}, "config.requestTimeout: "),
        (GOOD | {"config": {"retryDelay": 60_001}}, "config.retryDelay: "),
        (GOOD | {"config": {"backoff": "random"}}, "config.backoff: "),
        (GOOD | {"config": {"retries": 2}}, "retries"),
        (GOOD | {"config": {"retryDelay": 5}}, "cf-aig-retry-delay"),
        (GOOD | {"more": 1}, "more"),
        ("a text", "Expected `object`"),
    ],
)
def test_a_bad_step_is_named_and_nothing_is_sent(caller: Caller, step: Any, said: str) -> None:
    answer = caller.send(caller.step("ok"), step, caller.step("ok"))
    assert answer.status == 400, answer.body
    assert answer.json["message"].startswith("Step 1: ")
    assert said in answer.json["message"]
    assert answer.json["error"][0]["code"] in (7001, 2008, 2019, 7003)
    assert caller.seen(0) == []
    log = caller.log()
    assert (log["outcome"], log["provider"], log["request_type"], log["attempts"]) == (
        "refused",
        "unknown",
        "Universal",
        [],
    )
    assert OPENAI_KEY not in json.dumps(log)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"[1", b"5", b'"x"', b"\xff", b"[" * 50_000, json.dumps([GOOD] * 21).encode()]
)
def test_what_is_no_list_of_steps_is_refused(caller: Caller, body: bytes) -> None:
    answer = caller.post(body, {})
    assert answer.status == 400
    assert "steps" in answer.json["message"] or answer.json["message"].startswith("Step 0: ")
    assert caller.log()["outcome"] == "refused"


def test_only_post_and_no_query_of_its_own(caller: Caller) -> None:
    url = caller.server.gateway_url(caller.gateway)
    assert caller.server.call("GET", url, headers={}).status == 405
    assert caller.server.call("POST", f"{url}?api-version=1", [GOOD], {}).status == 400
    assert caller.server.call("POST", f"{url}//chat/completions", GOOD, {}).status == 404


def test_the_cache_has_the_first_steps_answer_only(caller: Caller) -> None:
    first, second = caller.step("503", "ok"), caller.step("ok", provider="anthropic")
    headers = {"cf-aig-cache-ttl": "60"}
    fallen_back = caller.send(first, second, headers=headers)
    assert (fallen_back.headers["cf-aig-step"], fallen_back.headers["cf-aig-cache-status"]) == ("1", "MISS")
    recovered = caller.send(first, second, headers=headers)
    assert (recovered.headers["cf-aig-step"], recovered.headers["cf-aig-cache-status"]) == ("0", "MISS")
    kept = caller.send(first, headers=headers)
    assert (kept.headers["cf-aig-step"], kept.headers["cf-aig-cache-status"]) == ("0", "HIT")
    assert kept.body == recovered.body
    assert (len(caller.seen(0)), len(caller.seen(1))) == (2, 1)
    log = caller.log()
    assert (log["request_type"], log["outcome"], log["provider"]) == ("Universal", "cached", "openai")


def test_a_rate_limit_counts_a_request_once(caller: Caller) -> None:
    settings = {"rate_limiting_limit": 2, "rate_limiting_interval": 3600, "rate_limiting_technique": "sliding"}
    caller.server.manage("PUT", f"/gateways/{caller.gateway}", GATEWAY_REQUIRED | settings)
    steps = caller.step("503", "503", "503", config={"maxAttempts": 3, "retryDelay": 1}), caller.step("ok")
    assert [caller.send(*steps).status for _ in range(3)] == [200, 200, 429]
    log = caller.log()
    assert (log["outcome"], log["request_type"], log["attempts"]) == ("rate_limited", "Universal", [])
    assert OPENAI_KEY not in json.dumps(log)


def test_a_step_may_be_asked_in_another_dialect(caller: Caller) -> None:
    """A step that fails, then one in the format of Responses for a model that speaks chat completions."""
    caller.names.append(uuid4().hex)
    query = {"model": "groq/x", "input": "Hello"}
    key = {"authorization": f"Bearer {OPENAI_KEY}"}
    refused = caller.send({"provider": "compat", "endpoint": "responses", "query": query, "headers": key})
    assert refused.status == 502, "groq refuses every connection here"
    log = caller.log()
    assert (log["provider"], log["path"], log["model"]) == ("groq", "compat/responses", "x")


@pytest.mark.parametrize("header", ["cf-aig-authorization", "authorization", "x-api-key"])
def test_a_token_that_stands_in_a_step_only_is_the_requests(caller: Caller, header: str) -> None:
    caller.gateway = caller.server.make_gateway(f"steps-{uuid4().hex[:8]}", authentication=True)
    keyed = caller.step("503") | {"headers": {header: f"Bearer {caller.server.token}"}}
    answer = caller.send(caller.step("503"), keyed, caller.step("ok"))
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "2")
    token = caller.server.token.encode()
    for step in range(3):
        [sent] = caller.seen(step)
        assert token not in sent.body
        assert all(token not in value.encode() for _, value in sent.header.items())
    log = caller.log()
    assert log["authentication"] is True


@pytest.mark.parametrize("secret", ["Bearer of-nobody-at-all", None])
def test_without_one_in_any_step_nothing_is_told_or_sent(caller: Caller, secret: str | None) -> None:
    caller.gateway = caller.server.make_gateway(f"steps-{uuid4().hex[:8]}", authentication=True)
    step = caller.step("ok")
    if secret is not None:
        step |= {"headers": {"cf-aig-authorization": secret}}
    bodies: list[Any] = [[step], [step, {"provider": "nobody"}], {"no": "steps"}, [GOOD] * 21, "x", []]
    for body in bodies:
        answer = caller.post(body, {})
        assert (answer.status, answer.json["error"][0]) == (401, {"code": 2009, "message": "Unauthorized"})
    large = [step | {"query": {"text": "x" * 1_100_000}}, GOOD | {"authorization": caller.server.token}]
    assert refusal_of_large(caller, large) in (401, None)
    assert caller.seen(0) == []
    assert {log["outcome"] for log in caller.server.wait_for_logs(caller.gateway, len(bodies) + 1)} == {"refused"}


def refusal_of_large(caller: Caller, body: Any) -> int | None:
    """The status that a body is refused with; None where the server had closed before all of it was sent."""
    url = urlsplit(caller.server.gateway_url(caller.gateway))
    connecting = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    with suppress(ConnectionError), closing(connecting) as connection:
        connection.request("POST", url.path, json.dumps(body), {"content-type": "application/json"})
        return connection.getresponse().status
    return None
