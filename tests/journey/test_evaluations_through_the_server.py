"""Traffic in, figures out, through a real server with two workers: nothing that was answered is left out."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from support import laboratory as lab
from support.server import Server, running_server
from support.upstream import WORDS, running_upstream

COST = {"cf-aig-custom-cost": '{"total_cost": 0.0003}'}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        running_upstream() as upstream,
        running_server(tmp_path_factory.mktemp("server"), upstream.url, workers=2) as started,
    ):
        yield started


def evaluate(server: Server, gateway: str, name: str, *filters: dict[str, Any]) -> dict[str, Any]:
    """Create a dataset and an evaluation of all types over it; the evaluation as first answered."""
    dataset = {"name": name, "enable": True, "filters": list(filters)}
    made = server.manage("POST", f"/gateways/{gateway}/datasets", dataset)
    wanted = {"name": name, "dataset_ids": [made["id"]], "evaluation_type_ids": list(lab.TYPES)}
    return server.manage("POST", f"/gateways/{gateway}/evaluations", wanted)


def finished(server: Server, gateway: str, evaluation_id: str) -> dict[str, Any]:
    """The evaluation once it is processed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = server.manage("GET", f"/gateways/{gateway}/evaluations/{evaluation_id}")
        if now["processed"]:
            return now
        time.sleep(0.02)
    raise AssertionError(f"the evaluation was not processed within a minute: {now}")


def test_every_answered_request_is_in_an_evaluation_created_right_after(server: Server):
    gateway = server.make_gateway("fresh")
    with ThreadPoolExecutor(8) as senders:
        for round_number in range(1, 6):
            answers = list(senders.map(lambda _: server.chat(gateway, headers=COST).status, range(16)))
            assert answers == [200] * 16
            created = evaluate(server, gateway, f"round {round_number}")
            assert not created["processed"]
            done = finished(server, gateway, created["id"])
            assert done["total_logs"] == 16 * round_number
            assert [row["total_logs"] for row in done["results"]] == [16 * round_number, 16 * round_number, 0]


def test_the_figures_are_those_of_the_logs(server: Server):
    gateway = server.make_gateway("figures")
    for number in range(12):
        cost = {"cf-aig-custom-cost": f'{{"total_cost": {number}.000000000007}}'} if number % 3 else {}
        answer = server.chat(gateway, "ok" if number % 4 else "error-500", headers=cost)
        if number % 2:
            log_id = answer.headers["cf-aig-log-id"]
            server.logs(gateway)
            server.manage("PATCH", f"/gateways/{gateway}/logs/{log_id}", {"feedback": 1 if number < 8 else -1})
    logs = server.logs(gateway)
    assert len(logs) == 12
    created = evaluate(server, gateway, "all of them")
    server.chat(gateway)
    done = finished(server, gateway, created["id"])
    costs = [Decimal(log["cost_exact"]) for log in logs if log["cost_exact"] is not None]
    marks = [log["feedback"] for log in logs if log["feedback"]]
    expected = [
        (Fraction(sum(costs)) / len(costs), len(costs)),
        (Fraction(sum(log["duration"] for log in logs), 12), 12),
        (Fraction(100 * marks.count(1), len(marks)), len(marks)),
    ]
    assert done["total_logs"] == 12
    for row, (exact, n) in zip(done["results"], expected, strict=True):
        assert (row["status"], row["total_logs"], row["skipped"]) == (2, n, 12 - n)
        assert lab.is_nearest(row["result"], exact), (row, exact)


def test_a_dataset_of_groups_and_texts_selects_for_the_evaluation_what_it_lists(server: Server):
    gateway = server.make_gateway("groups")
    ids: dict[str, str] = {}
    for name, model, text in (
        ("streamed", "ok", "Wo liegt Zürich?"),
        ("plain", "ok-2", "Wo liegt Zürich?"),
        ("other", "ok-2", "Where is Bern?"),
        ("failed", "error-500", "Where is Basel?"),
    ):
        messages = [{"role": "user", "content": text}]
        answer = server.chat(gateway, model, messages=messages, stream=name == "streamed", headers=COST)
        ids[answer.headers["cf-aig-log-id"]] = name
    zurich = {"key": "request_body", "operator": "contains", "value": ["ZÜRICH"]}
    answered = {"key": "response_body", "operator": "contains", "value": ["".join(WORDS)]}
    failed = {"key": "success", "operator": "eq", "value": [False]}
    for filters, names in (
        ([{"any_of": [zurich, failed]}], {"streamed", "plain", "failed"}),
        ([{"none_of": [zurich, failed]}], {"other"}),
        ([zurich, {"none_of": [{"key": "model", "operator": "eq", "value": ["ok-2"]}]}], {"streamed"}),
        ([answered], {"streamed", "plain", "other"}),
    ):
        query = urlencode({"filters": json.dumps(filters)})
        assert {ids[log["id"]] for log in server.logs(gateway, f"&{query}")} == names
        done = finished(server, gateway, evaluate(server, gateway, f"{len(names)} {filters}"[:200], *filters)["id"])
        assert done["total_logs"] == len(names)
        assert done["datasets"][0]["filters"] == filters


def test_an_evaluation_over_no_logs_ends_and_says_so(server: Server):
    gateway = server.make_gateway("empty")
    done = finished(server, gateway, evaluate(server, gateway, "nothing")["id"])
    assert done["total_logs"] == 0
    for row in done["results"]:
        assert (row["status"], row["result"], row["total_logs"]) == (3, "", 0)
        assert row["status_description"] == "completed without usable logs: no log matches the datasets"


def test_evaluations_survive_the_death_of_the_whole_server(tmp_path: Path):
    with running_upstream() as upstream, running_server(tmp_path, upstream.url) as server:
        gateway = server.make_gateway("main")
        for _ in range(5):
            assert server.chat(gateway, headers=COST).status == 200
        assert len(server.logs(gateway)) == 5
        created = [evaluate(server, gateway, f"number {number}")["id"] for number in range(10)]
        server.kill()
        server.start()
        for evaluation_id in created:
            done = finished(server, gateway, evaluation_id)
            assert done["results"][0]["result"] == "0.0003"
            assert done["total_logs"] == 5
        assert server.stop(signal.SIGTERM) == 0
