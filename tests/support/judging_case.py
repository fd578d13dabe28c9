"""A gateway with answers, and judges of them, through a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

from support.server import Server

PRICE = {"cost_per_token_in": 0.000001, "cost_per_token_out": 0.000002}
_numbers = count(1)


class Case:
    """A gateway with answers, one for judges, and one evaluation after the other."""

    def __init__(self, server: Server, answers: list[str], **judges: Any) -> None:
        number = next(_numbers)
        self.server = server
        self.gateway = server.make_gateway(f"judged-{number}")
        self.judges = server.make_gateway(f"judges-{number}", **judges)
        for answer in answers:
            assert server.chat(self.gateway, f"says:{answer}").status == 200
        body = {"name": "all", "enable": True, "filters": []}
        self.dataset = server.manage("POST", f"/gateways/{self.gateway}/datasets", body)["id"]
        self.path = ""

    def custom(self, evaluator: str = "judge_criteria", **parameters: Any) -> str:
        """The id of a custom evaluation type."""
        given = {"model": "openai/judge", "gateway_id": self.judges, "max_cost": 1, **PRICE}
        if evaluator == "judge_criteria":
            given["criteria"] = "It is polite."
        body = {"name": f"type {next(_numbers)}", "evaluator_id": evaluator, "parameters": {**given, **parameters}}
        return self.server.manage("POST", "/evaluation-types", body)["id"]

    def start(self, *types: str) -> None:
        body = {"name": f"e{next(_numbers)}", "dataset_ids": [self.dataset], "evaluation_type_ids": list(types)}
        made = self.server.manage("POST", f"/gateways/{self.gateway}/evaluations", body)
        self.path = f"/gateways/{self.gateway}/evaluations/{made['id']}"

    def wait(self, until: Callable[[dict[str, Any]], bool] = lambda now: now["processed"]) -> dict[str, Any]:
        end = time.monotonic() + 90
        while not until(now := self.server.manage("GET", self.path)):
            assert time.monotonic() < end, now
            time.sleep(0.05)
        return now

    def evaluate(self, *types: str) -> list[dict[str, Any]]:
        self.start(*types)
        return self.wait()["results"]

    def items(self, **query: str) -> list[dict[str, Any]]:
        words = "&".join(f"{name}={value}" for name, value in {"per_page": "100", **query}.items())
        return self.server.manage("GET", f"{self.path}/items?{words}")
