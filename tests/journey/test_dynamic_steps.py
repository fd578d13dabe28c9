"""Dynamic routes as steps of a universal request: the route's models answer, and fail, as one step."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from support.chaos_upstream import ChaosUpstream
from support.route_caller import KEY, Caller
from support.routes import conditional, model, percentage, rate
from support.server import Server
from support.upstream import WORDS, Upstream

DEAR = {"cf-aig-custom-cost": '{"per_token_in": "0.0001", "per_token_out": "0.01"}'}
"""By which an answer of the upstream, 20 tokens in and 10 out, costs 0.102 dollars."""


@pytest.fixture
def caller(server: Server, gateway: str) -> Caller:
    return Caller(server, gateway)


@pytest.fixture
def failing(chaos_server: Server, chaos_gateway: str) -> Caller:
    """Steps carry `chaos` and `name`; the provider `groq` refuses every connection."""
    return Caller(chaos_server, chaos_gateway)


def planned(*plan: str) -> dict[str, Any]:
    return {"chaos": list(plan), "name": uuid4().hex}


def tried(log: dict[str, Any]) -> list[tuple[str, int, int | None]]:
    return [(each["provider"], each["step"], each["status_code"]) for each in log["attempts"]]


def test_a_route_answers_as_a_step(caller: Caller, shared_upstream: Upstream) -> None:
    route = caller.route(model("m", name="ok-1"))
    answer = caller.send(caller.step())
    assert answer.json["choices"][0]["message"]["content"] == "".join(WORDS)
    told = [answer.headers[f"cf-aig-{name}"] for name in ("provider", "model", "step")]
    assert told == ["openai", "ok-1", "0"]
    seen = shared_upstream.seen[-1]
    assert (seen.json["model"], seen.header["authorization"]) == ("ok-1", f"Bearer {KEY}")
    log = caller.log()
    assert (log["id"], log["outcome"]) == (answer.headers["cf-aig-log-id"], "success")
    assert (log["request_type"], log["provider"], log["model"]) == ("Universal", "openai", "ok-1")
    assert (log["path"], log["tokens_in"], log["tokens_out"]) == ("compat/chat/completions", 20, 10)
    taken = {"name": "r", "version_id": route["version"]["version_id"], "path": ["start", "m"]}
    assert log["dynamic_route"] == taken


def test_all_of_a_routes_models_are_one_step(failing: Caller) -> None:
    """`cf-aig-step`, and the attempts on the log, count what the request has named."""
    failing.route(model("a", "b", name="first"), model("b", provider="groq", name="second"))
    steps = [
        failing.step("openai/before", **planned("503")),
        failing.step(**planned("503")),
        failing.step("openai/after", **planned("ok")),
    ]
    answer = failing.send(*steps)
    assert (answer.status, answer.headers["cf-aig-step"], answer.headers["cf-aig-model"]) == (200, "2", "after")
    log = failing.log()
    assert tried(log) == [("openai", 0, 503), ("openai", 1, 503), ("groq", 1, None), ("openai", 2, 200)]
    assert (log["outcome"], log["model"], log["step"], log["dynamic_route"]) == ("success", "after", 2, None)


def test_a_route_follows_a_step_that_failed(failing: Caller) -> None:
    failing.route(model("a", "b", name="first"), model("b", name="second"))
    answer = failing.send(failing.step("openai/before", **planned("400")), failing.step(**planned("401", "ok")))
    assert (answer.status, answer.headers["cf-aig-step"], answer.headers["cf-aig-model"]) == (200, "1", "second")
    log = failing.log()
    assert tried(log) == [("openai", 0, 400), ("openai", 1, 401), ("openai", 1, 200)]
    assert (log["step"], log["dynamic_route"]["path"]) == (1, ["start", "a", "b"])


def test_where_a_route_is_the_last_to_fail_its_last_answer_is_the_answer(failing: Caller) -> None:
    failing.route(model("a", name="first"))
    answer = failing.send(failing.step("openai/before", **planned("503")), failing.step(**planned("429")))
    assert (answer.status, answer.headers["cf-aig-model"], answer.headers["cf-aig-step"]) == (429, "first", "1")
    log = failing.log()
    assert (log["provider"], log["model"], log["outcome"]) == ("unknown", "dynamic/r", "upstream_error")
    assert log["dynamic_route"]["path"] == ["start", "a", "end"]


def test_a_rate_that_is_used_up_goes_on_to_the_next_step(caller: Caller) -> None:
    """Its answer is not what the cache is asked for by the first step's key."""
    caller.route(rate("r", "m", "end", limit=1), model("m", name="within"))
    cached = {"cf-aig-cache-ttl": "60", "cf-aig-cache-key": "mine"}

    def ask(headers: dict[str, str]) -> tuple[str, str, str | None]:
        answer = caller.send(caller.step(), caller.step("openai/after"), headers=headers)
        told = answer.headers
        return told["cf-aig-model"], told["cf-aig-step"], told.get("cf-aig-cache-status")

    assert ask({}) == ("within", "0", None)
    assert [ask(cached) for _ in range(2)] == [("after", "1", None)] * 2
    log = caller.log()
    assert (log["outcome"], log["dynamic_route"], log["error"]) == ("success", None, None)
    assert tried(log) == [("compat", 0, None), ("openai", 1, 200)]
    assert log["attempts"][0]["error"] == "Rate limited by 'r' of the route dynamic/r"


