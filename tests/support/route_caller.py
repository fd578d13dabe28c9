"""Dynamic routes of a gateway, and requests for them."""

from __future__ import annotations

from typing import Any

from support.routes import END, start
from support.server import Answer, Server

KEY = "sk-the-providers-own-key"


class Caller:
    """Routes in a gateway, and requests for them."""

    def __init__(self, server: Server, gateway: str) -> None:
        self.server = server
        self.gateway = gateway

    def route(self, *elements: dict[str, Any], name: str = "r") -> dict[str, Any]:
        """Make a route; a start that leads to the first element, and an end, are added."""
        whole = [start(elements[0]["id"]), *elements, END]
        return self.server.manage("POST", f"/gateways/{self.gateway}/routes", {"name": name, "elements": whole})

    def version(self, route: dict[str, Any], *elements: dict[str, Any]) -> str:
        whole = [start(elements[0]["id"]), *elements, END]
        path = f"/gateways/{self.gateway}/routes/{route['id']}/versions"
        return self.server.manage("POST", path, {"elements": whole})["version_id"]

    def deploy(self, route: dict[str, Any], version_id: str) -> None:
        path = f"/gateways/{self.gateway}/routes/{route['id']}/deployments"
        self.server.manage("POST", path, {"version_id": version_id})

    def ask(
        self,
        route: str = "r",
        headers: dict[str, str] | None = None,
        path: str = "chat/completions",
        **more: Any,
    ) -> Answer:
        body = {"model": f"dynamic/{route}", "messages": [{"role": "user", "content": "Hello"}], **more}
        sent = {"authorization": f"Bearer {KEY}", **(headers or {})}
        return self.server.call("POST", f"{self.server.gateway_url(self.gateway)}/compat/{path}", body, sent)

    def log(self) -> dict[str, Any]:
        return self.server.wait_for_logs(self.gateway, 1)[0]

    def step(self, model: str = "dynamic/r", headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """A universal request's step, at the compatible endpoint."""
        query = {"model": model, "messages": [{"role": "user", "content": "Hello"}], **more}
        sent = {"authorization": f"Bearer {KEY}", **(headers or {})}
        return {"provider": "compat", "endpoint": "chat/completions", "headers": sent, "query": query}

    def send(self, *steps: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
        """A universal request."""
        return self.server.call("POST", self.server.gateway_url(self.gateway), list(steps), headers or {})
