"""Universal requests over one WebSocket: each message is a request, and each is an exchange of its own.

They go through the data plane as those over HTTP do, so cache, limits, retries, fallbacks and logs hold for each.
What the handshake's headers say, the token among them, holds for all of them.
"""

from __future__ import annotations

import asyncio
from functools import partial

from websockets.frames import CloseCode, Frame, Opcode

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Outcome
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.answers import BAD_HEADER, RATE_LIMITED, error_reply
from gaugeway.proxy.endpoint import DataPlane
from gaugeway.proxy.exchange import Exchange, Headers
from gaugeway.proxy.pipeline import Pipeline
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay
from gaugeway.proxy.sockets.end import SocketEnd
from gaugeway.proxy.sockets.messages import Asked, BadMessage, read_message
from gaugeway.proxy.sockets.reply import MessageReply
from gaugeway.proxy.sockets.switched import SocketRequest
from gaugeway.proxy.universal import check_form

MAX_IN_FLIGHT = 100
"""Requests of one connection under way at once."""

_NOT_OF_A_REQUEST = frozenset((b"content-length", b"content-type", b"accept-encoding", b"cf-aig-event-id"))
"""The handshake's headers that do not hold for its requests: an answer has to be JSON, not compressed."""


class UniversalSockets:
    """Grants WebSockets for universal requests, and answers what comes."""

    def __init__(
        self,
        data_plane: DataPlane,
        pipeline: Pipeline,
        *,
        authentication: Authentication,
        relay: Relay,
        recording: Recording,
        max_message: int,
        idle: float,
    ) -> None:
        self._data_plane = data_plane
        self._pipeline = pipeline
        self._authentication = authentication
        self._relay = relay
        self._recording = recording
        self._max_message = max_message
        self._idle = idle

    async def run(self, exchange: Exchange, request: SocketRequest) -> None:
        """From the handshake to the end. What is logged is each request, or a handshake that is refused."""
        headers = request.headers
        try:
            if exchange.refusal is not None:
                raise exchange.refusal
            exchange.method = "POST"  # of the requests to come
            check_form(exchange)
            self._authentication.authenticate(exchange)
        except GatewayError as problem:
            exchange.method = "GET"
            exchange.end(problem.outcome, problem.message)
            try:
                await self._relay.relay(exchange, error_reply(problem))
            finally:
                self._recording.record(exchange)
            return
        protocol = request.protocols[0] if request.protocols else None
        end = request.accept([], protocol, self._max_message, relayed=False)
        connection = _Connection(self, request, end, headers)
        request.connection.on_stop = connection.stop
        if request.connection.is_stopping:
            connection.stop()
        await connection.run(self._idle)

    async def answer(self, reply: MessageReply, refusal: GatewayError | None) -> None:
        """Answer one message as a request."""
        await self._data_plane(reply, partial(self._answer, refusal))

    async def _answer(self, refusal: GatewayError | None, exchange: Exchange) -> None:
        exchange.over_socket = True
        exchange.refusal = exchange.refusal or refusal
        await self._pipeline.run(exchange)

    @property
    def max_message(self) -> int:
        """Bytes of a message, and of all messages under way."""
        return self._max_message


class _Connection:
    """One WebSocket and its requests under way."""

    def __init__(self, sockets: UniversalSockets, request: SocketRequest, end: SocketEnd, headers: Headers) -> None:
        self._sockets = sockets
        self._path = request.path
        self._end = end
        self._flow = request.connection.flow
        self._headers = [pair for pair in headers if pair[0] not in _NOT_OF_A_REQUEST]
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._parts: list[bytes] = []
        self._is_text = True
        self._under_way: dict[asyncio.Task[None], MessageReply] = {}
        self._held = 0  # bytes of their messages
        self._is_stopping = False
        self._last = self._loop.time()

    async def run(self, idle: float) -> None:
        """Until it is over and all its requests are."""
        timer = self._loop.create_task(self._watch(idle))
        try:
            self._end.listen(self)
            await self._over
        finally:
            timer.cancel()
            for task, reply in list(self._under_way.items()):
                reply.hung_up = True
                task.cancel()
            if self._under_way:
                await asyncio.wait(list(self._under_way))

    def stop(self) -> None:
        """The server is being stopped: requests under way are answered, new ones are not taken."""
        self._is_stopping = True
        self._close_if_done()

    # What the end tells.

    def on_frame(self, end: SocketEnd, frame: Frame) -> None:  # noqa: ARG002  the port's
        """See Listener."""
        self._last = self._loop.time()
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message, self._parts = b"".join(self._parts), []
            self._take(message)

    def on_lost(self, end: SocketEnd, reason: str | None) -> None:  # noqa: ARG002  the port's
        """See Listener."""
        if not self._over.done():
            self._over.set_result(None)

    def on_writable(self, end: SocketEnd) -> None:
        """See Listener. Whoever answers waits for the flow."""

    # Its requests.

    def _take(self, message: bytes) -> None:
        refusal: GatewayError | None = None
        try:
            asked = read_message(message, is_text=self._is_text)
        except BadMessage as problem:
            asked = Asked(problem.event_id, b"")
            refusal = GatewayError(400, BAD_HEADER, problem.message)
        size = len(message)
        if refusal is None:
            refusal = self._why_not(asked, size)
        headers = [*self._headers, (b"content-type", b"application/json")]
        if asked.event_id is not None:
            headers.append((b"cf-aig-event-id", asked.event_id.encode()))
        reply = MessageReply(self._end, self._flow, self._path, headers, asked)
        task = self._loop.create_task(self._sockets.answer(reply, refusal))
        self._under_way[task] = reply
        self._held += size
        task.add_done_callback(partial(self._done, size))

    def _why_not(self, asked: Asked, size: int) -> GatewayError | None:
        if self._is_stopping:
            return GatewayError(503, RATE_LIMITED, "The gateway is being stopped: connect anew")
        if len(self._under_way) >= MAX_IN_FLIGHT:
            message = f"This connection has {MAX_IN_FLIGHT} requests under way: wait for one to end"
            return GatewayError(429, RATE_LIMITED, message, Outcome.RATE_LIMITED)
        if self._under_way and self._held + size > self._sockets.max_message:
            message = f"The messages under way on this connection are over {self._sockets.max_message} bytes"
            return GatewayError(429, RATE_LIMITED, message, Outcome.RATE_LIMITED)
        if any(other.event_id == asked.event_id is not None for other in self._under_way.values()):
            return GatewayError(400, BAD_HEADER, f"eventId: {asked.event_id!r} is under way on this connection")
        return None

    def _done(self, size: int, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task, None)
        self._held -= size
        self._last = self._loop.time()
        if not task.cancelled() and (problem := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "a universal request", "exception": problem})
        self._close_if_done()

    def _close_if_done(self) -> None:
        if self._is_stopping and not self._under_way:
            self._end.close(CloseCode.GOING_AWAY, "the gateway is being stopped")
            if not self._over.done():
                self._over.set_result(None)

    async def _watch(self, idle: float) -> None:
        """Close it where nothing is under way and nothing comes."""
        while True:
            left = self._last + idle - self._loop.time()
            if self._under_way:
                await asyncio.sleep(idle)
            elif left > 0:
                await asyncio.sleep(left)
            else:
                self._end.close(CloseCode.GOING_AWAY, f"nothing came for {idle:g} s")
                if not self._over.done():
                    self._over.set_result(None)
                return
