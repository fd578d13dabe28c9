"""A circuit breaker around a connector: an upstream that keeps failing is left alone for a while.

Passive: it only watches the requests that are made anyway, in this process. Off unless the settings ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from gaugeway.core.errors import CircuitOpen, Side, UpstreamFailure
from gaugeway.proxy.connectors.seam import Connector, Incoming, Outgoing

T = TypeVar("T")

MAX_WATCHED = 4096
"""Upstreams that are failing at once; more than that are not watched."""

Origin = tuple[str, str, int]


class _Failing(Struct):
    """An upstream that has failed since it last answered well."""

    failures: int = 0  # in a row
    closed_until: float = 0.0
    probing: bool = False  # one request is finding out whether it has recovered


class Breaker:
    """Watches upstreams. After `failures` failures in a row one is asked nothing for `seconds`.

    Then one request goes through: if it fails too, that time begins anew, and if not all go through again. What
    counts as a failure is no answer, or a status of 500 or more; not what the gateway itself forbids, and not a
    request that was given up by its client or by its own timeout.
    """

    def __init__(self, failures: int, seconds: float, now: Callable[[], float] | None = None) -> None:
        self._most = failures
        self._seconds = seconds
        self._now = now or asyncio.get_running_loop().time
        self._failing: dict[Origin, _Failing] = {}

    async def watch(self, request: Outgoing, asked: Callable[[], Awaitable[T]], status_of: Callable[[T], int]) -> T:
        """What `asked` answers; raises what it does, and CircuitOpen while the upstream is left alone."""
        origin = (request.scheme, request.host, request.port)
        known = self._failing.get(origin)
        is_probe = known is not None and known.failures >= self._most
        if known is not None and is_probe:
            self._admit_probe(known, origin)
        try:
            answer = await asked()
        except UpstreamFailure as failure:
            if failure.side is not Side.POLICY:
                self._failed(origin)
            raise
        finally:
            if known is not None and is_probe:
                known.probing = False
        if status_of(answer) >= 500:
            self._failed(origin)
        else:
            self._failing.pop(origin, None)
        return answer

    def _admit_probe(self, known: _Failing, origin: Origin) -> None:
        left = known.closed_until - self._now()
        if left > 0 or known.probing:
            when = f"in {left:.1f} s" if left > 0 else "under way"
            raise CircuitOpen(
                f"{origin[1]}:{origin[2]} has failed {known.failures} times in a row and is left alone; the next"
                f" try is {when} (GAUGEWAY_CIRCUIT_BREAKER_FAILURES)."
            )
        known.probing = True

    def _failed(self, origin: Origin) -> None:
        known = self._failing.get(origin)
        if known is None:
            if len(self._failing) >= MAX_WATCHED:
                return
            known = self._failing[origin] = _Failing()
        known.failures += 1
        if known.failures >= self._most:
            known.closed_until = self._now() + self._seconds


class BreakingConnector:
    """The seam's Connector, watched. WebSockets to the same upstreams may share the breaker."""

    def __init__(self, inner: Connector, breaker: Breaker) -> None:
        self._inner = inner
        self._breaker = breaker

    async def open(self, request: Outgoing) -> Incoming:
        """As the seam says; raises CircuitOpen while the upstream is left alone."""
        return await self._breaker.watch(request, lambda: self._inner.open(request), lambda answer: answer.status)

    async def aclose(self) -> None:
        """As the seam says."""
        await self._inner.aclose()
