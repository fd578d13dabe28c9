"""A server whose disk is full: it answers and says what it suffers from, and deleting logs makes room again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.server import Answer, Server, running_server
from support.small_disk import free_bytes, small_disk
from support.upstream import Upstream

MIB = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, 32) as place:
        yield place


@pytest.fixture
def full(disk: Path, shared_upstream: Upstream) -> Iterator[Server]:
    """A server with a gateway `test`, logs in it, others that wait, and no byte left on its disk."""
    with running_server(disk, shared_upstream.url, GAUGEWAY_PRIVATE_UPSTREAMS="127.0.0.1") as server:
        server.make_gateway("test")
        server.make_gateway("other")
        assert server.chat("other").status == 200
        wait_until(server, (server.data / "ballast").exists, "there is no ballast")
        while (trouble := state(server)["trouble"]) is None:
            for _ in range(4):
                assert chat(server).status == 200
            server.call("GET", f"{server.base_url}/accounts/{server.account_id}/ai-gateway/gateways/test/logs")
        assert "no room left on the disk" in trouble
        with pytest.raises(OSError, match="No space left"), (disk / "else").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        yield server


def chat(server: Server) -> Answer:
    """A request of which 400 KB stay."""
    return server.chat("test", user=os.urandom(200_000).hex())


def state(server: Server) -> dict[str, Any]:
    return server.call("GET", "/readyz").json


def wait_until(server: Server, is_so: Any, otherwise: str) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, f"{otherwise}: {state(server)}\n{server.output}"
        time.sleep(0.1)


def delete(server: Server, what: str) -> Answer:
    return server.call("DELETE", f"/client/v4/accounts/{server.account_id}/ai-gateway/gateways/{what}")


def test_deleting_logs_makes_room_and_traffic_is_logged_again(disk: Path, full: Server) -> None:
    assert free_bytes(disk) == 0
    waiting = state(full)["logs_unacknowledged"]
    assert waiting > 0
    assert chat(full).status == 200, "answers do not depend on logs"
    written = {log["id"] for log in full.logs("test")}
    assert written

    answer = delete(full, "test/logs")

    assert answer.status == 200, answer.body
    assert answer.json["success"] is True
    assert [message["code"] for message in answer.json["messages"]] == [10503]
    assert "no room to write the newest logs" in answer.json["messages"][0]["message"]
    wait_until(full, lambda: state(full)["ready"], "logs are not written again")
    assert state(full)["logs_lost_since_start"] == 0
    late = {log["id"] for log in full.wait_for_logs("test", waiting + 1)}
    assert not late & written, "what waited was written, the rest is gone"
    assert chat(full).status == 200
    full.wait_for_logs("test", len(late) + 1)
    answer = delete(full, "test/logs")
    assert answer.json == {"success": True}
    assert full.logs("test") == []
    wait_until(full, lambda: free_bytes(disk) > 4 * MIB, "the space was not given back")
    assert len(full.logs("other")) == 1


def test_deleting_the_gateway_makes_room_too_and_takes_what_waits_with_it(disk: Path, full: Server) -> None:
    assert free_bytes(disk) == 0
    answer = delete(full, "test")
    assert answer.status == 200, answer.body
    wait_until(full, lambda: state(full)["ready"], "logs are not written again")
    full.make_gateway("test")
    assert full.logs("test") == []
