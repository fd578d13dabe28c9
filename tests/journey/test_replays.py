"""Replays through a real server: several models and failing ones, caps, cancelling, retries and kill -9."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.replaying_upstream import ReplayingUpstream
from support.server import Server, new_server, running_server
from support.upstream import running_upstream

RATES = {"cost_per_token_in": 0.000001, "cost_per_token_out": 0.000002}
_numbers = count(1)


@pytest.fixture(scope="module")
def models() -> Iterator[ReplayingUpstream]:
    with running_upstream(ReplayingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def replaying(tmp_path_factory: pytest.TempPathFactory, models: ReplayingUpstream) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("replaying")
    with running_server(folder, models.url, workers=1, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


@pytest.fixture(autouse=True)
def reset(models: ReplayingUpstream) -> None:
    models.held = False
    models.hold_after = None
    models.seen.clear()


class Case:
    """A gateway with logs, one that replays go through, and one replay after the other."""

    def __init__(self, server: Server, questions: Sequence[str], **through: Any) -> None:
        number = next(_numbers)
        self.server = server
        self.gateway = server.make_gateway(f"live-{number}")
        self.through = server.make_gateway(f"replays-{number}", **through)
        for question in questions:
            self.ask([{"role": "user", "content": question}])
        body = {"name": "all", "enable": True, "filters": []}
        self.dataset = server.manage("POST", f"/gateways/{self.gateway}/datasets", body)["id"]
        self.path = ""

    def ask(self, messages: list[dict[str, Any]], **more: Any) -> None:
        headers = {
            "authorization": "Bearer sk-the-providers-own-key",
            "cf-aig-custom-cost": '{"per_token_in": 0.00001, "per_token_out": 0.00002}',
        }
        body = {"model": "plain", "messages": messages, "max_tokens": 50, **more}
        url = f"{self.server.gateway_url(self.gateway)}/openai/v1/chat/completions"
        assert self.server.call("POST", url, body, headers).status == 200

    def body(self, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "name": f"replay {next(_numbers)}",
            "dataset_id": self.dataset,
            "through": self.through,
            "candidates": [{**RATES, **one} for one in candidates],
            "max_cost": 1,
            **more,
        }

    def start(self, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
        made = self.server.manage("POST", f"/gateways/{self.gateway}/replays", self.body(*candidates, **more))
        self.path = f"/gateways/{self.gateway}/replays/{made['id']}"
        return made

    def wait(self, until: Callable[[dict[str, Any]], bool] = lambda now: now["processed"]) -> dict[str, Any]:
        end = time.monotonic() + 90
        while not until(now := self.server.manage("GET", self.path)):
            assert time.monotonic() < end, now
            time.sleep(0.05)
        return now

    def replay(self, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
        self.start(*candidates, **more)
        return self.wait()

    def items(self, **query: Any) -> list[dict[str, Any]]:
        words = "&".join(f"{name}={value}" for name, value in {"per_page": "100", **query}.items())
        return self.server.manage("GET", f"{self.path}/items?{words}")

    def refused(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        full = f"/client/v4/accounts/{self.server.account_id}/ai-gateway/gateways/{self.gateway}/replays{path}"
        answer = self.server.call("POST", full, body)
        assert answer.status in (400, 409), answer.body
        return answer.json["errors"][0]


def difference(told: dict[str, Any], side: str, what: str) -> dict[str, Any]:
    [one] = [
        each
        for each in told["comparison"]["differences"]
        if (each["side"], each["evaluation_type_id"]) == (side, what)
    ]
    return one


def progress(told: dict[str, Any], side: int = 1) -> dict[str, Any]:
    return told["progress"][side]


def test_candidates_stand_beside_what_was_logged(replaying: Server, models: ReplayingUpstream) -> None:
    questions = [f"question {n} has {'so ' * n}many words" + (" hard" if n % 4 == 0 else "") for n in range(12)]
    case = Case(replaying, questions)
    told = case.replay({"model": "openai/short"}, {"model": "openai/fussy", "label": "fussy"})
    assert told["status"] == 2, told
    assert told["total_items"] == 12
    assert [(one["label"], one["replayed"], one["failed"], one["pending"]) for one in told["progress"]] == [
        ("logged", 12, 0, 0),
        ("openai/short", 12, 0, 0),
        ("fussy", 9, 3, 0),
    ]
    assert progress(told, 2)["reasons"] == {"upstream_error": 3}
    cost = difference(told, "openai/short", "cost")
    assert cost["verdict"] == "better"
    assert cost["paired"]["items"] == 12
    errors = difference(told, "fussy", "error_rate")
    assert Decimal(errors["difference"]) == 25
    assert difference(told, "fussy", "cost")["paired"]["items"] == 9

    # each call is a log that says what it belongs to, and none is among the traffic's
    assert len(replaying.logs(case.gateway)) == 12
    calls = replaying.wait_for_logs(case.through, 24)
    replay_id = case.path.rpartition("/")[2]
    logged = {log["id"] for log in replaying.logs(case.gateway)}
    for call in calls:
        assert call["metadata"]["replay"] == replay_id
        assert call["metadata"]["replay_of"] in logged
        assert call["metadata"]["replay_candidate"] in ("openai/short", "fussy")
    spent = sum(Decimal(str(call["cost"])) for call in calls if call["cost"] is not None)
    assert Decimal(told["spent"]) >= spent

    [first, second] = [item for item in case.items() if item["place"] == 0 and item["side"] < 2]
    assert "question" in first["response"]
    assert '"content":"question"' in second["response"].replace(" ", "")
    assert first["log_id"] == first["logged_log_id"] == second["logged_log_id"] != second["log_id"]


def test_prompts_and_parameters_are_what_changes(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, [])
    case.ask([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}], temperature=0.3)
    told = case.replay(
        {"label": "as it was"},
        {"label": "replaced", "model": "openai/parrot", "system": "Be brief."},
        {"label": "appended", "model": "openai/parrot", "append_system": "Rhyme."},
        {"label": "cooler", "parameters": {"temperature": 0, "max_tokens": 9, "seed": 4}},
    )
    assert told["status"] == 2
    [brief, rhyme] = sorted(models.asked("parrot"), key=lambda one: one["messages"][0]["content"])
    assert brief["messages"][0] == {"role": "system", "content": "Be brief."}
    assert rhyme["messages"][0]["content"] == "Be kind.\n\nRhyme."
    first, *others = models.asked("plain")
    [cooler, same] = sorted(others, key=lambda one: one["temperature"])
    assert same == first
    assert (cooler["temperature"], cooler["max_tokens"], cooler["seed"]) == (0, 9, 4)


def test_what_cannot_be_replayed_is_marked_and_counted(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, ["fine"])
    image = {"type": "image_url", "image_url": {"url": "https://images.example/1.png?expires=1"}}
    case.ask([{"role": "user", "content": "look"}], tools=[{"type": "web_search"}])
    case.ask([{"role": "user", "content": [image]}, {"role": "user", "content": "look"}])
    case.ask([{"role": "user", "content": "x"}], logit_bias={"1": 2})
    url = f"{replaying.gateway_url(case.gateway)}/openai/v1/chat/completions"
    quiet = {"authorization": "Bearer k", "cf-aig-collect-log-payload": "false"}
    body = {"model": "plain", "messages": [{"role": "user", "content": "secret"}]}
    assert replaying.call("POST", url, body, quiet).status == 200
    url = f"{replaying.gateway_url(case.gateway)}/openai/v1/embeddings"
    assert replaying.call("POST", url, {"model": "ok", "input": "x"}, {"authorization": "Bearer k"}).status == 200
    told = case.replay({"model": "openai/plain"}, {"model": "anthropic/claude", "label": "other format"})
    assert told["status"] == 2
    assert progress(told)["reasons"] == {
        "no_bodies": 1,
        "not_a_chat": 1,
        "server_state": 1,
        "linked_content": 1,
    }
    assert (progress(told)["skipped"], progress(told)["replayed"]) == (4, 2)
    other = progress(told, 2)
    assert other["reasons"]["untranslatable"] == 1
    assert other["skipped"] == 5
    [item] = [one for one in case.items(side=2) if one["reason"] == "untranslatable"]
    assert "logit_bias" in item["note"]


def test_a_forecast_spends_nothing_and_is_kept(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, [f"question {'word ' * (n % 5 + 1)}" for n in range(20)])
    before = len(models.seen)
    body = case.body({"model": "openai/plain"}, {"model": "openai/short"})
    told = replaying.manage("POST", f"/gateways/{case.gateway}/replays/forecast", body)
    assert len(models.seen) == before
    assert replaying.manage("GET", f"/gateways/{case.gateway}/replays") == []
    assert (told["total_items"], told["sampled"], told["within_cap"]) == (20, 20, "certainly")
    one = told["candidates"][0]
    low, expected, high, worst = (
        Decimal(one[name]) for name in ("low", "expected_cost", "high", "worst_case_cost")
    )
    assert 0 < low < expected < high < worst
    case.replay({"model": "openai/plain"})
    calls = replaying.wait_for_logs(case.through, 20)
    assert low <= sum(Decimal(str(call["cost"])) for call in calls) <= high


def test_an_unknown_price_is_refused_unless_it_is_accepted(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, ["one", "two"])
    body = case.body()
    body["candidates"] = [{"model": "openai/plain"}]
    problem = case.refused("", body)
    assert problem["code"] == 7001
    assert problem["path"] == ["body", "candidates", 0, "model"]
    assert "accept_unknown_cost" in problem["message"]
    before = len(models.seen)
    replaying.manage("POST", f"/gateways/{case.gateway}/replays/forecast", body)
    assert len(models.seen) == before
    made = replaying.manage("POST", f"/gateways/{case.gateway}/replays", {**body, "accept_unknown_cost": True})
    assert made["forecast"]["candidates"][0]["unknown"]
    case.path = f"/gateways/{case.gateway}/replays/{made['id']}"
    told = case.wait()
    assert progress(told)["replayed"] == 2
    assert difference(told, "openai/plain", "cost")["verdict"] == "cannot tell"


@pytest.mark.parametrize("concurrency", [1, 16])
def test_the_cap_is_never_passed(replaying: Server, models: ReplayingUpstream, concurrency: int) -> None:
    case = Case(replaying, [f"question number {n}" for n in range(16)])
    # some 0.00027 are reserved for a call (50 tokens out, 180 in), 0.000009 are spent
    told = case.replay({"model": "openai/plain"}, max_cost=0.00031, concurrency=concurrency)
    now = progress(told)
    assert told["status"] == 2
    assert now["failed"] > 0
    assert now["reasons"] == {"cap_reached": now["failed"]}
    assert now["replayed"] + now["failed"] == 16
    calls = replaying.wait_for_logs(case.through, now["replayed"])
    assert len(calls) == now["replayed"]
    spent = sum(Decimal(str(call["cost"])) for call in calls)
    assert Decimal(told["spent"]) == spent <= Decimal("0.00031")
    replaying.manage("POST", f"{case.path}/retry", {"max_cost": 0.1})
    told = case.wait()
    assert (progress(told)["replayed"], progress(told)["failed"]) == (16, 0)
    assert len(replaying.wait_for_logs(case.through, 16)) == 16  # what was answered was not asked again


def test_both_answers_are_judged_by_the_same_evaluators(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, ["please help me now", "and me too", "what is this"])
    judges = replaying.make_gateway(f"judges-{next(_numbers)}")
    made = [
        ("contains", {"texts": ["me"]}),
        ("judge_pairwise", {"model": "openai/judge", "gateway_id": judges, "max_cost": 1, **RATES}),
        (
            "panel_criteria",
            {
                "criteria": "It helps.",
                "members": [{"model": "openai/plain", **RATES}, {"model": "openai/short", **RATES}],
                "gateway_id": judges,
                "max_cost": 2,
            },
        ),
    ]
    types = [
        replaying.manage(
            "POST",
            "/evaluation-types",
            {"name": f"t{next(_numbers)}", "evaluator_id": name, "parameters": parameters},
        )["id"]
        for name, parameters in made
    ]
    told = case.replay({"model": "openai/loud"}, {"model": "openai/plain"}, evaluation_type_ids=types)
    assert told["status"] == 2
    forecast = told["forecast"]
    pair, panel = forecast["judges"]
    assert (pair["evaluation_type_id"], panel["evaluation_type_id"]) == (types[1], types[2])
    assert (pair["calls"], panel["calls"]) == (12, 18), "both orders of 2 candidates; 2 members over 3 answers"
    for one in (pair, panel):
        assert (
            Decimal(0) < Decimal(one["expected_cost"]) < Decimal(one["worst_case_cost"]) <= Decimal(one["max_cost"])
        )
        assert one["low"] is None, "no verdict is logged yet"
    assert Decimal(forecast["judges_expected_cost"]) == sum(Decimal(one["expected_cost"]) for one in (pair, panel))
    assert forecast["judges_worst_case_cost"] == "3"
    pairwise = difference(told, "openai/loud", types[1])
    assert Decimal(pairwise["difference"]) == 50
    assert pairwise["paired"]["items"] == 3
    assert difference(told, "openai/plain", types[0])["difference"] == "0"
    item = next(item for item in case.items(side=1))
    assert [score["score"] for score in item["scores"]][1] == 100
    votes = item["scores"][2]["votes"]
    assert [vote["model"] for vote in votes] == ["openai/plain", "openai/short"]
    assert all("the verdict is no JSON" in vote["note"] for vote in votes)
    logged = next(item for item in case.items(side=0))
    assert logged["scores"][1]["score"] is None
    assert logged["scores"][1]["votes"] is None


def test_failures_are_retried_and_nothing_else(replaying: Server, models: ReplayingUpstream) -> None:
    case = Case(replaying, ["easy one", "hard one", "another"], rate_limiting_limit=2, rate_limiting_interval=3600)
    told = case.replay({"model": "openai/plain"})
    assert (progress(told)["replayed"], progress(told)["failed"]) == (2, 1)
    assert progress(told)["reasons"] == {"refused": 1}
    assert Decimal(difference(told, "openai/plain", "error_rate")["difference"]) == 0
    replaying.manage("PUT", f"/gateways/{case.through}", {**_unlimited()})
    before = len(models.asked("plain"))
    replaying.manage("POST", f"{case.path}/retry")
    told = case.wait()
    assert (progress(told)["replayed"], progress(told)["failed"]) == (3, 0)
    assert len(models.asked("plain")) == before + 1


def _unlimited() -> dict[str, Any]:
    return {
        "cache_invalidate_on_update": False,
        "cache_ttl": 0,
        "collect_logs": True,
        "rate_limiting_interval": 0,
        "rate_limiting_limit": 0,
    }


def test_cancelled_it_sends_nothing_more_and_resumed_it_goes_on(
    replaying: Server, models: ReplayingUpstream
) -> None:
    case = Case(replaying, [f"question {n}" for n in range(8)])
    models.held = True
    case.start({"model": "openai/short:cancelled"}, concurrency=2)
    case.wait(lambda now: len(models.asked("short:cancelled")) == 2)
    told = replaying.manage("POST", f"{case.path}/cancel")
    assert (told["status"], told["processed"]) == (5, True)
    replay_id = case.path.rpartition("/")[2]
    assert "already" in case.refused(f"/{replay_id}/cancel", {})["message"]
    models.held = False
    while models.under_way:
        time.sleep(0.01)
    told = replaying.manage("POST", f"{case.path}/resume")
    assert told["processed"] is False
    told = case.wait()
    assert (told["status"], progress(told)["replayed"]) == (2, 8)
    assert len(models.asked("short:cancelled")) == 8 + progress(told)["maybe_paid_twice"] <= 10
    assert "not cancelled" in case.refused(f"/{replay_id}/resume", {})["message"]
    replaying.manage("DELETE", case.path)
    assert replaying.manage("GET", f"/gateways/{case.gateway}/replays") == []
    assert len(replaying.logs(case.through)) >= 8


def test_killed_in_the_middle_nothing_is_lost_and_few_calls_are_paid_twice(
    tmp_path: Path, models: ReplayingUpstream
) -> None:
    server = new_server(tmp_path, models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1")
    server.start()
    model = "short:killed"
    try:
        case = Case(server, [f"question {n}" for n in range(10)])
        models.hold_after = (model, 6)
        case.start({"model": f"openai/{model}"}, concurrency=2)
        case.wait(lambda now: models.held and progress(now)["replayed"] >= 4)
        server.kill()
        models.held = False
        server.start()
        told = case.wait()
        assert (told["status"], progress(told)["replayed"], progress(told)["failed"]) == (2, 10, 0)
        asked = len(models.asked(model))
        assert 10 <= asked <= 12
        assert progress(told)["maybe_paid_twice"] == asked - 10
        # what the killed calls may have cost still counts against the cap
        assert Decimal(told["reserved"]) + Decimal(told["unsettled"]) > 0
        assert sorted(item["place"] for item in case.items(side=1)) == list(range(10))
    finally:
        models.held = False
        server.stop()
