"""The path of a request, readable on one screen.

receive       endpoint.py    the URL and the `cf-aig-*` headers become an Exchange
authenticate  admission.py   who is it, and may it pass
              receiving.py   only then its body is taken in
route         routing.py     which provider, what model
lookup        caching.py     is the answer kept, or on its way for another
admit         limiting.py    is there room for it in the gateway's rate
forward       upstream.py    ask the provider; its answer begins
fill          caching.py     is the answer to be kept as it passes; only where lookup said so
relay         relay.py       pass the answer on as it comes
record        recording.py   what stays of it; on every path, in `finally`

A phase returns None (go on) or a Reply (answered: skip to relay) or, where it has to wait, what leads to one of
them: most requests wait in `forward` only, and a coroutine costs half a microsecond. What a phase raises becomes a
Reply here, in one place. After the first byte went downstream an error can only end the stream; the log says so.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable

from gaugeway.core.errors import GatewayError, SpendLimited
from gaugeway.core.model import Outcome
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.answers import INTERNAL, refusal
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.ending import settle_hangup
from gaugeway.proxy.exchange import Exchange, Reply
from gaugeway.proxy.limiting import RateLimiting
from gaugeway.proxy.receiving import Receiving
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay
from gaugeway.proxy.routing import Routing
from gaugeway.proxy.upstream import Upstream

Phase = Callable[[Exchange], Reply | Awaitable[Reply | None] | None]


class Pipeline:
    """The phases in their order."""

    def __init__(
        self,
        *,
        authentication: Authentication,
        receiving: Receiving,
        routing: Routing,
        caching: Caching,
        rate_limiting: RateLimiting,
        upstream: Upstream,
        relay: Relay,
        recording: Recording,
    ) -> None:
        self._phases: tuple[Phase, ...] = (
            authentication.begin,
            receiving.receive,
            routing.route,
            caching.lookup,
            rate_limiting.admit,
            upstream.forward,
        )
        self._fill = caching.fill
        self._leave = caching.leave
        self._relay = relay.relay
        self._record = recording.record

    async def run(self, exchange: Exchange) -> None:
        """One request from its headers to its log."""
        reply: Reply | None = None
        try:
            reply = await self._answer(exchange)
            if exchange.filling is not None:
                await self._fill(exchange, reply)
            await self._relay(exchange, reply)
        except asyncio.CancelledError:
            if not exchange.gone:  # the server is stopping
                exchange.end(Outcome.INTERNAL_ERROR, "the server was stopped while the request was in flight")
                raise
            settle_hangup(exchange)
        except Exception as defect:  # noqa: BLE001  whatever it is, it is logged and answered
            await self._own_fault(exchange, defect)
        finally:
            if reply is not None and reply.incoming is not None:
                reply.incoming.close()
            if exchange.filling is not None:
                self._leave(exchange)
            self._record(exchange)

    async def _answer(self, exchange: Exchange) -> Reply:
        if exchange.gone:  # before its turn came; from now on a hang-up cancels this task
            raise asyncio.CancelledError
        try:
            if exchange.refusal is not None:
                raise exchange.refusal
            for phase in self._phases:
                found = phase(exchange)
                if found is None:
                    continue
                reply = found if isinstance(found, Reply) else await found
                if reply is not None:
                    return reply
        except GatewayError as problem:
            exchange.end(problem.outcome, problem.detail if isinstance(problem, SpendLimited) else problem.message)
            return refusal(exchange, problem)
        raise AssertionError("the last phase answers or raises")

    async def _own_fault(self, exchange: Exchange, defect: Exception) -> None:
        traceback.print_exception(defect, file=sys.stderr)
        exchange.end(Outcome.INTERNAL_ERROR, f"a defect in the gateway: {type(defect).__name__}")
        if exchange.reply_started:
            exchange.connection.cut()
            return
        await self._relay(exchange, refusal(exchange, GatewayError(500, INTERNAL, "Internal error of the gateway")))
