"""Receive the body: all of it, within the limit."""

from __future__ import annotations

import asyncio

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import NO_ROUTE, TOO_LARGE
from gaugeway.proxy.exchange import Exchange


class Receiving:
    """The phase that takes the body in; only for those who may pass."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body

    async def receive(self, exchange: Exchange) -> None:
        """Read the body. Raises GatewayError (413) beyond the limit, and CancelledError when the client leaves."""
        if not exchange.slug:
            raise GatewayError(400, NO_ROUTE, "The universal endpoint is not available in this version")
        if exchange.declared_size is not None and exchange.declared_size > self._max_body:
            raise self._too_large()
        message = await exchange.receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            pieces, size = [body], len(body)
            while message.get("more_body"):
                message = await exchange.receive()
                piece: bytes = message.get("body", b"")
                pieces.append(piece)
                size += len(piece)
                if size > self._max_body:
                    raise self._too_large()
            body = b"".join(pieces)
        exchange.body = body
        if message["type"] == "http.disconnect":
            exchange.gone = True
            raise asyncio.CancelledError

    def _too_large(self) -> GatewayError:
        limit = f"{self._max_body} bytes (GAUGEWAY_MAX_REQUEST_BODY)"
        return GatewayError(413, TOO_LARGE, f"The request body is larger than {limit}")
