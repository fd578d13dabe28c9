"""Our own HTTP/1.1 client: one connection for each request under way, kept and used again when it is clean."""

from __future__ import annotations

import asyncio
import ssl

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, UpstreamTimeout
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.answer import Answer
from gaugeway.proxy.connectors.connection import ClosedUnanswered, Connection
from gaugeway.proxy.connectors.dialling import Dialler
from gaugeway.proxy.connectors.pool import Origin, Pool
from gaugeway.proxy.connectors.request import serialise_head
from gaugeway.proxy.connectors.seam import Outgoing

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"TRACE"))
_CLOSED_WHILE_IDLE = 1.0  # seconds after writing within which a closed connection was closed for being idle


class NativeConnector:
    """The seam's Connector, on httptools and the event loop's own transports."""

    def __init__(
        self, guard: AddressGuard, ssl_context: ssl.SSLContext | None = None, pool: Pool | None = None
    ) -> None:
        self._dialler = Dialler(guard, ssl_context)
        self._pool = Pool() if pool is None else pool
        self._connections: set[Connection] = set()
        self._closed = False
        self._all_lost: asyncio.Future[None] | None = None

    async def open(self, request: Outgoing) -> Answer:
        """As the seam says."""
        pool = self._pool
        origin = pool.origin(request)
        head = serialise_head(request, origin.host_value)
        connection = pool.take(origin)
        if connection is None:
            return await _exchange(await self._connect(request, origin), request, head)
        try:
            return await _exchange(connection, request, head)
        except ClosedUnanswered as closed:
            if not _was_idle(request, closed):
                raise
            return await self._send_again(request, origin, head, closed)

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        self._pool.close()
        for connection in list(self._connections):
            connection.abort()
        if self._connections:
            self._all_lost = asyncio.get_running_loop().create_future()
            await self._all_lost

    async def _send_again(self, request: Outgoing, origin: Origin, head: bytes, closed: ClosedUnanswered) -> Answer:
        try:
            connection = await self._connect(request, origin)
        except (ConnectFailed, UpstreamTimeout) as problem:
            # The first copy had been sent: nothing here may say that it is safe to try again.
            raise ProtocolBroken(f"{closed.message} Then: {problem.message}", side=problem.side) from problem
        return await _exchange(connection, request, head)

    async def _connect(self, request: Outgoing, origin: Origin) -> Connection:
        if self._closed:
            raise ConnectFailed("No connection is made any more: the gateway is being stopped.")
        loop = asyncio.get_running_loop()
        connection = await self._dialler.dial(
            origin, request.timers.connect, lambda: Connection(origin, loop, self._pool.put, self._forget)
        )
        self._connections.add(connection)
        if self._closed:
            connection.abort()
        if not connection.is_usable():
            raise ConnectFailed("The connection was closed: the gateway is being stopped.")
        return connection

    def _forget(self, connection: Connection) -> None:
        self._pool.forget(connection)
        self._connections.discard(connection)
        if not self._connections and self._all_lost is not None and not self._all_lost.done():
            self._all_lost.set_result(None)


async def _exchange(connection: Connection, request: Outgoing, head: bytes) -> Answer:
    """Send a request on a connection that carries no other, and wait for the headers of its answer."""
    answer, headed = connection.send(request, head)
    try:
        await headed
    except (asyncio.CancelledError, GeneratorExit):
        answer.close()
        raise
    if not answer.status and answer.failure is not None:
        raise answer.failure
    if answer.ended:
        parts = answer.parts
        answer.whole = parts[0] if len(parts) == 1 else b"".join(parts)
    return answer


def _was_idle(request: Outgoing, closed: ClosedUnanswered) -> bool:
    """Whether a request that met a closed connection may be sent once more, on a fresh one.

    Servers close idle connections without asking; a request written in that moment reaches nobody. That is
    what a used connection closed before one byte of answer means, all but always, and the browsers send any
    request again then. RFC 9110 9.2.2 allows it for methods that are not idempotent only where one can tell that
    the request was not acted on: so for those the connection must have gone at once. A server that took the
    request up, and fell over it, has needed time to.
    """
    return request.method in _IDEMPOTENT or closed.after < _CLOSED_WHILE_IDLE
