"""Connections at rest, ready for the next request to their origin: few, and not for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gaugeway.proxy.connectors.request import host_value
from gaugeway.proxy.connectors.seam import Outgoing

if TYPE_CHECKING:
    from gaugeway.proxy.connectors.connection import Connection

MOST_IDLE = 1024  # connections in all
MOST_IDLE_PER_ORIGIN = 256
OLDEST_IDLE = 50.0  # seconds; shorter than the 60 s after which common load balancers close theirs
_MOST_ORIGINS = 4096  # remembered


class Origin:
    """Where connections go, and those to it that are idle.

    Whether a request is guarded is part of it: where an unguarded one may go, a guarded one may not follow
    through the same connection.
    """

    __slots__ = ("guarded", "host", "host_value", "idle", "port", "scheme")

    def __init__(self, request: Outgoing) -> None:
        self.scheme = request.scheme
        self.host = request.host
        self.port = request.port
        self.guarded = request.guarded
        self.host_value = host_value(request.scheme, request.host, request.port)
        self.idle: list[Connection] = []  # the one used last is last


class Pool:
    """The origins and their idle connections. The one used last is taken first, so that the others grow old."""

    def __init__(
        self,
        *,
        most: int = MOST_IDLE,
        most_per_origin: int = MOST_IDLE_PER_ORIGIN,
        oldest: float = OLDEST_IDLE,
    ) -> None:
        self._most = most
        self._most_per_origin = most_per_origin
        self._oldest = oldest
        self._origins: dict[tuple[str, str, int, bool], Origin] = {}
        self._count = 0
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return self._count

    def origin(self, request: Outgoing) -> Origin:
        """Where a request goes; raises ConnectFailed where its host is none."""
        key = (request.scheme, request.host, request.port, request.guarded)
        origin = self._origins.get(key)
        if origin is None:
            if len(self._origins) >= _MOST_ORIGINS:
                self._origins = {key: origin for key, origin in self._origins.items() if origin.idle}
            origin = self._origins[key] = Origin(request)
        return origin

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection to that origin, no longer the pool's; None where there is none."""
        idle = origin.idle
        while idle:
            connection = idle.pop()
            self._count -= 1
            if connection.is_usable():
                return connection
        return None

    def put(self, connection: Connection) -> None:
        """Keep it for the next request, at the price of the oldest where there are too many."""
        idle = connection.origin.idle
        if self._closed:
            connection.close()
            return
        if len(idle) >= self._most_per_origin:
            self._evict(idle[0])
        elif self._count >= self._most:
            self._evict(min(self._idle(), key=_idle_since))
        connection.idle_since = connection.loop.time()
        idle.append(connection)
        self._count += 1
        if self._sweep is None:
            self._sweep = connection.loop.call_later(self._oldest, self._close_old, connection.loop)

    def forget(self, connection: Connection) -> None:
        """It is closed. Nothing happens where the pool does not hold it."""
        if connection in connection.origin.idle:
            connection.origin.idle.remove(connection)
            self._count -= 1

    def close(self) -> None:
        """Close what is idle; keep nothing any more."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in self._idle():
            self._evict(connection)

    def _idle(self) -> list[Connection]:
        return [connection for origin in self._origins.values() for connection in origin.idle]

    def _evict(self, connection: Connection) -> None:
        self.forget(connection)
        connection.close()

    def _close_old(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in self._idle():
            if now - connection.idle_since >= self._oldest:
                self._evict(connection)
        oldest = min((connection.idle_since for connection in self._idle()), default=None)
        self._sweep = None
        if oldest is not None:
            self._sweep = loop.call_later(oldest + self._oldest - now, self._close_old, loop)


def _idle_since(connection: Connection) -> float:
    return connection.idle_since
