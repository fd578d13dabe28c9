"""Requests for `dynamic/{name}` through a real server: which model answers, what the log says, what is counted."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from support.chaos_upstream import ChaosUpstream
from support.route_caller import KEY, Caller
from support.routes import conditional, model, percentage, rate
from support.server import Server
from support.upstream import WORDS, Upstream


@pytest.fixture
def caller(server: Server, gateway: str) -> Caller:
    return Caller(server, gateway)


@pytest.fixture
def failing(chaos_server: Server, chaos_gateway: str) -> Caller:
    """Requests to it carry `chaos` and `name`; the provider `groq` refuses every connection."""
    return Caller(chaos_server, chaos_gateway)


def test_the_routes_model_answers(caller: Caller, shared_upstream: Upstream) -> None:
    route = caller.route(model("m", name="ok-1"))
    answer = caller.ask()
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    assert (answer.headers["cf-aig-provider"], answer.headers["cf-aig-model"]) == ("openai", "ok-1")
    assert answer.headers["cf-aig-step"] == "0"
    seen = shared_upstream.seen[-1]
    assert (seen.json["model"], seen.header["authorization"]) == ("ok-1", f"Bearer {KEY}")
    log = caller.log()
    assert (log["id"], log["outcome"]) == (answer.headers["cf-aig-log-id"], "success")
    assert (log["provider"], log["model"], log["path"]) == ("openai", "ok-1", "compat/chat/completions")
    assert (log["request_type"], log["tokens_in"], log["tokens_out"]) == (None, 20, 10)
    assert log["dynamic_route"] == {
        "name": "r",
        "version_id": route["version"]["version_id"],
        "path": ["start", "m"],
    }


def test_streams_and_embeddings_take_the_same_way(caller: Caller) -> None:
    caller.route(model("m", name="ok-1"))
    streamed = caller.ask(stream=True)
    assert streamed.headers["content-type"] == "text/event-stream"
    assert streamed.body.endswith(b"data: [DONE]\n\n")
    assert caller.ask(path="embeddings", input="x").status == 200


def test_a_request_for_a_model_has_no_route_on_its_log(caller: Caller) -> None:
    caller.server.chat(caller.gateway)
    assert caller.log()["dynamic_route"] is None


CHOICES: list[tuple[Any, dict[str, str], dict[str, Any], str]] = [
    ({"metadata.plan": "paid"}, {"cf-aig-metadata": '{"plan": "paid"}'}, {}, "yes"),
    ({"metadata.plan": "paid"}, {"cf-aig-metadata": '{"plan": "free"}'}, {}, "no"),
    ({"metadata.plan": "paid"}, {}, {}, "no"),
    ({"headers.x-tier": {"$in": ["gold", "silver"]}}, {"X-Tier": "gold"}, {}, "yes"),
    ({"body.max_tokens": {"$gt": 100}}, {}, {"max_tokens": 101}, "yes"),
    ({"body.max_tokens": {"$gt": 100}}, {}, {"max_tokens": 100}, "no"),
    ({"body.messages.0.content": {"$regex": "(?i)^hello"}}, {}, {}, "yes"),
    ({"headers.cf-aig-metadata": {"$exists": True}}, {"cf-aig-metadata": '{"plan": "free"}'}, {}, "no"),
]


@pytest.mark.parametrize(("condition", "headers", "body", "chosen"), CHOICES)
def test_a_condition_chooses(
    caller: Caller, condition: Any, headers: dict[str, str], body: dict[str, Any], chosen: str
) -> None:
    caller.route(conditional("c", condition, "m-yes", "m-no"), model("m-yes", name="yes"), model("m-no", name="no"))
    assert caller.ask(headers=headers, **body).headers["cf-aig-model"] == chosen
    assert caller.log()["dynamic_route"]["path"] == ["start", "c", f"m-{chosen}"]


def test_shares_split_by_chance_and_stick_to_a_session(caller: Caller) -> None:
    caller.route(percentage("p", _50="a", rest="b"), model("a", name="aa"), model("b", name="bb"))

    def model_for(headers: dict[str, str]) -> str:
        return caller.ask(headers=headers).headers["cf-aig-model"]

    assert {model_for({}) for _ in range(40)} == {"aa", "bb"}
    sessions = [{"cf-aig-session-id": f"session-{number}"} for number in range(12)]
    first = [model_for(session) for session in sessions]
    assert set(first) == {"aa", "bb"}
    assert [model_for(session) for session in sessions] == first


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("openai/v1/chat/completions", {"model": "ok"}),
        ("", [{"provider": "openai", "endpoint": "chat/completions", "query": {"model": "ok"}}]),
    ],
)
def test_a_session_that_nothing_sticks_to_is_refused(caller: Caller, path: str, body: Any) -> None:
    url = f"{caller.server.gateway_url(caller.gateway)}/{path}"
    answer = caller.server.call("POST", url, body, {"cf-aig-session-id": "s"})
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 7001)
    assert "cf-aig-session-id: only dynamic routes" in answer.json["message"]


@pytest.mark.parametrize("technique", ["fixed", "sliding"])
def test_a_rate_holds_exactly_over_all_processes(caller: Caller, technique: str) -> None:
    """The server has two workers; of 40 requests at once 7 pass."""
    caller.route(
        rate("r", "within", "over", limit=7, key="metadata.user", technique=technique, window=86_400),
        model("within", name="first"),
        model("over", name="other"),
    )

    def model_for(user: str) -> str:
        return caller.ask(headers={"cf-aig-metadata": json.dumps({"user": user})}).headers["cf-aig-model"]

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(model_for, ["ann"] * 40)) == {"first": 7, "other": 33}
    assert [model_for("bob") for _ in range(8)] == ["first"] * 7 + ["other"]
    assert [caller.ask().headers["cf-aig-model"] for _ in range(8)] == ["first"] * 7 + ["other"]
    assert caller.log()["dynamic_route"]["path"] == ["start", "r", "over"]


DEAR = '{"per_token_in": "0.0001", "per_token_out": "0.01"}'
"""By which an answer of the upstream, 20 tokens in and 10 out, costs 0.102 dollars."""


def test_a_rate_of_cost_counts_what_was_truly_spent(caller: Caller) -> None:
    """0.3 dollars of each user: requests pass while any of it is left, so that three do."""
    caller.route(
        rate("r", "within", "over", limitType="cost", limit=0.3, key="metadata.user", window=86_400 * 300),
        model("within", name="first"),
        model("over", name="other"),
    )

    def model_for(user: str, count: int) -> str:
        headers = {"cf-aig-metadata": json.dumps({"user": user}), "cf-aig-custom-cost": DEAR}
        answered = caller.ask(headers=headers, max_tokens=10).headers["cf-aig-model"]
        caller.server.wait_for_logs(caller.gateway, count)  # by then its cost is settled
        return answered

    assert [model_for("ann", count) for count in range(1, 6)] == ["first"] * 3 + ["other"] * 2
    assert [model_for("bob", count) for count in range(6, 8)] == ["first"] * 2
    assert caller.log()["cost_exact"] == "0.102"


def test_a_rate_of_cost_counts_what_requests_in_flight_may_cost(caller: Caller) -> None:
    """Each may cost 1 dollar of outputs by its own bound: while one is under way, no other passes."""
    caller.route(
        rate("r", "within", "over", limitType="cost", limit=1, window=86_400 * 300),
        model("within", name="hang-mid"),
        model("over", name="other"),
    )
    headers = {"cf-aig-custom-cost": DEAR}
    body = {"model": "dynamic/r", "messages": [], "max_tokens": 100, "stream": True}
    url = f"{caller.server.gateway_url(caller.gateway)}/compat/chat/completions"
    under_way = urllib.request.Request(
        url, json.dumps(body).encode(), {"authorization": f"Bearer {KEY}", **headers}, method="POST"
    )
    with urllib.request.urlopen(under_way, timeout=30) as answer:
        assert answer.headers["cf-aig-model"] == "hang-mid"
        assert caller.ask(headers=headers, max_tokens=1).headers["cf-aig-model"] == "other"


def test_a_model_whose_cost_nobody_knows_does_not_pass_a_rate_of_cost(caller: Caller) -> None:
    caller.route(rate("r", "m", "end", limitType="cost", limit=1), model("m", name="a-model-without-price"))
    answer = caller.ask()
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 7001)
    assert "cannot count openai's model 'a-model-without-price'" in answer.json["message"]


def test_a_rate_that_leads_to_the_end_is_a_429(caller: Caller, shared_upstream: Upstream) -> None:
    caller.route(rate("r", "m", "end", limit=1), model("m"))
    assert caller.ask().status == 200
    before = len(shared_upstream.seen)
    answer = caller.ask()
    assert (answer.status, answer.json["error"][0]["code"]) == (429, 2003)
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    assert len(shared_upstream.seen) == before
    log = caller.log()
    assert (log["outcome"], log["provider"], log["model"]) == ("rate_limited", "unknown", "dynamic/r")
    assert (log["cost"], log["error"]) == (0, "Rate limited by 'r' of the route dynamic/r")
    assert log["dynamic_route"]["path"] == ["start", "r", "end"]


def test_an_end_without_a_model_is_refused(caller: Caller) -> None:
    caller.route(conditional("c", {"metadata.a": 1}, "m", "end"), model("m"))
    answer = caller.ask()
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2005)
    assert "'dynamic/r' led this request to its end 'end' without a model" in answer.json["message"]
    log = caller.log()
    assert (log["outcome"], log["provider"], log["model"], log["cost"]) == ("refused", "unknown", "dynamic/r", 0)


def planned(*plan: str) -> dict[str, Any]:
    return {"chaos": list(plan), "name": uuid4().hex}


@pytest.mark.parametrize("failure", ["400", "401", "429", "503", "close", "garbage", "hang"])
def test_the_fallback_is_tried_after_any_failure(failing: Caller, failure: str) -> None:
    failing.route(model("a", "b", name="first"), model("b", name="second"))
    answer = failing.ask(**planned(failure, "ok"))
    assert (answer.status, answer.headers["cf-aig-model"], answer.headers["cf-aig-step"]) == (200, "second", "1")
    log = failing.log()
    assert (log["outcome"], log["model"], log["step"], log["error"]) == ("success", "second", 1, None)
    first, second = log["attempts"]
    assert (first["step"], first["status_code"]) == (0, int(failure) if failure.isdigit() else None)
    assert (second["step"], second["status_code"]) == (1, 200)
    assert log["dynamic_route"]["path"] == ["start", "a", "b"]


def test_a_model_is_tried_as_often_as_its_element_says(failing: Caller, chaos: ChaosUpstream) -> None:
    failing.route(model("a", "b", name="first", retries=2), model("b", name="second"))
    plan = planned("503", "503", "503", "ok")
    answer = failing.ask(headers={"cf-aig-retry-delay": "1", "cf-aig-max-attempts": "1"}, **plan)
    assert answer.headers["cf-aig-model"] == "second"
    assert [seen.json["model"] for seen in chaos.of(plan["name"])] == ["first", "first", "first", "second"]
    assert [each["step"] for each in failing.log()["attempts"]] == [0, 0, 0, 1]


def test_a_model_that_is_too_slow_is_left_for_its_fallback(failing: Caller) -> None:
    failing.route(model("a", "b", name="first", timeout=50), model("b", name="second"))
    assert failing.ask(**planned("hang", "ok")).headers["cf-aig-model"] == "second"
    assert failing.log()["attempts"][0]["error"] == "No answer within 50 ms, the request's own timeout."


def test_where_all_fail_the_last_answer_is_the_answer(failing: Caller) -> None:
    failing.route(model("a", "b", name="first"), model("b", "c", name="second"), rate("c", "end", "end"))
    answer = failing.ask(**planned("503", "429"))
    assert (answer.status, answer.json) == (429, {"error": {"message": "as planned, attempt 2"}})
    assert answer.headers["cf-aig-model"] == "second"
    log = failing.log()
    assert (log["provider"], log["model"], log["outcome"]) == ("unknown", "dynamic/r", "upstream_error")
    assert (log["status_code"], log["response_model"]) == (429, "second")
    assert (log["cost"], log["cost_reason"]) == (None, "the provider answered 429 and reported no usage")
    assert log["dynamic_route"]["path"] == ["start", "a", "b", "c", "end"]


def test_where_the_last_gives_no_answer_the_gateway_says_why(failing: Caller) -> None:
    failing.route(model("a", "b", name="first"), model("b", provider="groq", name="second"))
    answer = failing.ask(**planned("503"))
    assert (answer.status, answer.json["error"][0]["code"]) == (502, 2005)
    assert "groq" in answer.json["message"]
    log = failing.log()
    assert (log["provider"], log["model"], log["outcome"]) == ("unknown", "dynamic/r", "upstream_error")
    assert [each["provider"] for each in log["attempts"]] == ["openai", "groq"]


def test_a_model_that_cannot_be_asked_is_an_attempt_that_failed(failing: Caller) -> None:
    """`chaos` has no counterpart in Anthropic's format."""
    failing.route(model("a", "b", provider="anthropic", name="claude"), model("b", name="second"))
    assert failing.ask(**planned("ok")).headers["cf-aig-step"] == "1"
    log = failing.log()
    assert (log["model"], log["outcome"]) == ("second", "success")
    refused, answered = log["attempts"]
    assert (refused["provider"], refused["status_code"], refused["step"]) == ("anthropic", None, 0)
    assert "chaos" in refused["error"]
    assert (answered["provider"], answered["status_code"], answered["step"]) == ("openai", 200, 1)


