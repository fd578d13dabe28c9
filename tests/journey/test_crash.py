"""kill -9 of the server, between and during writes: every log older than a second is there, none twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from support.server import Server, new_server
from support.upstream import Upstream


@pytest.fixture
def start(tmp_path: Path, upstream: Upstream) -> Iterator[Callable[..., Server]]:
    """Start a server of the test's own; it does not outlive the test."""
    started: list[Server] = []

    def start(workers: int = 1) -> Server:
        started.append(new_server(tmp_path, upstream.url, workers=workers))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.stop()


def all_logs(server: Server, gateway: str) -> list[dict[str, Any]]:
    """Every log, over all pages."""
    found: list[dict[str, Any]] = []
    page = 1
    while more := server.manage("GET", f"/gateways/{gateway}/logs?per_page=50&page={page}"):
        found += more
        page += 1
    return found


def kill_everything(server: Server) -> None:
    """kill -9 for the workers and for the recorder, wherever it is."""
    server.kill()
    folder = os.fsencode(server.data)
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # ended meanwhile
                if folder in (process / "cmdline").read_bytes().split(b"\0"):
                    os.kill(int(process.name), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_of_everything_loses_no_acknowledged_log(start: Callable[..., Server], workers: int) -> None:
    server = start(workers)
    gateway = server.make_gateway()
    answered: list[tuple[float, str]] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                answer = server.chat(gateway)
            except (OSError, HTTPException):
                continue  # killed under our hands
            if answer.status == 200:
                answered.append((time.monotonic(), answer.headers["cf-aig-log-id"]))

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    kills: list[tuple[float, float]] = []
    late = 0.0  # how far behind this machine is with what it has to do, at the worst
    try:
        for run in range(3):
            for _ in range(15 + run * 4):
                began = time.monotonic()
                time.sleep(0.1)
                late = max(late, time.monotonic() - began - 0.1)
            began = time.monotonic()
            kill_everything(server)
            kills.append((began, time.monotonic()))  # whatever was answered by now, was answered before
            server.start()
    finally:
        stop.set()
        for client in clients:
            client.join(60)
    kept = [log["id"] for log in all_logs(server, gateway)]
    assert len(kept) == len(set(kept)), "a log was written twice"
    assert answered
    present = set(kept)
    gone = [(moment, log_id) for moment, log_id in answered if log_id not in present]
    ages = [min((began - moment for began, ended in kills if ended >= moment), default=None) for moment, _ in gone]
    allowed = 1 + 5 * late
    assert all(age is not None and age <= allowed for age in ages), f"lost, seconds before a kill: {ages}, {late=}"


def test_a_stop_loses_nothing_at_all(start: Callable[..., Server]) -> None:
    server = start()
    gateway = server.make_gateway()
    answered = {server.chat(gateway).headers["cf-aig-log-id"] for _ in range(20)}
    assert server.stop() == 0
    server.start()
    assert {log["id"] for log in all_logs(server, gateway)} == answered


def test_a_request_in_flight_is_finished_when_the_server_is_stopped(
    start: Callable[..., Server], upstream: Upstream
) -> None:
    server = start()
    gateway = server.make_gateway()
    answers: list[bytes] = []
    client = threading.Thread(target=lambda: answers.append(server.chat(gateway, "drip", stream=True).body))
    client.start()
    upstream.wait_for(1)
    assert server.stop() == 0
    client.join(20)
    assert answers[0].endswith(b"data: [DONE]\n\n")
    server.start()
    assert [log["outcome"] for log in server.logs(gateway)] == ["success"]


def test_an_evaluation_survives_kill_9(start: Callable[..., Server]) -> None:
    server = start()
    gateway = server.make_gateway()
    for _ in range(5):
        server.chat(gateway, "gpt-4o-mini")
    assert len(server.logs(gateway)) == 5  # listed, so durable
    dataset = server.manage("POST", f"/gateways/{gateway}/datasets", {"name": "all", "enable": True, "filters": []})
    made = server.manage(
        "POST",
        f"/gateways/{gateway}/evaluations",
        {"name": "after all", "dataset_ids": [dataset["id"]], "evaluation_type_ids": ["cost", "speed"]},
    )
    kill_everything(server)
    server.start()
    deadline = time.monotonic() + 60
    while not (found := server.manage("GET", f"/gateways/{gateway}/evaluations/{made['id']}"))["processed"]:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    results = {result["evaluation_type_id"]: result for result in found["results"]}
    assert results["cost"]["status"] == 2
    assert results["cost"]["result"] == "0.0000087"
    assert found["total_logs"] == results["cost"]["total_logs"] == 5
