"""WebSockets to upstreams: the handshake of a client, by the same guard as every other request."""

from __future__ import annotations

import asyncio

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, UpstreamTimeout
from gaugeway.core.provider import Headers
from gaugeway.proxy.connectors.breaking import Breaker
from gaugeway.proxy.connectors.dialling import Dialler
from gaugeway.proxy.connectors.pool import Origin
from gaugeway.proxy.connectors.request import serialise_head
from gaugeway.proxy.connectors.seam import Outgoing
from gaugeway.proxy.sockets.end import Relayed, SocketEnd

_OF_THE_HANDSHAKE = frozenset(
    (
        b"sec-websocket-key",
        b"sec-websocket-version",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
    )
)


class Opened(Struct):
    """A WebSocket to an upstream."""

    end: SocketEnd
    headers: Headers
    offered: list[str]  # subprotocols
    protocol: str | None  # the one that it has chosen


class Declined(Struct):
    """An upstream's answer that is no WebSocket."""

    status: int
    headers: Headers
    body: bytes


class _Client(Relayed, ClientProtocol):
    """The client's framing, which passes pings on."""


class SocketConnector:
    """Opens WebSockets. `breaker`: what leaves upstreams alone that keep failing."""

    def __init__(self, dialler: Dialler, max_message: int, breaker: Breaker | None = None) -> None:
        self._dialler = dialler
        self._max_message = max_message
        self._breaker = breaker

    async def open(self, request: Outgoing, protocols: list[str]) -> Opened | Declined:
        """Connect, and wait for the answer to the handshake.

        Raises ConnectFailed, UpstreamTimeout, ProtocolBroken and CircuitOpen, as a Connector does; no connection
        stays behind.
        """
        if self._breaker is None:
            return await self._open(request, protocols)
        return await self._breaker.watch(request, lambda: self._open(request, protocols), _status_of)

    async def _open(self, request: Outgoing, protocols: list[str]) -> Opened | Declined:
        origin = Origin(request)
        secure = request.scheme == "https"
        uri = WebSocketURI(secure, request.host, request.port, "/", "")
        offered = [Subprotocol(name) for name in protocols] or None
        framing = _Client(uri, subprotocols=offered, max_size=self._max_message)
        head = _serialise(request, origin.host_value, framing.key, protocols)
        end = await self._dialler.dial(origin, request.timers.connect, lambda: SocketEnd(framing))
        try:
            response = await self._shake_hands(end, head, request)
        except BaseException:
            end.abort()
            raise
        if response is None or response.status_code == 101:
            if response is not None and framing.handshake_exc is None:
                return Opened(end, _headers(response), protocols, framing.subprotocol)
            end.abort()
            raise ProtocolBroken(_why(framing.handshake_exc, request))
        end.abort()
        return Declined(response.status_code, _headers(response), bytes(response.body or b""))

    async def _shake_hands(self, end: SocketEnd, head: bytes, request: Outgoing) -> Response | None:
        end.response = asyncio.get_running_loop().create_future()
        end.write(head)
        seconds = request.timers.first_byte
        try:
            async with asyncio.timeout(seconds):
                return await end.response
        except TimeoutError as late:
            message = f"{request.host}:{request.port} did not answer the WebSocket handshake within {seconds:g} s."
            raise UpstreamTimeout(message) from late


def _status_of(answer: Opened | Declined) -> int:
    return answer.status if isinstance(answer, Declined) else 101


def _serialise(request: Outgoing, host_value: bytes, key: str, protocols: list[str]) -> bytes:
    """The handshake's head. Its own headers stand after those that are checked like any request's."""
    request.headers = [pair for pair in request.headers if pair[0] not in _OF_THE_HANDSHAKE]
    for name in protocols:
        if not name.isascii() or not name.isprintable() or " " in name:
            raise ConnectFailed("A subprotocol that the client offers is no token.")
    head = serialise_head(request, host_value).removesuffix(b"\r\n")
    lines = [
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Key: " + key.encode(),
        b"Sec-WebSocket-Version: 13",
    ]
    if protocols:
        lines.append(b"Sec-WebSocket-Protocol: " + ", ".join(protocols).encode())
    return head + b"\r\n".join(lines) + b"\r\n\r\n"


def _headers(response: Response) -> Headers:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in response.headers.raw_items()
    ]


def _why(problem: Exception | None, request: Outgoing) -> str:
    where = f"{request.host}:{request.port}"
    if isinstance(problem, InvalidHandshake) and problem.__cause__ is None:
        return f"{where} answered the WebSocket handshake wrongly: {problem}."
    return f"{where} closed the connection before it had answered the WebSocket handshake, or answered no HTTP."
