"""Our own HTTP/1.1 client: one connection for each request under way, kept and used again when it is clean."""

from __future__ import annotations

import asyncio
import ssl

from gaugeway.core.errors import ConnectFailed, ProtocolBroken, Side, UpstreamTimeout
from gaugeway.proxy.connectors.addresses import AddressGuard
from gaugeway.proxy.connectors.answer import Answer
from gaugeway.proxy.connectors.connection import ClosedUnanswered, Connection
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
        self._guard = guard
        self._ssl = ssl_context
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
        seconds = request.timers.connect
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._guard.resolve(origin.host, origin.port, guarded=origin.guarded)
                return await self._connect_to_one_of(addresses, origin, seconds)
        except TimeoutError as problem:
            raise UpstreamTimeout(
                f"No connection to {origin.host}:{origin.port} within {seconds:g} s.",
                side=Side.NETWORK,
                safe_to_retry=True,
            ) from problem

    async def _connect_to_one_of(self, addresses: list[str], origin: Origin, seconds: float) -> Connection:
        """The first address that can be connected to; each gets its share of the time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        failure: ConnectFailed | None = None
        for position, address in enumerate(addresses):
            left = len(addresses) - position
            share = (deadline - loop.time()) / left
            try:
                if left == 1:
                    return await self._connect_to(address, origin)
                async with asyncio.timeout(share):
                    return await self._connect_to(address, origin)
            except TimeoutError:
                failure = ConnectFailed(f"{origin.host}:{origin.port} ({address}) did not answer in its time.")
            except ConnectFailed as problem:
                failure = problem
        raise failure or ConnectFailed(f"{origin.host} has no address.")

    async def _connect_to(self, address: str, origin: Origin) -> Connection:
        loop = asyncio.get_running_loop()
        where = f"{origin.host}:{origin.port} ({address})"
        connection = Connection(origin, loop, self._pool.put, self._forget)
        try:
            if origin.scheme == "https":
                await loop.create_connection(
                    lambda: connection,
                    address,
                    origin.port,
                    ssl=self._tls(),
                    server_hostname=origin.host,
                )
            else:
                await loop.create_connection(lambda: connection, address, origin.port)
        except ssl.SSLError as problem:
            reason = getattr(problem, "verify_message", "") or problem.reason or problem
            raise ConnectFailed(f"TLS with {where} failed: {reason}.", side=Side.PROVIDER) from problem
        except OSError as problem:
            raise ConnectFailed(f"No connection to {where}: {problem.strerror or problem}.") from problem
        self._connections.add(connection)
        if self._closed:
            connection.abort()
        if not connection.is_usable():
            raise ConnectFailed(f"The connection to {where} was closed before anything was sent.")
        return connection

    def _forget(self, connection: Connection) -> None:
        self._pool.forget(connection)
        self._connections.discard(connection)
        if not self._connections and self._all_lost is not None and not self._all_lost.done():
            self._all_lost.set_result(None)

    def _tls(self) -> ssl.SSLContext:
        if self._ssl is None:
            self._ssl = ssl.create_default_context()
            self._ssl.set_alpn_protocols(["http/1.1"])
        return self._ssl


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
