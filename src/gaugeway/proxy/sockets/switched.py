"""A downstream connection whose request asks for a WebSocket: HTTP until that is granted, frames from then on.

It takes uvicorn's place on the transport with the head that asks for it (server.py), so that a connection that
never asks pays for nothing of this. uvicorn counts it, and tells it when the server stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from msgspec import field
from uvicorn.protocols.http.flow_control import FlowControl
from websockets.datastructures import Headers as SocketHeaders
from websockets.http11 import Request
from websockets.server import ServerProtocol

from gaugeway.core.errors import GatewayError
from gaugeway.core.provider import Headers
from gaugeway.proxy.answers import BAD_HEADER, INTERNAL, send_error
from gaugeway.proxy.downstream import Downstream
from gaugeway.proxy.sockets.end import SocketEnd, server_framing

MAX_EARLY = 64 * 1024
"""Bytes that a client may send before it has been told that it may."""


class SwitchedConnection(asyncio.Protocol):
    """The owner of one request that asks for a WebSocket, and of that."""

    def __init__(self, server_state: Any, transport: asyncio.Transport, flow: FlowControl) -> None:
        self.loop = asyncio.get_running_loop()
        self.transport = transport
        self.flow = flow
        self.request: SocketRequest | None = None
        self.end: SocketEnd | None = None
        self.on_stop: Callable[[], None] | None = None  # the server is being stopped
        self.is_stopping = False
        self._state = server_state
        self._early = bytearray()
        server_state.connections.add(self)

    def start(
        self, request: SocketRequest, answer: Callable[[SocketRequest], Awaitable[None]], early: bytes
    ) -> None:
        """Have the request answered. `early`: what has come behind its head already."""
        self.request = request
        self._early += early
        request.task = task = self.loop.create_task(self._answer(request, answer))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    async def _answer(self, request: SocketRequest, answer: Callable[[SocketRequest], Awaitable[None]]) -> None:
        request.is_begun = True
        try:
            await answer(request)
        except asyncio.CancelledError:  # the server is stopping and has waited long enough
            if not request.response_started:
                send_error(request, GatewayError(503, INTERNAL, "The gateway was stopped"))
            raise
        finally:
            request.task = None  # it leads back here
            self.on_stop = None
            if self.end is None and not request.response_complete:
                self.transport.close()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self.end is not None:
            self.end.data_received(data)
            return
        self._early += data
        if len(self._early) > MAX_EARLY:
            self.transport.abort()

    def eof_received(self) -> bool:
        """See asyncio.Protocol."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._state.connections.discard(self)
        self.flow.resume_writing()
        if self.end is not None:
            self.end.connection_lost(exc)
        elif self.request is not None:
            self.request.left()
        self.request = None

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.pause_writing()
        if self.end is not None:
            self.end.pause_writing()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self.flow.resume_writing()
        if self.end is not None:
            self.end.resume_writing()

    def shutdown(self) -> None:
        """uvicorn: the server is being stopped."""
        self.is_stopping = True
        if self.on_stop is not None:
            self.on_stop()

    def on_response_complete(self) -> None:
        """The request was answered without a WebSocket, which ends the connection."""
        self._state.total_requests += 1

    def switch(self, head: bytes, max_message: int, *, relayed: bool) -> SocketEnd:
        """Grant the WebSocket: `head` is the answer that says so."""
        self._state.total_requests += 1
        self.transport.write(head)
        end = SocketEnd(server_framing(max_message, relayed=relayed))
        end.connection_made(self.transport)
        self.end = end
        early, self._early = bytes(self._early), bytearray()
        if self.transport.is_closing():
            end.connection_lost(None)
        elif early:
            end.data_received(early)
        return end


class SocketRequest(Downstream, eq=False):
    """A request that asks for a WebSocket. It may be answered like any other, which is a refusal."""

    protocols: list[str] = field(default_factory=list[str])  # that the client offers, in its order
    accept_key: str = ""

    @classmethod
    def of(cls, owner: SwitchedConnection, path: bytes, query: bytes, headers: Headers) -> SocketRequest:
        """One that has come whole."""
        return cls(owner, "GET", path, query, headers, is_http_1_0=False, keep_alive=False, more_body=False)

    @property
    def connection(self) -> SwitchedConnection:
        """What it came on."""
        return cast("SwitchedConnection", self._owner)

    def check(self) -> None:
        """Check the handshake, and take it out of the headers. Raises GatewayError."""
        framing = ServerProtocol()
        asked = SocketHeaders((name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers)
        response = framing.accept(Request(self.path.decode("latin-1"), asked))
        offered = b",".join(value for name, value in self.headers if name == b"sec-websocket-protocol")
        self.headers = [
            pair for pair in self.headers if pair[0] != b"upgrade" and not pair[0].startswith(b"sec-websocket-")
        ]
        if response.status_code != 101:
            status = 400 if response.status_code == 500 else response.status_code
            raise GatewayError(status, BAD_HEADER, f"The WebSocket handshake is wrong: {framing.handshake_exc}")
        self.accept_key = response.headers["Sec-WebSocket-Accept"]
        self.protocols = [name.strip().decode("latin-1") for name in offered.split(b",") if name.strip()]

    def accept(self, headers: Headers, protocol: str | None, max_message: int, *, relayed: bool) -> SocketEnd:
        """Grant it. `protocol`: the one chosen of those offered."""
        lines = [
            b"HTTP/1.1 101 Switching Protocols",
            b"upgrade: websocket",
            b"connection: Upgrade",
            b"sec-websocket-accept: " + self.accept_key.encode(),
        ]
        if protocol is not None:
            lines.append(b"sec-websocket-protocol: " + protocol.encode("latin-1"))
        lines += [name + b": " + value for name, value in headers]
        self.response_started = self.response_complete = True
        return self.connection.switch(b"\r\n".join([*lines, b"", b""]), max_message, relayed=relayed)
