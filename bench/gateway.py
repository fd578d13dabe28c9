"""The gateway under measurement: a real `gaugeway serve`, worker and recorder on one core."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import GATEWAY_CORE, start_pinned, tree
from bench.nginx import wait_for

PORT = 18080
ACCOUNT = "0123456789abcdef0123456789abcdef"
TOKEN = "bench-token-0123456789abcdef0123456789"  # the bench's own server, on loopback
CHAT_PATH = f"/v1/{ACCOUNT}/bench/openai/v1/chat/completions"
HEADERS = {
    "authorization": "Bearer sk-0123456789abcdef0123456789abcdef",
    "content-type": "application/json",
    "accept": "application/json",
    "user-agent": "OpenAI/Python 3.54.0",
    "x-stainless-lang": "python",
    "x-stainless-package-version": "3.54.0",
    "x-stainless-os": "Linux",
    "x-stainless-arch": "x64",
    "x-stainless-runtime": "CPython",
    "x-stainless-retry-count": "0",
    "cf-aig-authorization": f"Bearer {TOKEN}",
}
CHAT = json.dumps(
    {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "You answer briefly and exactly. " * 20},
            {"role": "user", "content": "Tell me something about measuring what flows through a gateway. " * 28},
        ],
        "temperature": 0.2,
        "max_tokens": 64,
    }
).encode()
UNIVERSAL_PATH = f"/v1/{ACCOUNT}/bench"
UNIVERSAL = json.dumps(
    [
        {
            "provider": "openai",
            "endpoint": endpoint,
            "headers": {"authorization": HEADERS["authorization"]},
            "query": json.loads(CHAT),
        }
        for endpoint in ("failing", "chat/completions")
    ]
).encode()
"""A universal request whose first step's provider answers 503."""


@dataclass
class Gateway:
    """A running gateway."""

    process: subprocess.Popen[bytes]
    data: Path
    url: str = f"http://127.0.0.1:{PORT}"

    @property
    def pids(self) -> list[int]:
        """Its processes, the recorder's included."""
        return tree(self.process.pid, also=f"GAUGEWAY_DATA={self.data}")


def environment(data: Path, upstream: str) -> dict[str, str]:
    """The gateway's settings."""
    return os.environ | {
        "GAUGEWAY_DATA": str(data),
        "GAUGEWAY_PORT": str(PORT),
        "GAUGEWAY_ACCOUNT_ID": ACCOUNT,
        "GAUGEWAY_BOOTSTRAP_TOKEN": TOKEN,
        "GAUGEWAY_UPSTREAMS": json.dumps({"openai": upstream + "/v1"}),
    }


def start(data: Path, upstream: str) -> Gateway:
    """Start it; it may not answer yet. Nobody else may stand where it will: that one would be measured."""
    with socket.socket() as probe:
        if not probe.connect_ex(("127.0.0.1", PORT)):
            raise SystemExit(
                f"something listens on port {PORT} already, another bench's gateway perhaps: end it first"
            )
    command = [sys.executable, "-m", "gaugeway", "serve"]
    return Gateway(start_pinned(GATEWAY_CORE, command, environment(data, upstream)), data)


def stop(gateway: Gateway) -> None:
    """Stop it and wait."""
    os.killpg(gateway.process.pid, signal.SIGTERM)
    gateway.process.wait(60)


@contextmanager
def running_gateway(data: Path, upstream: str) -> Iterator[Gateway]:
    """A gateway with a gateway `bench` that demands a token and logs everything."""
    gateway = start(data, upstream)
    try:
        wait_for(gateway.url + "/healthz")
        make_gateway(gateway.url)
        yield gateway
    finally:
        stop(gateway)


def make_gateway(url: str) -> None:
    """Create `bench`."""
    body = {
        "id": "bench",
        "cache_invalidate_on_update": False,
        "cache_ttl": 0,
        "collect_logs": True,
        "rate_limiting_interval": 0,
        "rate_limiting_limit": 0,
        "authentication": True,
    }
    manage(url, "POST", "/gateways", body)


def manage(url: str, method: str, path: str, body: object = None) -> dict[str, object]:
    """A management call."""
    request = urllib.request.Request(
        f"{url}/client/v4/accounts/{ACCOUNT}/ai-gateway{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {TOKEN}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def count_logs(url: str) -> int:
    """How many logs the gateway has."""
    info = manage(url, "GET", "/gateways/bench/logs?per_page=1&count=exact")["result_info"]
    assert isinstance(info, dict)
    return int(info["total_count"])
