"""A real `gaugeway serve` process on a free port, and the few calls that every journey makes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = "test-bootstrap-token-0123456789abcdef"
ACCOUNT = "0123456789abcdef0123456789abcdef"
GATEWAY_REQUIRED: dict[str, Any] = {
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}


@dataclass
class Answer:
    """An HTTP answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body decoded."""
        return json.loads(self.body)


@dataclass
class Server:
    """A server process and where it is."""

    data: Path
    port: int
    environment: dict[str, str]
    arguments: list[str] = field(default_factory=list)
    account_id: str = ACCOUNT
    token: str = TOKEN
    process: subprocess.Popen[bytes] | None = None
    answered: dict[str, str] = field(default_factory=dict)  # the log that each gateway named last

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What an official cloudflare client takes for its `base_url`."""
        return self.url + "/client/v4"

    def gateway_url(self, gateway: str) -> str:
        """The data plane of a gateway."""
        return f"{self.url}/v1/{self.account_id}/{gateway}"

    @property
    def output(self) -> str:
        """Everything it printed."""
        return (self.data.parent / f"{self.data.name}.out").read_text(errors="replace")

    def start(self, wait: bool = True) -> None:
        """Start the process and wait until it answers."""
        out = (self.data.parent / f"{self.data.name}.out").open("ab")
        command = [sys.executable, "-m", "gaugeway", "serve", "--data", str(self.data), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            env=self.environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        out.close()
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout: float = 60) -> None:
        """Wait until /healthz answers."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.output}"
            try:
                with urllib.request.urlopen(self.url + "/healthz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise AssertionError(f"the server did not become ready:\n{self.output}")

    def stop(self, sig: int = signal.SIGTERM, timeout: float = 40) -> int:
        """Stop it and wait for its end; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.process.wait(timeout)

    def kill(self) -> None:
        """kill -9 for the server's whole process group."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 60,
    ) -> Answer:
        """One management or data-plane request; `body` is JSON unless it is bytes already."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"authorization": f"Bearer {self.token}"} if headers is None else dict(headers)
        if data is not None:
            sent.setdefault("content-type", "application/json")
        url = path if path.startswith("http") else self.url + path
        request = urllib.request.Request(url, data=data, headers=sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return self._noted(url, answer.status, answer)
        except urllib.error.HTTPError as error:
            with error:
                return self._noted(url, error.code, error)

    def _noted(self, url: str, status: int, answer: Any) -> Answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        data_plane = self.gateway_url("")
        if "cf-aig-log-id" in headers and url.startswith(data_plane):
            gateway = url.removeprefix(data_plane).partition("/")[0].partition("?")[0]
            self.answered[gateway] = headers["cf-aig-log-id"]
        return Answer(status, headers, answer.read())

    def manage(self, method: str, path: str, body: Any = None) -> Any:
        """A management call that must succeed; its `result` (or the whole answer where there is none)."""
        answer = self.call(method, f"/client/v4/accounts/{self.account_id}/ai-gateway{path}", body)
        assert answer.status == 200, (answer.status, answer.body)
        decoded = answer.json
        return decoded.get("result", decoded)

    def make_gateway(self, name: str = "test", **settings: Any) -> str:
        """Create a gateway; its id."""
        self.manage("POST", "/gateways", {"id": name, **GATEWAY_REQUIRED, **settings})
        return name

    def chat(
        self, gateway: str, model: str = "ok", *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """A chat through the provider `openai`."""
        body = {"model": model, "messages": [{"role": "user", "content": "Say hello."}], **more}
        sent = {"authorization": "Bearer sk-the-providers-own-key", **(headers or {})}
        return self.call("POST", f"{self.gateway_url(gateway)}/openai/v1/chat/completions", body, sent)

    def logs(self, gateway: str, query: str = "") -> list[dict[str, Any]]:
        """The newest logs."""
        return self.manage("GET", f"/gateways/{gateway}/logs?per_page=50{query}")

    def wait_for_logs(self, gateway: str, count: int, timeout: float = 30) -> list[dict[str, Any]]:
        """The newest logs, once there are that many and the one that an answer to `call` named last is among them.

        The log of a client that left is made after that.
        """
        deadline = time.monotonic() + timeout
        while len(logs := self.logs(gateway)) < count or self._is_one_missing(gateway, logs):
            assert time.monotonic() < deadline, f"only {len(logs)} of {count} logs came, or the last is missing"
            time.sleep(0.05)
        return logs

    def _is_one_missing(self, gateway: str, logs: list[dict[str, Any]]) -> bool:
        last = self.answered.get(gateway)
        return last is not None and all(log["id"] != last for log in logs)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def new_server(folder: Path, upstream_url: str | None = None, *, workers: int = 1, **environment: str) -> Server:
    """A server that is not started yet. `openai` and `anthropic` go to the upstream."""
    upstreams = {} if upstream_url is None else {"openai": upstream_url + "/v1", "anthropic": upstream_url}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAUGEWAY_")}
    settings = {
        "GAUGEWAY_ACCOUNT_ID": ACCOUNT,
        "GAUGEWAY_BOOTSTRAP_TOKEN": TOKEN,
        "GAUGEWAY_UPSTREAMS": json.dumps(upstreams),
        "GAUGEWAY_WORKERS": str(workers),
    }
    return Server(data=folder / "data", port=free_port(), environment=kept | settings | environment)


@contextmanager
def running_server(
    folder: Path, upstream_url: str | None = None, *, workers: int = 1, **environment: str
) -> Iterator[Server]:
    """A started server; stopped at the end, by force if need be."""
    server = new_server(folder, upstream_url, workers=workers, **environment)
    server.start()
    try:
        yield server
    finally:
        try:
            server.stop()
        except subprocess.TimeoutExpired:
            server.kill()
            raise
