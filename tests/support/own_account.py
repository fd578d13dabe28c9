"""What every wire test of the management API needs: tokens of each kind, logs that came through the data plane."""

from __future__ import annotations

import json
import time
from typing import Any

from support.command_line import command
from support.server import Server

EMAIL = "admin@localhost"


def make_token(server: Server, *permissions: str) -> str:
    """The text of a new token with only these permissions."""
    options = [part for permission in permissions for part in ("--permission", permission)]
    ran = command("token", "create", "wire", *options, "--data", str(server.data), "--json", "--email", EMAIL)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)["token"]


def some_traffic(server: Server, gateway: str) -> list[str]:
    """Six chats, each unlike the others; their logs' ids, oldest first."""
    made: list[str] = []
    for index in range(6):
        model = "error-500" if index == 5 else f"ok-{index}"
        headers = {
            "cf-aig-metadata": json.dumps({"user": f"user-{index % 2}", "n": index}),
            "cf-aig-custom-cost": json.dumps({"total_cost": index / 1000}),
            "cf-aig-event-id": f"event-{index}",
        }
        answer = server.chat(gateway, model, headers=headers)
        made.append(answer.headers["cf-aig-log-id"])
        time.sleep(0.002)  # a millisecond of its own for each
    return made


def finished(server: Server, gateway: str, evaluation_id: str) -> dict[str, Any]:
    """The evaluation once it is processed."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = server.manage("GET", f"/gateways/{gateway}/evaluations/{evaluation_id}")
        if now["processed"]:
            return now
        time.sleep(0.05)
    raise AssertionError("the evaluation was not processed within a minute")
