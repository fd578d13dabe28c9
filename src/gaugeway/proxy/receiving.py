"""Receive the body: all of it, within the limit."""

from __future__ import annotations

import asyncio

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import TOO_LARGE
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.universal import Universal, check_form


class Receiving:
    """The phase that takes the body in; only for those who may pass."""

    def __init__(self, max_body: int, universal: Universal) -> None:
        self._max_body = max_body
        self._universal = universal

    async def receive(self, exchange: Exchange) -> None:
        """Read the body. Raises GatewayError (413) beyond the limit, and CancelledError when the client leaves."""
        if not exchange.slug:
            check_form(exchange)
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
        if message["type"] == "http.disconnect":
            exchange.gone = True
            exchange.body = body if exchange.slug else b""
            raise asyncio.CancelledError
        if exchange.slug:
            exchange.body = body
        else:  # it holds credentials, so it is not kept as it came
            self._universal.unpack(exchange, body)

    def _too_large(self) -> GatewayError:
        limit = f"{self._max_body} bytes (GAUGEWAY_MAX_REQUEST_BODY)"
        return GatewayError(413, TOO_LARGE, f"The request body is larger than {limit}")