def test_a_routes_answer_is_cached_as_the_first_steps(caller: Caller) -> None:
    caller.route(model("m", name="ok-1"))
    answers = [caller.send(caller.step(), headers={"cf-aig-cache-ttl": "60"}) for _ in range(2)]
    assert [answer.headers["cf-aig-cache-status"] for answer in answers] == ["MISS", "HIT"]
    assert answers[0].body == answers[1].body


def test_a_rate_that_is_used_up_in_the_last_step_is_a_429(failing: Caller) -> None:
    failing.route(rate("r", "m", "end", limit=1), model("m"))
    assert failing.send(failing.step(**planned("ok"))).status == 200
    answer = failing.send(failing.step("openai/before", **planned("503")), failing.step(**planned("ok")))
    assert (answer.status, answer.json["error"][0]["code"]) == (429, 2003)
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    log = failing.log()
    assert (log["outcome"], log["provider"], log["model"]) == ("rate_limited", "unknown", "dynamic/r")
    assert (log["step"], log["dynamic_route"]["path"]) == (1, ["start", "r", "end"])
    assert tried(log) == [("openai", 0, 503), ("compat", 1, None)]


def test_an_end_without_a_model_is_passed_over_or_refused(failing: Caller) -> None:
    failing.route(conditional("c", {"metadata.a": 1}, "m", "end"), model("m"))
    assert failing.send(failing.step(), failing.step("openai/after", **planned("ok"))).status == 200
    answer = failing.send(failing.step(**planned("ok")))
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2005)
    assert failing.log()["outcome"] == "refused"


def test_a_route_that_is_not_there_is_named_and_nothing_is_sent(failing: Caller, chaos: ChaosUpstream) -> None:
    plan = planned("ok")
    answer = failing.send(failing.step("openai/before", **plan), failing.step("dynamic/none"))
    assert (answer.status, answer.json["error"][0]["code"]) == (400, 2008)
    assert "Step 1: There is no dynamic route 'none' in this gateway" in answer.json["message"]
    assert chaos.of(plan["name"]) == []


def test_shares_stick_to_the_requests_session(caller: Caller) -> None:
    caller.route(percentage("p", _50="a", rest="b"), model("a", name="aa"), model("b", name="bb"))

    def model_for(session: str) -> str:
        headers = {"cf-aig-session-id": session}
        return caller.send(caller.step(), headers=headers).headers["cf-aig-model"]

    sessions = [f"session-{number}" for number in range(12)]
    first = [model_for(session) for session in sessions]
    assert set(first) == {"aa", "bb"}
    assert [model_for(session) for session in sessions] == first
    assert [caller.ask(headers={"cf-aig-session-id": each}).headers["cf-aig-model"] for each in sessions] == first


