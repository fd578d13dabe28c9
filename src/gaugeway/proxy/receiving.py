"""Receive the body: all of it, within the limit."""

from __future__ import annotations

from collections.abc import Awaitable

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.admission import unauthorized
from gaugeway.proxy.answers import TOO_LARGE
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.universal import Universal, check_form

MAX_STRANGERS_BODY = 1024 * 1024
"""Bytes of a universal request that are read to find a token in its steps; a larger one needs it in its headers."""


class Receiving:
    """The phase that takes the body in; only for those who may pass."""

    def __init__(self, max_body: int, universal: Universal) -> None:
        self._max_body = max_body
        self._universal = universal

    def receive(self, exchange: Exchange) -> Awaitable[None] | None:
        """Read the body. Raises GatewayError (413) beyond the limit, and CancelledError when the client leaves."""
        if not exchange.slug:
            check_form(exchange)
        if exchange.declared_size is not None and exchange.declared_size > self._limit(exchange):
            raise self._too_large(exchange)
        if exchange.connection.more_body:
            return self._wait_for(exchange)
        self._keep(exchange, exchange.connection.take_arrived())
        return None

    async def _wait_for(self, exchange: Exchange) -> None:
        """Read until all of it is there, or more than may be."""
        connection = exchange.connection
        pieces: list[bytes] = []
        size = 0
        limit = self._limit(exchange)
        while connection.more_body and size <= limit:
            pieces.append(await connection.read())
            size += len(pieces[-1])
        self._keep(exchange, b"".join(pieces))

    def _keep(self, exchange: Exchange, body: bytes) -> None:
        if len(body) > self._limit(exchange):
            raise self._too_large(exchange)
        if exchange.slug:
            exchange.body = body
        else:  # it holds credentials, so it is not kept as it came
            self._universal.unpack(exchange, body)

    def _limit(self, exchange: Exchange) -> int:
        return min(self._max_body, MAX_STRANGERS_BODY) if exchange.owes_token else self._max_body

    def _too_large(self, exchange: Exchange) -> GatewayError:
        if exchange.owes_token:
            return unauthorized()
        limit = f"{self._max_body} bytes (GAUGEWAY_MAX_REQUEST_BODY)"
        return GatewayError(413, TOO_LARGE, f"The request body is larger than {limit}")
