"""Shadows through real servers: users' answers stay as they are whatever the shadow does; caps, loops, kill -9."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core import ids
from gaugeway.core.shadows import Shadow
from support.replaying_upstream import ReplayingUpstream
from support.server import Answer, Server, new_server, running_server
from support.upstream import running_upstream

RATES = {"cost_per_token_in": 0.000001, "cost_per_token_out": 0.000002}
_numbers = count(1)


@pytest.fixture(scope="module")
def models() -> Iterator[ReplayingUpstream]:
    with running_upstream(ReplayingUpstream) as upstream:
        yield upstream


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, models: ReplayingUpstream) -> Iterator[Server]:
    """Two processes: one of them works a shadow at a time."""
    folder = tmp_path_factory.mktemp("shadows")
    with running_server(folder, models.url, workers=2, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


@pytest.fixture(autouse=True)
def reset(models: ReplayingUpstream) -> None:
    models.held = False
    models.hold_after = None
    models.seen.clear()


class Case:
    """A gateway with live requests, one that the shadow's calls go through, and a shadow."""

    def __init__(self, server: Server, **live: Any) -> None:
        number = next(_numbers)
        self.server = server
        self.gateway = server.make_gateway(f"live-{number}", **live)
        self.through = server.make_gateway(f"shadows-{number}")
        self.path = ""

    def ask(self, question: str = "a question", *, headers: dict[str, str] | None = None, **more: Any) -> Answer:
        asked = [{"role": "user", "content": question}]
        return self.server.chat(self.gateway, "ok", headers=headers, messages=asked, **{"max_tokens": 50, **more})

    def body(self, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {
            "name": f"shadow {next(_numbers)}",
            "through": self.through,
            "candidates": [{**RATES, **one} for one in candidates],
            "share": 100,
            "daily_cap": 1,
            **more,
        }

    def start(self, *candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
        made = self.server.manage("POST", f"/gateways/{self.gateway}/shadows", self.body(*candidates, **more))
        self.path = f"/gateways/{self.gateway}/shadows/{made['id']}"
        return made

    def wait(self, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 90
        while not until(now := self.server.manage("GET", self.path)):
            assert time.monotonic() < end, now
            time.sleep(0.05)
        return now

    def settled(self, sampled: int) -> dict[str, Any]:
        """Once so many are sampled and all has ended."""
        return self.wait(lambda now: now["sampled"] >= sampled and is_settled(now))

    def stop(self) -> dict[str, Any]:
        self.server.manage("POST", f"{self.path}/stop")
        return self.wait(lambda now: now["processed"])

    def items(self, **query: Any) -> list[dict[str, Any]]:
        words = "&".join(f"{name}={value}" for name, value in {"per_page": "100", **query}.items())
        return self.server.manage("GET", f"{self.path}/items?{words}")


def is_settled(now: dict[str, Any]) -> bool:
    return now["waiting"] == 0 and all(one["pending"] == one["under_way"] == 0 for one in now["progress"])


def adds_up(now: dict[str, Any]) -> bool:
    ended = now["called"] + now["skipped"]["total"] + now["missed"]["total"] + now["waiting"]
    return now["sampled"] == ended <= now["seen"]


def without_ids(answer: Answer) -> tuple[int, Any]:
    return answer.status, answer.body


def test_answers_are_what_they_were_while_the_shadow_hangs_and_fails(
    server: Server, models: ReplayingUpstream
) -> None:
    case = Case(server)
    before = [without_ids(case.ask(stream=stream)) for stream in (False, True)]
    models.held = True
    case.start({"model": "openai/short"}, {"model": "openai/error-500", "label": "failing"}, concurrency=2)
    for _ in range(4):
        assert [without_ids(case.ask(stream=stream)) for stream in (False, True)] == before
    case.wait(lambda now: now["sampled"] == 8 and len(models.asked("short")) == 2)
    # the shadow's two calls hang; whoever asks now is answered all the same
    assert [without_ids(case.ask(stream=stream)) for stream in (False, True)] == before
    models.held = False
    told = case.settled(10)
    assert (told["status"], told["seen"], told["sampled"], told["called"]) == (1, 10, 10, 10)
    assert [(one["label"], one["replayed"], one["failed"]) for one in told["progress"]] == [
        ("logged", 10, 0),
        ("openai/short", 10, 0),
        ("failing", 0, 10),
    ]
    assert told["progress"][2]["reasons"] == {"upstream_error": 10}
    assert adds_up(told)

    # its calls are logs of their own gateway, and no traffic of the one that is shadowed
    live = {log["id"] for log in server.logs(case.gateway)}
    assert len(live) == 12
    calls = server.wait_for_logs(case.through, 20)
    assert len(calls) == 20
    shadow_id = told["id"]
    for call in calls:
        assert call["metadata"]["shadow"] == shadow_id
        assert call["metadata"]["shadow_of"] in live
        assert call["metadata"]["shadow_candidate"] in ("openai/short", "failing")
    spent = sum(Decimal(str(call["cost"])) for call in calls if call["cost"] is not None)
    assert Decimal(told["today"]["spent"]) >= spent > 0

    told = case.stop()
    assert (told["status"], told["status_description"]) == (2, "completed: it was stopped")
    assert told["compared_items"] == 10
    [errors] = [
        one
        for one in told["comparison"]["differences"]
        if (one["side"], one["evaluation_type_id"]) == ("failing", "error_rate")
    ]
    assert (Decimal(errors["difference"]), errors["verdict"], errors["paired"]["items"]) == (100, "worse", 10)
    case.ask()
    assert server.manage("GET", case.path)["seen"] == 10
    path = f"/client/v4/accounts/{server.account_id}/ai-gateway{case.path}/stop"
    assert server.call("POST", path).status == 400


def test_the_share_is_drawn_by_the_rule_and_each_is_called_once(server: Server, models: ReplayingUpstream) -> None:
    case = Case(server)
    told = case.start({"model": "openai/short"}, share=40)
    for number in range(25):
        assert case.ask(f"question {number}").status == 200
    told = case.wait(lambda now: now["seen"] == 25 and is_settled(now))
    rule = Shadow(
        account_id="",
        gateway_id="",
        id=told["id"],
        name="",
        created_at=0,
        modified_at=0,
        through="",
        candidates=(),
        share=Decimal(40),
        daily_cap=Decimal(1),
        until=0,
    )
    drawn = {log["id"] for log in server.logs(case.gateway) if rule.draws(ids.from_text(log["id"]) or b"")}
    assert {item["logged_log_id"] for item in case.items(side=1)} == drawn
    assert told["called"] == told["sampled"] == len(drawn) == len(models.asked("short")) > 0
    assert len(drawn) < 25


def test_calls_of_shadows_and_replays_are_never_shadowed(server: Server, models: ReplayingUpstream) -> None:
    case = Case(server)
    case.start({"model": "openai/short"})
    path = case.path
    back = {**case.body({"model": "openai/plain"}), "through": case.gateway}
    made = server.manage("POST", f"/gateways/{case.through}/shadows", back)
    for _ in range(3):
        case.ask()
    case.settled(3)
    case.path = f"/gateways/{case.through}/shadows/{made['id']}"
    told = case.settled(3)
    assert (told["called"], told["skipped"]["reasons"]) == (0, {"own_call": 3})
    assert adds_up(told)
    case.path = path
    told = case.stop()
    assert (told["seen"], told["called"]) == (3, 3)
    assert models.asked("plain") == []


def test_what_cannot_or_must_not_be_sent_is_counted_with_its_reason(
    server: Server, models: ReplayingUpstream
) -> None:
    case = Case(server, authentication=True)
    key = {"cf-aig-authorization": f"Bearer {server.token}"}
    case.start({"model": "openai/plain"})
    assert case.ask(headers=key).status == 200
    assert case.ask(headers={**key, "cf-aig-collect-log-payload": "false"}).status == 200
    assert case.ask(headers=key, tools=[{"type": "web_search"}]).status == 200
    url = f"{server.gateway_url(case.gateway)}/openai/v1/embeddings"
    assert (
        server.call("POST", url, {"model": "ok", "input": "x"}, {"authorization": "Bearer k", **key}).status == 200
    )
    assert case.ask().status == 401
    told = case.settled(5)
    assert told["skipped"] == {
        "total": 4,
        "reasons": {"never_sent": 1, "no_bodies": 1, "not_a_chat": 1, "server_state": 1},
    }
    assert told["called"] == told["progress"][1]["replayed"] == 1
    assert adds_up(told)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_daily_cap_is_never_passed(server: Server, models: ReplayingUpstream, concurrency: int) -> None:
    case = Case(server)
    # some 0.00027 are reserved for a call (50 tokens out, 180 in), 0.000006 are spent
    case.start({"model": "openai/plain"}, daily_cap=0.00029, concurrency=concurrency)
    for number in range(14):
        case.ask(f"question number {number}")
    told = case.settled(14)
    assert told["missed"]["reasons"] == {"cap_reached": told["missed"]["total"]}
    assert told["missed"]["total"] > 0
    assert told["called"] > 0
    assert adds_up(told)
    assert "the daily cap is reached" in told["status_description"]
    assert told["paused_until"].endswith("T00:00:00.000Z")
    calls = server.wait_for_logs(case.through, told["called"])
    assert len(calls) == told["called"] == len(models.asked("plain"))
    spent = sum(Decimal(str(call["cost"])) for call in calls)
    assert Decimal(told["today"]["spent"]) == spent <= Decimal("0.00029")
    sent = len(models.asked("plain"))
    case.ask()
    told = case.settled(15)
    assert (len(models.asked("plain")), told["called"]) == (sent, sent)


def test_it_ends_by_itself_when_so_many_were_called(server: Server, models: ReplayingUpstream) -> None:
    case = Case(server)
    case.start({"model": "openai/short"}, max_items=3, evaluation_type_ids=["json_validity"])
    for _ in range(6):
        case.ask()
    told = case.wait(lambda now: now["processed"])
    assert (told["status"], told["called"], told["compared_items"]) == (2, 3, 3)
    assert len(models.asked("short")) == 3
    assert told["missed"]["reasons"] == ({"ended": 3} if told["sampled"] == 6 else {})
    assert adds_up(told)
    [item, *_] = case.items(side=1)
    assert item["scores"][0]["score"] is not None


def test_stopped_it_breaks_off_and_says_so(server: Server, models: ReplayingUpstream) -> None:
    case = Case(server)
    models.held = True
    case.start({"model": "openai/short:stopped"}, concurrency=2)
    for _ in range(5):
        case.ask()
    case.wait(lambda now: now["sampled"] == 5 and len(models.asked("short:stopped")) == 2)
    told = case.stop()
    assert models.held
    assert told["missed"]["reasons"] == {"ended": 3}
    assert told["progress"][1]["reasons"] == {"broken_off": 2}
    assert adds_up(told)
    assert all("may have been paid" in item["note"] for item in case.items(side=1))
    models.held = False


def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, models: ReplayingUpstream) -> None:
    server = new_server(tmp_path, models.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1")
    server.start()
    model = "short:killed"
    try:
        case = Case(server)
        models.hold_after = (model, 6)
        case.start({"model": f"openai/{model}"}, concurrency=2)
        for number in range(10):
            assert case.ask(f"question {number}").status == 200
        server.wait_for_logs(case.gateway, 10)
        case.wait(lambda now: models.held and now["progress"][1]["replayed"] >= 4)
        server.kill()
        models.held = False
        server.start()
        told = case.settled(10)
        assert (told["seen"], told["called"], told["progress"][1]["replayed"]) == (10, 10, 10)
        asked = len(models.asked(model))
        assert 10 <= asked <= 12
        assert told["progress"][1]["maybe_paid_twice"] == asked - 10
        assert json.dumps(sorted(item["place"] for item in case.items(side=1))) == json.dumps(list(range(10)))
        assert case.ask("after the death").status == 200
        assert case.settled(11)["called"] == 11
    finally:
        models.held = False
        server.stop()
