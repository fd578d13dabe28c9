"""Exchanges as the phases see them, without a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gaugeway.core.provider import Asked
from gaugeway.providers import load
from gaugeway.proxy.exchange import Exchange, Headers, Options, Target
from support.state import a_gateway

PROVIDERS = load()
KEY = (b"authorization", b"Bearer sk-somebody")


class NoConnection:
    """Nobody is there."""

    def on_hangup(self, callback: Callable[[], None] | None) -> None:
        pass

    def cut(self) -> None:
        pass

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        pass


async def _receive() -> Any:
    raise AssertionError("the body has been received")


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
        "scope": {},
        "connection": NoConnection(),
        "receive": _receive,
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