def test_conditions_see_the_steps_own_headers_metadata_and_body(caller: Caller) -> None:
    condition = {"headers.x-tier": "gold", "metadata.plan": "paid", "body.max_tokens": {"$gt": 5}}
    caller.route(conditional("c", condition, "y", "n"), model("y", name="yes"), model("n", name="no"))
    own = {"x-tier": "gold", "cf-aig-metadata": '{"plan": "paid"}'}
    assert caller.send(caller.step(headers=own, max_tokens=6)).headers["cf-aig-model"] == "yes"
    assert caller.send(caller.step(headers=own, max_tokens=5)).headers["cf-aig-model"] == "no"
    metadata = {"cf-aig-metadata": own["cf-aig-metadata"]}
    step = caller.step(headers={"x-tier": "gold"}, max_tokens=6)
    assert caller.send(step, headers=metadata).headers["cf-aig-model"] == "yes"
    step = caller.step(headers=metadata, max_tokens=6)
    assert caller.send(step, headers={"x-tier": "gold"}).headers["cf-aig-model"] == "no", "it is not the step's"


def test_a_steps_keys_go_to_its_models_only(failing: Caller, chaos: ChaosUpstream) -> None:
    failing.route(model("m", "n", provider="anthropic", name="claude"), model("n", name="second"))
    before, plan = planned("503"), planned("ok")
    steps = [failing.step("openai/before", **before), failing.step(**plan)]
    steps[0]["headers"] = {"authorization": "Bearer sk-of-the-first-step"}
    steps[1]["headers"] |= {"x-api-key": "sk-ant-of-this-step", "x-goog-api-key": "AIza-of-this-step"}
    assert failing.send(*steps).headers["cf-aig-model"] == "second"
    (seen,) = chaos.of(plan["name"])
    assert seen.header["authorization"] == f"Bearer {KEY}"
    assert not seen.header.keys() & {"x-api-key", "x-goog-api-key"}
    assert "sk-of-the-first-step" not in json.dumps(seen.headers)


def test_a_rate_of_cost_counts_what_its_own_models_cost(failing: Caller) -> None:
    """What the next step costs is not the route's, although it was reserved there first."""
    failing.route(
        rate("r", "m", "end", limitType="cost", limit=0.15, window=86_400 * 300), model("m", name="within")
    )

    def answered_by(*plan: str) -> str:
        steps = failing.step(max_tokens=10, **planned(*plan)), failing.step("openai/after", **planned("ok"))
        answer = failing.send(*steps, headers=DEAR)
        assert answer.status == 200, answer.body
        failing.log()  # by then its cost is settled
        return answer.headers["cf-aig-model"]

    assert [answered_by("503") for _ in range(3)] == ["after"] * 3
    assert [answered_by("ok") for _ in range(3)] == ["within", "within", "after"]


def test_each_model_of_a_route_needs_room_of_its_own(failing: Caller) -> None:
    """The same provider in the same step: what was reserved for a cheap model is not enough for a dear one."""
    rules = [{"id": "all", "limitType": "cost", "limit": 0.001, "window": 3600}]
    gateway = failing.server.make_gateway(
        f"steps-{uuid4().hex[:8]}", spend_limits={"enabled": True, "rules": rules}
    )
    caller = Caller(failing.server, gateway)
    caller.route(model("a", "b", name="gpt-4o-mini"), model("b", name="o1-pro"))
    answer = caller.send(caller.step(max_tokens=10, **planned("503", "ok")))
    assert (answer.status, answer.json["error"][0]["code"]) == (429, 2045)
    log = caller.log()
    assert (log["outcome"], tried(log)[0]) == ("spend_limited", ("openai", 0, 503))
