"""A WebSocket session on its way between a client and a provider: frames pass as they are, both ways."""

from __future__ import annotations

import asyncio
from time import perf_counter

from websockets.frames import CloseCode, Frame, Opcode

from gaugeway.core.model import Outcome
from gaugeway.proxy.exchange import Exchange
from gaugeway.proxy.session_spending import MustEnd, SessionSpending
from gaugeway.proxy.sockets.end import SocketEnd
from gaugeway.proxy.sockets.minutes import IS_DATA, Minutes

_GOOD_CODES = frozenset((CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD))


MAX_REASON = 123
"""Bytes of a close's reason (RFC 6455 section 5.5)."""


def _shortened(reason: str) -> str:
    return reason.encode()[:MAX_REASON].decode("utf-8", "ignore")


class Session:
    """Two ends and what passes between them. A slow one slows the other down; the end of one ends the other."""

    def __init__(
        self,
        exchange: Exchange,
        client: SocketEnd,
        provider: SocketEnd,
        minutes: Minutes,
        *,
        idle: float,
        spending: SessionSpending | None = None,
    ) -> None:
        self._exchange = exchange
        self._client = client
        self._provider = provider
        self._minutes = minutes
        self._spending = spending  # where spend limits count its responses
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._last = self._loop.time()
        self._timer = self._loop.call_later(idle, self._look_for_silence)

    async def run(self) -> None:
        """Until it is over; how it ended is then settled on the exchange."""
        try:
            self._provider.listen(self)
            self._client.listen(self)
            await self._over
        except asyncio.CancelledError:
            self._close_both(CloseCode.GOING_AWAY, "the gateway is being stopped")
            raise
        finally:
            self._timer.cancel()
            self._minutes.close(self._exchange)
            if self._spending is not None and self._exchange.session is not None:
                self._spending.close(self._exchange.session)

    def stop(self) -> None:
        """The server is being stopped."""
        message = "the server was stopped while the session was open"
        self._end(Outcome.INTERNAL_ERROR, message, CloseCode.GOING_AWAY, "the gateway is being stopped")

    # What the ends tell.

    def on_frame(self, end: SocketEnd, frame: Frame) -> None:
        """See Listener."""
        self._last = self._loop.time()
        if frame.opcode is Opcode.CLOSE:
            if not self._over.done():
                self._closed_by(end)
            return
        other = self._provider if end is self._client else self._client
        other.send(frame)
        if frame.opcode in IS_DATA:
            if end is self._client:
                self._minutes.note_client(frame)
            else:
                if self._exchange.first_byte is None:
                    self._exchange.first_byte = perf_counter()
                self._minutes.note_provider(frame)
                if self._spending is not None and frame.fin:
                    self._count(self._spending)
        if other.is_full:
            end.pause_reading()

    def _count(self, spending: SessionSpending) -> None:
        """End the session where a budget has no room for its next response, or it cannot be counted."""
        if self._over.done():
            return
        if self._minutes.is_unread:
            why = "Spend limits cannot count the session: a message was too long to be read"
            self._end(Outcome.SPEND_LIMITED, why, CloseCode.POLICY_VIOLATION, why)
            return
        try:
            spending.look()
        except MustEnd as end:
            if end.outcome is Outcome.INTERNAL_ERROR:
                self._end(end.outcome, end.why, CloseCode.INTERNAL_ERROR, "the spend limits cannot be counted")
            else:
                self._end(end.outcome, end.why, CloseCode.POLICY_VIOLATION, _shortened(end.why))

    def on_writable(self, end: SocketEnd) -> None:
        """See Listener."""
        (self._provider if end is self._client else self._client).resume_reading()

    def on_lost(self, end: SocketEnd, reason: str | None) -> None:
        """See Listener."""
        if self._over.done():
            return
        if end is self._client:
            outcome = Outcome.CLIENT_GONE if reason is None else Outcome.REFUSED
            message = "the client hung up without closing the session"
            if reason is not None:
                message = f"the client broke the WebSocket protocol, or its limits: {reason}"
            self._end(outcome, message, CloseCode.GOING_AWAY, "the client is gone")
        elif reason is None:
            self._end(
                Outcome.STREAM_CUT,
                "the provider cut the connection without closing the session",
                CloseCode.BAD_GATEWAY,
                "the provider cut the connection",
            )
        else:
            message = f"the provider broke the WebSocket protocol, or the gateway's limits: {reason}"
            self._end(Outcome.UPSTREAM_ERROR, message, CloseCode.BAD_GATEWAY, message[:120])

    def _closed_by(self, end: SocketEnd) -> None:
        code, reason = end.close_code, end.close_reason
        said = f"{code}" if not reason else f"{code}: {reason}"
        is_good = code in _GOOD_CODES or (end is self._client and code is not None and code >= 3000)
        if is_good:
            self._end(Outcome.SUCCESS, None, code, reason)
        elif end is self._client:
            self._end(Outcome.CLIENT_GONE, f"the client closed the session with {said}", code, reason)
        else:
            self._end(Outcome.UPSTREAM_ERROR, f"the provider closed the session with {said}", code, reason)

    # Its end.

    def _end(self, outcome: Outcome, error: str | None, code: int | None, reason: str) -> None:
        if self._over.done():
            return
        self._exchange.end(outcome, error)
        self._over.set_result(None)
        self._close_both(code, reason)

    def _close_both(self, code: int | None, reason: str) -> None:
        self._client.close(code, reason)
        self._provider.close(code, reason)

    def _look_for_silence(self) -> None:
        left = self._last + self._idle - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look_for_silence)
        else:
            message = f"no frame came from either side for {self._idle:g} s"
            self._end(Outcome.TIMEOUT, message, CloseCode.GOING_AWAY, message)