def test_where_no_model_can_be_asked_the_request_is_refused(failing: Caller) -> None:
    failing.route(model("a", provider="anthropic", name="claude"))
    answer = failing.ask(**planned("ok"))
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2019)
    assert "chaos" in answer.json["message"]
    log = failing.log()
    assert (log["outcome"], log["provider"], log["cost"]) == ("refused", "unknown", 0)


def test_a_stream_that_is_cut_stays_cut(caller: Caller) -> None:
    caller.route(model("a", "b", name="cut"), model("b"))
    with pytest.raises(Exception, match="IncompleteRead"):
        caller.ask(stream=True)
    log = caller.log()
    assert (log["outcome"], log["model"], len(log["attempts"])) == ("stream_cut", "cut", 1)


def test_the_request_may_name_the_model_in_its_metadata(caller: Caller) -> None:
    caller.route(model("m", "b", provider="custom", name="metadata.model"), model("b", name="plain"))

    def model_for(metadata: dict[str, Any]) -> str:
        return caller.ask(headers={"cf-aig-metadata": json.dumps(metadata)}).headers["cf-aig-model"]

    assert model_for({"model": "openai/chosen"}) == "chosen"
    for unusable in ({}, {"model": 7}, {"model": "nobody/x"}, {"model": "dynamic/r"}):
        assert model_for(unusable) == "plain"
        assert caller.log()["attempts"][0]["provider"] == "custom"


