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

A phase returns None (go on) or a Reply (answered: skip to relay). What it raises becomes a Reply here, in one
place. After the first byte went downstream an error can only end the stream, and the log says so.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import Outcome
from gaugeway.proxy.admission import Authentication
from gaugeway.proxy.answers import INTERNAL, error_reply
from gaugeway.proxy.caching import Caching
from gaugeway.proxy.ending import settle_hangup
from gaugeway.proxy.exchange import Exchange, Reply, Send
from gaugeway.proxy.limiting import RateLimiting
from gaugeway.proxy.receiving import Receiving
from gaugeway.proxy.recording import Recording
from gaugeway.proxy.relay import Relay
from gaugeway.proxy.routing import Routing
from gaugeway.proxy.upstream import Upstream

Phase = Callable[[Exchange], Awaitable[Reply | None]]


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
            authentication.authenticate,
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

    async def run(self, exchange: Exchange, send: Send) -> None:
        """One request from its headers to its log."""
        reply: Reply | None = None
        exchange.connection.on_hangup(_cancel_on_hangup(exchange))
        try:
            reply = await self._answer(exchange)
            if exchange.filling is not None:
                await self._fill(exchange, reply)
            await self._relay(exchange, reply, send)
        except asyncio.CancelledError:
            if not exchange.gone:  # the server is stopping
                exchange.end(Outcome.INTERNAL_ERROR, "the server was stopped while the request was in flight")
                raise
            settle_hangup(exchange)
        except Exception as defect:  # noqa: BLE001  whatever it is, it is logged and answered
            await self._own_fault(exchange, defect, send)
        finally:
            if reply is not None and reply.incoming is not None:
                reply.incoming.close()
            if exchange.filling is not None:
                self._leave(exchange)
            exchange.connection.on_hangup(None)  # it holds the exchange: let its memory go at once, not at some GC
            self._record(exchange)

    async def _answer(self, exchange: Exchange) -> Reply:
        try:
            if exchange.refusal is not None:
                raise exchange.refusal
            for phase in self._phases:
                reply = await phase(exchange)
                if reply is not None:
                    return reply
        except GatewayError as refusal:
            exchange.end(refusal.outcome, refusal.message)
            return error_reply(refusal)
        raise AssertionError("the last phase answers or raises")

    async def _own_fault(self, exchange: Exchange, defect: Exception, send: Send) -> None:
        traceback.print_exception(defect, file=sys.stderr)
        exchange.end(Outcome.INTERNAL_ERROR, f"a defect in the gateway: {type(defect).__name__}")
        if exchange.reply_started:
            exchange.connection.cut()
            return
        await self._relay(exchange, error_reply(GatewayError(500, INTERNAL, "Internal error of the gateway")), send)


def _cancel_on_hangup(exchange: Exchange) -> Callable[[], None]:
    task = asyncio.current_task()

    def hangup() -> None:
        exchange.gone = True
        if task is not None:
            task.cancel()

    return hangup
