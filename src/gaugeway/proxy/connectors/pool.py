"""Connections at rest, ready for the next request to their origin: few, and not for long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gaugeway.proxy.connectors.connection import Connection

MOST_IDLE = 1024  # connections in all
MOST_IDLE_PER_ORIGIN = 256
OLDEST_IDLE = 50.0  # seconds; shorter than the 60 s after which common load balancers close theirs


class Origin(NamedTuple):
    """What a connection may be used for again.

    Whether it was guarded is part of that: where an unguarded request may go, a guarded one may not follow.
    """

    scheme: str
    host: str
    port: int
    guarded: bool


class Pool:
    """Idle connections. The one used last is taken first, so that the others can grow old and go."""

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
        self._since: dict[Connection, float] = {}  # oldest first
        self._by_origin: dict[Origin, dict[Connection, None]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._since)

    def take(self, origin: Origin) -> Connection | None:
        """An idle connection to that origin, no longer the pool's; None where there is none."""
        idle = self._by_origin.get(origin)
        while idle:
            connection, _ = idle.popitem()
            if not idle:
                del self._by_origin[origin]
            del self._since[connection]
            if connection.is_usable():
                return connection
        return None

    def put(self, connection: Connection) -> None:
        """Keep it for the next request, at the price of the oldest where there are too many."""
        if self._closed or self._most == 0 or self._most_per_origin == 0:
            connection.close()
            return
        idle = self._by_origin.get(connection.origin)
        if idle is None:
            idle = self._by_origin[connection.origin] = {}
        elif len(idle) >= self._most_per_origin:
            self._evict(next(iter(idle)))
        if len(self._since) >= self._most:
            self._evict(next(iter(self._since)))
            idle = self._by_origin.setdefault(connection.origin, idle)
        idle[connection] = None
        self._since[connection] = connection.loop.time()
        if self._sweep is None:
            self._sweep = connection.loop.call_later(self._oldest, self._close_old, connection.loop)

    def forget(self, connection: Connection) -> None:
        """It is no longer usable. Nothing happens where the pool does not hold it."""
        if self._since.pop(connection, None) is None:
            return
        idle = self._by_origin[connection.origin]
        del idle[connection]
        if not idle:
            del self._by_origin[connection.origin]

    def close(self) -> None:
        """Close what is idle; keep nothing any more."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in list(self._since):
            self._evict(connection)

    def _evict(self, connection: Connection) -> None:
        self.forget(connection)
        connection.close()

    def _close_old(self, loop: asyncio.AbstractEventLoop) -> None:
        self._sweep = None
        now = loop.time()
        for connection, since in list(self._since.items()):
            if now - since < self._oldest:
                self._sweep = loop.call_later(since + self._oldest - now, self._close_old, loop)
                return
            self._evict(connection)
