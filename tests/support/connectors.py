"""Both connectors, opened the same way, and requests for them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gaugeway.core.settings import Settings
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.aiohttp_adapter import AiohttpConnector
from gaugeway.proxy.connectors.native import NativeConnector
from gaugeway.proxy.connectors.seam import Connector, Incoming, Outgoing, Timers
from support.raw_upstream import HOST

PATIENT = Timers(connect=30, first_byte=30, idle=30)
NATIVE, AIOHTTP = "native", "aiohttp"


@asynccontextmanager
async def connector(
    kind: str, guard: AddressGuard | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Connector]:
    """A connector of that kind, closed at the end."""
    make = NativeConnector if kind == NATIVE else AiohttpConnector
    made: Connector = make(guard or AddressGuard(), tls)
    try:
        yield made
    finally:
        await made.aclose()


def guard_of(*allowed: str) -> AddressGuard:
    """A guard as the settings make it."""
    settings = Settings(private_upstreams=list(allowed))
    return AddressGuard(settings.private_networks(), settings.private_hosts())


def outgoing(port: int, **changed: Any) -> Outgoing:
    """A small POST to the loopback upstream."""
    fields: dict[str, Any] = {
        "method": b"POST",
        "scheme": "http",
        "host": HOST,
        "port": port,
        "target": b"/v1/chat?x=1",
        "headers": [(b"content-type", b"application/json")],
        "body": b'{"a":1}',
        "timers": PATIENT,
        "guarded": False,
    }
    return Outgoing(**(fields | changed))


async def read_all(incoming: Incoming) -> bytes:
    """The body to its clean end."""
    parts: list[bytes] = []
    while part := await incoming.read():
        parts.append(part)
    return b"".join(parts)