def test_a_key_goes_only_where_it_belongs(caller: Caller, shared_upstream: Upstream) -> None:
    caller.route(
        conditional("c", {"headers.x-to": "anthropic"}, "a", "o"),
        model("a", provider="anthropic", name="claude-message"),
        model("o"),
    )
    keys = {"x-api-key": "sk-ant-key-of-this-test", "x-goog-api-key": "AIza-key-of-this-test"}
    assert caller.ask(headers=keys).status == 200
    sent = shared_upstream.seen[-1].header
    assert sent["authorization"] == f"Bearer {KEY}"
    assert not sent.keys() & keys.keys()
    assert caller.ask(headers=keys | {"x-to": "anthropic"}, max_tokens=5).status == 200
    sent = shared_upstream.seen[-1].header
    assert sent["x-api-key"] == keys["x-api-key"]
    assert not sent.keys() & {"authorization", "x-goog-api-key"}


def test_an_answer_is_cached_for_the_model_that_gave_it(caller: Caller) -> None:
    caller.route(conditional("c", {"headers.x-to": "b"}, "b", "a"), model("a", name="aa"), model("b", name="bb"))

    def ask(to: str) -> tuple[str, str]:
        answer = caller.ask(headers={"x-to": to, "cf-aig-cache-ttl": "60"})
        return answer.headers["cf-aig-model"], answer.headers["cf-aig-cache-status"]

    assert [ask(to) for to in "aabba"] == [
        ("aa", "MISS"),
        ("aa", "HIT"),
        ("bb", "MISS"),
        ("bb", "HIT"),
        ("aa", "HIT"),
    ]
    log = caller.log()
    assert (log["outcome"], log["model"], log["cost"]) == ("cached", "aa", 0)
    assert log["dynamic_route"]["path"] == ["start", "c", "a"]


def test_a_deployment_is_seen_at_once_by_every_process(caller: Caller) -> None:
    route = caller.route(model("m", name="one"))

    def models() -> set[str]:
        with ThreadPoolExecutor(4) as pool:
            return set(pool.map(lambda _: caller.ask().headers["cf-aig-model"], range(12)))

    assert models() == {"one"}
    second = caller.version(route, model("m", name="two"))
    assert models() == {"one"}
    caller.deploy(route, second)
    assert models() == {"two"}
    caller.deploy(route, route["version"]["version_id"])
    assert models() == {"one"}
    path = f"/gateways/{caller.gateway}/routes/{route['id']}"
    caller.server.manage("PATCH", path, {"name": "renamed"})
    assert caller.ask().status == 400
    assert caller.ask("renamed").status == 200
    caller.server.manage("DELETE", path)
    assert caller.ask("renamed").status == 400


def test_a_route_that_is_not_there_is_refused(caller: Caller) -> None:
    answer = caller.ask("none")
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2008)
    assert "There is no dynamic route 'none' in this gateway" in answer.json["message"]
    log = caller.log()
    assert (log["outcome"], log["model"], log["dynamic_route"]) == ("refused", "dynamic/none", None)
