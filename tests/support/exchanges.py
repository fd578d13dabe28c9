"""Exchanges as the phases see them, without a connection."""

from __future__ import annotations

from typing import Any

from gaugeway.core.provider import Asked
from gaugeway.providers import load
from gaugeway.proxy.exchange import Exchange, Headers, Options, Target
from support.state import a_gateway

PROVIDERS = load()
KEY = (b"authorization", b"Bearer sk-somebody")


class NoConnection:
    """Nobody is there."""

    method = "POST"
    path = b"/v1/account/gateway/openai/v1/chat/completions"
    query = b""
    is_http_1_0 = False
    is_full = False
    more_body = False
    hung_up = False

    def __init__(self) -> None:
        self.headers: Headers = []

    async def read(self) -> bytes:
        raise AssertionError("the body has been received")

    def take_arrived(self) -> bytes:
        raise AssertionError("the body has been received")

    def cut(self) -> None:
        pass

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        pass

    def begin(self, status: int, headers: Headers) -> None:
        pass

    def send(self, piece: bytes) -> None:
        pass

    async def drained(self) -> None:
        pass

    def finish(self) -> None:
        pass


def a_target(slug: str = "openai", **fields: Any) -> Target:
    plain: dict[str, Any] = {
        "provider": PROVIDERS[slug],
        "scheme": "https",
        "host": "api.example",
        "port": 443,
        "prefix": "/v1",
        "guarded": False,
    }
    return Target(**plain | fields)


def an_exchange(**fields: Any) -> Exchange:
    """A chat that is routed."""
    plain: dict[str, Any] = {
        "connection": NoConnection(),
        "log_id": bytes(16),
        "started": 0.0,
        "gateway": a_gateway(),
        "slug": "openai",
        "rest": "v1/chat/completions",
        "query": b"",
        "headers": [KEY, (b"content-type", b"application/json")],
        "options": Options(),
        "body": b'{"model": "ok"}',
        "target": a_target(),
        "asked": Asked(model="ok"),
    }
    return Exchange(**plain | fields)
