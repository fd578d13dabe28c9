"""Monitors through a real server: a drop is told once and noise never, whatever dies, is down or costs too much.

Windows are asked for (`run`) where a test needs one, so that nothing depends on when it runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from gaugeway.core.model import Scope
from gaugeway.stores import open_stores
from support.judging_upstream import JudgingUpstream
from support.server import ACCOUNT, Server, new_server, running_server
from support.upstream import running_upstream
from support.webhook_receiver import SECRET, Receiver, receiving

WEEK = 7 * 24 * 60
HOUR_MS = 3_600_000
PRICE = {"cost_per_token_in": 0, "cost_per_token_out": 0.001, "max_tokens": 16}  # 0.016 at most, 0.01 in truth
GOOD, BAD = "says:{}", "says:no JSON at all"
_numbers = count(1)


@pytest.fixture(scope="module")
def upstream() -> Iterator[JudgingUpstream]:
    with running_upstream(JudgingUpstream) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, upstream: JudgingUpstream) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("monitors")
    with running_server(folder, upstream.url, workers=2, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


class Case:
    """A gateway with a monitor."""

    def __init__(self, server: Server, **body: Any) -> None:
        self.server = server
        self.gateway = server.make_gateway(f"watched-{next(_numbers)}")
        given = {"name": "quality", "interval_minutes": WEEK, "settle_seconds": 0, "min_logs": 15, **body}
        self.monitor = server.manage("POST", f"/gateways/{self.gateway}/monitors", given)
        self.path = f"/gateways/{self.gateway}/monitors/{self.monitor['id']}"

    def traffic(self, good: int, bad: int, *, feedback: bool = False) -> None:
        for number in range(good + bad):
            answer = self.server.chat(self.gateway, GOOD if number < good else BAD)
            assert answer.status == 200
            if feedback:
                log = f"/gateways/{self.gateway}/logs/{answer.headers['cf-aig-log-id']}"
                self.server.manage("PATCH", log, {"feedback": 1 if number < good else -1})

    def windows(self) -> list[dict[str, Any]]:
        return self.server.manage("GET", f"{self.path}/windows?per_page=50")

    def notices(self) -> list[dict[str, Any]]:
        return self.server.manage("GET", f"{self.path}/notices")

    def run(self) -> dict[str, Any]:
        """Ask for a window, and wait until it is concluded."""
        number = len(self.windows())
        self.server.manage("POST", f"{self.path}/run")
        return self.wait(lambda: (now := self.windows()) and len(now) > number and now[0]["finding"] and now[0])

    def wait(self, until: Callable[[], Any]) -> Any:
        end = time.monotonic() + 90
        while not (found := until()):
            assert time.monotonic() < end, (self.windows(), self.notices(), self.server.output[-3000:])
            time.sleep(0.05)
        return found


def findings(window: dict[str, Any]) -> dict[str, str]:
    return {one["evaluation_type_id"]: one["finding"] for one in window["checks"]}


def test_a_drop_is_told_once_and_noise_never(server: Server, receiver: Receiver) -> None:
    case = Case(
        server,
        evaluation_type_ids=["human_feedback", "json_validity", "length"],
        webhook={"url": receiver.url, "secret": SECRET},
    )
    assert case.monitor["webhook"]["secret"] == SECRET
    assert "secret" not in server.manage("GET", case.path)["webhook"]

    case.traffic(18, 2, feedback=True)
    first = case.run()
    assert first["finding"] == "no reference"
    assert findings(first)["length"] == "not compared"
    assert (first["total_logs"], first["alpha"]) == (20, None)
    evaluation = server.manage("GET", f"/gateways/{case.gateway}/evaluations/{first['evaluation_id']}")
    assert evaluation["window"]["monitor_id"] == case.monitor["id"]
    assert [one["status"] for one in evaluation["results"]] == [2, 2, 2]

    case.traffic(17, 3, feedback=True)
    noise = case.run()
    assert findings(noise)["human_feedback"] == findings(noise)["json_validity"] == "cannot tell"
    assert noise["total_logs"] == 20
    assert noise["alpha"] == pytest.approx(0.05 / 6)
    assert noise["reference_evaluation_ids"] == [first["evaluation_id"]]

    case.traffic(4, 16, feedback=True)
    drop = case.run()
    assert findings(drop) == {"human_feedback": "worse", "json_validity": "worse", "length": "not compared"}
    [check, *_] = drop["checks"]
    assert (check["figure"], check["reference_figure"], check["raised"]) == (20, 87.5, True)
    assert check["adjusted_p"] <= drop["alpha"]
    assert len(drop["reference_evaluation_ids"]) == 2

    case.traffic(4, 16, feedback=True)
    still = case.run()
    assert findings(still)["human_feedback"] == "worse"
    assert not any(one["raised"] for one in still["checks"])

    [told] = receiver.wait_for(1)
    assert told["signed"]
    assert told["path"] == "/hook?team=blue"
    assert told["body"]["type"] == "monitor.alert"
    assert told["body"]["data"]["window_id"] == drop["id"]
    assert "no JSON at all" not in json.dumps(told)  # nothing that a log says
    case.wait(lambda: case.notices()[0]["state"] == "delivered")
    [notice] = case.notices()
    assert (notice["id"], notice["tries"], notice["tried"][0]["status_code"]) == (told["id"], 1, 204)
    assert len(receiver.got) == 1
    # each log is in exactly one window
    ends = [(one["after"], one["until"]) for one in reversed(case.windows())]
    assert [until for _, until in ends[:-1]] == [after for after, _ in ends[1:]]
    assert sum(one["total_logs"] for one in case.windows()) == 80
    assert all(one["late_logs"] == 0 for one in case.windows()[1:])


def test_a_window_without_logs_is_a_finding_and_can_be_told(server: Server, receiver: Receiver) -> None:
    quiet = Case(server, evaluation_type_ids=["cost"], webhook={"url": receiver.url, "secret": SECRET})
    assert quiet.run()["finding"] == "no logs"
    assert quiet.notices() == []
    case = Case(
        server,
        evaluation_type_ids=["cost", "speed"],
        notify_on_failure=True,
        webhook={"url": receiver.url, "secret": SECRET},
    )
    assert findings(case.run()) == {"cost": "no logs", "speed": "no logs"}
    [told] = receiver.wait_for(1)
    assert told["body"]["type"] == "monitor.failure"
    assert case.run()["finding"] == "no logs"  # told before
    case.traffic(3, 0)
    few = case.run()
    assert few["finding"] == "not enough logs"
    assert "3 logs of the window have a figure; 15 are needed" in few["checks"][1]["words"]
    assert len(case.notices()) == 1


def test_the_receiver_is_down_and_comes_back(server: Server, receiver: Receiver) -> None:
    case = Case(
        server,
        evaluation_type_ids=["cost"],
        notify_on_failure=True,
        webhook={"url": receiver.url, "secret": SECRET},
    )
    receiver.down()
    case.run()
    case.wait(lambda: case.notices()[0]["tries"] >= 1)
    [notice] = case.notices()
    assert notice["state"] == "pending"
    assert notice["tried"][0]["status_code"] is None
    assert "No connection to 127.0.0.1" in notice["tried"][0]["error"]
    receiver.status = 302  # is not followed
    receiver.up()
    receiver.wait_for(1)
    receiver.status = 200
    case.wait(lambda: case.notices()[0]["state"] == "delivered")
    statuses = [one["status_code"] for one in case.notices()[0]["tried"]]
    assert statuses[-2:] == [302, 200]
    assert {one["path"] for one in receiver.got} == {"/hook?team=blue"}
    assert len({one["id"] for one in receiver.got}) == 1


def test_the_daily_cap_is_held_and_is_a_finding(
    server: Server, upstream: JudgingUpstream, receiver: Receiver
) -> None:
    judges = server.make_gateway(f"judges-{next(_numbers)}")
    parameters = {"model": "openai/judge", "gateway_id": judges, "max_cost": 1, "criteria": "Polite.", **PRICE}
    body = {"name": f"type {next(_numbers)}", "evaluator_id": "judge_criteria", "parameters": parameters}
    judge = server.manage("POST", "/evaluation-types", body)["id"]
    case = Case(
        server,
        evaluation_type_ids=["human_feedback", judge],
        daily_max_cost=0.07,
        max_items=10,
        notify_on_failure=True,
        webhook={"url": receiver.url, "secret": SECRET},
    )
    upstream.seen.clear()
    for number in range(15):
        assert server.chat(case.gateway, f"says:thing number {number}").status == 200
    capped = case.run()
    assert findings(capped)[judge] == "cap reached"
    [_, check] = capped["checks"]
    assert check["words"].startswith("the daily spend cap of 0.07 dollars is reached: only ")
    asked = len(upstream.questions())
    assert 0 < asked < 10  # of the sample of ten
    assert 0 < float(server.manage("GET", case.path)["spent_today"]) <= 0.07
    evaluation = server.manage("GET", f"/gateways/{case.gateway}/evaluations/{capped['evaluation_id']}")
    assert evaluation["total_logs"] == 15
    assert "of a sample of 10 of the window's 15 logs" in evaluation["results"][1]["status_description"]
    [told] = receiver.wait_for(1)
    assert told["body"]["type"] == "monitor.failure"

    for number in range(15):
        assert server.chat(case.gateway, f"says:other {number}").status == 200
    again = case.run()
    # what the day has left is too little for ten, and a new day's money would be too
    assert findings(again)[judge] == "cap reached"
    assert float(server.manage("GET", case.path)["spent_today"]) <= 0.07


def test_an_alert_survives_kill_nine_between_evaluation_and_delivery(
    tmp_path: Path, upstream: JudgingUpstream, receiver: Receiver
) -> None:
    server = new_server(tmp_path, upstream.url, workers=2, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1")
    server.start()
    try:
        case = Case(
            server,
            evaluation_type_ids=["json_validity"],
            webhook={"url": receiver.url, "secret": SECRET},
        )
        case.traffic(20, 0)
        case.run()
        case.traffic(2, 18)
        receiver.held.clear()  # it has the notice, and has not answered
        assert case.run()["finding"] == "worse"
        receiver.wait_for(1)
        server.kill()
        receiver.held.set()
        server.start()
        case.wait(lambda: case.notices()[0]["state"] == "delivered")
        assert len(case.notices()) == 1
        assert len({one["id"] for one in receiver.got}) == 1  # told twice, and known by its id
        assert len(case.windows()) == 2
    finally:
        server.stop()


def test_missed_times_are_caught_up_once(tmp_path: Path, upstream: JudgingUpstream) -> None:
    """As if the server had been off for hours: the monitor's state says that it last counted some hours ago."""
    server = new_server(tmp_path, upstream.url, workers=2, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1")
    server.start()
    case = Case(server, evaluation_type_ids=["cost"], interval_minutes=60, filters=[])
    case.traffic(4, 0)
    server.wait_for_logs(case.gateway, 4)
    server.stop()
    stores = open_stores(server.data)
    try:
        from msgspec import structs

        def hours_ago(monitor: Any) -> Any:
            hour = monitor.counted_until // HOUR_MS * HOUR_MS
            return structs.replace(monitor, counted_until=hour - 5 * HOUR_MS, due_at=hour - 4 * HOUR_MS)

        stores.monitors.change(Scope(ACCOUNT, case.gateway), case.monitor["id"], hours_ago)
    finally:
        stores.close()
    server.start()
    try:
        [window] = case.wait(lambda: (now := case.windows()) and now[0]["finding"] and now)
        assert window["missed"] >= 4  # the hour may turn meanwhile
        assert window["note"] == f"{window['missed']} scheduled times were missed: their logs are in this window"
        assert window["until"].endswith(":00:00.000Z")
        assert not window["asked"]
        assert server.manage("GET", case.path)["next_at"] > window["until"]
    finally:
        server.stop()
