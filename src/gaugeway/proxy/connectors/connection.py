"""One connection to an upstream. llhttp decides framing and keep-alive; this keeps its limits and its time."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gaugeway.core.errors import ProtocolBroken, Side, UpstreamFailure, UpstreamTimeout
from gaugeway.proxy.connectors.answer import MOST_WAITING, Answer
from gaugeway.proxy.connectors.seam import Outgoing, Take, Timers

if TYPE_CHECKING:
    from gaugeway.proxy.connectors.pool import Origin

MOST_HEAD = 64 * 1024  # bytes of an answer's head, together with the 1xx answers before it
MOST_FRAMING = 64 * 1024  # bytes in a row of which none is body: chunk extensions, trailers
_JOINED = 64 * 1024  # a body up to this size is copied behind its head
_PROBE_AFTER = 60  # seconds of silence after which TCP asks whether the other side still lives
_VERSION = b"HTTP/1."


class ClosedUnanswered(ProtocolBroken):
    """The connection was closed before one byte of an answer, `after` seconds after the request was written."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message)
        self.after = after


class Connection(asyncio.Protocol):
    """Carries one request and its answer at a time."""

    __slots__ = (
        "_alarm",
        "_alarm_at",
        "_answer",
        "_complete",
        "_deadline",
        "_dirty",
        "_head_bytes",
        "_headed",
        "_headers",
        "_is_head",
        "_on_idle",
        "_on_lost",
        "_parser",
        "_paused",
        "_received",
        "_sending",
        "_sent_at",
        "_silent",
        "_start",
        "_take",
        "_timers",
        "_transport",
        "_unsent",
        "_until_close",
        "_waiter",
        "idle_since",
        "loop",
        "on_body",
        "on_header",
        "origin",
    )

    def __init__(
        self,
        origin: Origin,
        loop: asyncio.AbstractEventLoop,
        on_idle: Callable[[Connection], None],
        on_lost: Callable[[Connection], None],
    ) -> None:
        self.origin = origin
        self.loop = loop
        self.idle_since = 0.0  # the pool's
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        # The answer under way.
        self._answer: Answer | None = None
        self._timers: Timers
        self._waiter: asyncio.Future[None] | None = None
        self._take: Take | None = None  # gets the body's pieces, without waking who waits
        self._headers: list[tuple[bytes, bytes]] = []
        self._received: list[bytes] = []  # body bytes of the read that is being parsed
        self._is_head = False  # of a HEAD request
        self._headed = False  # its headers are handed over
        self._complete = False  # its last byte was parsed
        self._until_close = False  # its body has no other end
        self._start: bytes | None = None  # its first bytes, while they are too few to tell what they are
        self._head_bytes = 0
        self._silent = 0  # bytes since the last one of its body
        # The connection.
        self._dirty = False  # carries no further request
        self._paused = False  # not reading
        self._sending = False  # the request has not left yet
        self._unsent = 0
        self._sent_at = 0.0
        self._deadline = inf  # when the wait under way fails
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = inf
        self.on_body = self._received.append  # llhttp's; called once a chunk, so nothing stands between
        self.on_header = collecting(self._headers)
        self._parser = HttpResponseParser(self)

    # What the connector does with it.

    def is_usable(self) -> bool:
        """False once it is closed or closing."""
        return not self._transport.is_closing()

    def send(self, request: Outgoing, head: bytes) -> tuple[Answer, asyncio.Future[None]]:
        """Write a request. Returns its answer, and what is done once that has its headers or has failed."""
        loop = self.loop
        answer = self._answer = Answer(self)
        waiter = self._waiter = loop.create_future()
        timers = self._timers = request.timers
        self._headed = self._complete = self._until_close = self._sending = False
        self._is_head = request.method == b"HEAD"
        self._start = b""
        self._head_bytes = self._silent = 0
        body = request.body
        if len(body) <= _JOINED:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        now = self._sent_at = loop.time()
        self._expect_by(now + (timers.idle if self._sending else timers.first_byte))
        return answer, waiter

    def close(self) -> None:
        """Close it in good order."""
        self._transport.close()

    def abort(self) -> None:
        """Close it at once."""
        self._transport.abort()

    # What an answer does with it.

    def wait_for_body(self) -> asyncio.Future[None]:
        """A future that is done when there is news of the answer, or it has been silent for too long."""
        waiter = self._waiter = self.loop.create_future()
        self._expect_by(self.loop.time() + self._timers.idle)
        return waiter

    def pour_into(self, take: Take) -> asyncio.Future[None]:
        """The same, but that pieces of the body are no news until `take` is full: it is handed them."""
        self._take = take
        return self.wait_for_body()

    def resume(self, answer: Answer) -> None:
        """Read on; there is room again."""
        if self._paused and self._answer is answer:
            self._paused = False
            self._transport.resume_reading()

    def drop(self, answer: Answer) -> None:
        """Close at once, if this answer is still on its way."""
        if self._answer is answer:
            self._answer = self._waiter = self._take = None
            self._deadline = inf
            self.abort()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; ask to be told whenever something is still to be written."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1, low=0)
        plug = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if hasattr(socket, "TCP_KEEPIDLE"):
                plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _PROBE_AFTER)

    def data_received(self, data: bytes) -> None:
        """Parse what came; wake the reader where it matters to it.

        What is poured is handed on here: of a stream nearly all is, so this is what each of its pieces costs.
        """
        take = self._take
        if take is None:
            self._receive(data)
            return
        failure: ProtocolBroken | None = None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as problem:
            failure = self._stopped_by(problem)
        received = self._received
        if received:
            self._silent = 0
            try:
                is_full = take(received.pop() if len(received) == 1 else _joined(received))
            except Exception as problem:  # noqa: BLE001  it is told to who pours
                self._wake(problem)
            else:
                if is_full:
                    self._wake()
                else:
                    self._deadline = self.loop.time() + self._timers.idle  # the alarm looks again when it rings
        elif failure is None and not self._complete:
            failure = self._count_framing(data)
        if self._complete or failure is not None:
            self._settle(failure)

    def _receive(self, data: bytes) -> None:
        """Take in what comes while nothing is poured."""
        answer = self._answer
        if answer is None:  # nobody asked for anything
            self.abort()
            return
        was_headed = self._headed
        failure = self._parse(data)
        received = self._received
        if received:
            self._silent = 0
            body = received.pop() if len(received) == 1 else _joined(received)
            answer.parts.append(body)
            answer.waiting += len(body)
        elif was_headed and failure is None and not self._complete:
            failure = self._count_framing(data)
        if self._complete or failure is not None:
            self._settle(failure)
        elif answer.parts or not was_headed:
            self._tell_progress(answer)

    def _count_framing(self, data: bytes) -> ProtocolBroken | None:
        """Nothing of that was body; what is wrong where there was too much of it in a row."""
        self._silent += len(data)
        if self._silent <= MOST_FRAMING:
            return None
        return self._broken(f"sent {self._silent} bytes of framing without one of the body")

    def _settle(self, failure: ProtocolBroken | None) -> None:
        """The answer is over, in good order or not."""
        if failure is not None:
            self._fail(failure)
        elif self._answer is not None:
            self._finish(self._answer)
            self._wake()

    def _tell_progress(self, answer: Answer) -> None:
        if not self._headed:
            return
        if answer.waiting > MOST_WAITING and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The upstream sends no more: a clean end, but only for a body that has no other."""
        self._settle_closed(None, at_eof=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._settle_closed(exc, at_eof=False)
        self._on_lost(self)

    def pause_writing(self) -> None:
        """The request does not leave as fast as it was written."""
        self._sending = True
        self._unsent = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """The request has left: from now on its answer is due."""
        self._sending = False
        if self._answer is not None and not self._headed:
            self._expect_by(self.loop.time() + self._timers.first_byte)

    # What llhttp tells.

    def on_message_begin(self) -> None:
        """Stop llhttp where an answer begins that nobody asked for; forget trailers of the one before."""
        self._headers.clear()
        if self._complete:
            raise ProtocolBroken("an answer without a request")

    def on_headers_complete(self) -> None:
        """A head is there: hand it over, unless it is that of a 1xx answer."""
        headers = self._headers.copy()
        self._headers.clear()
        status = self._parser.get_status_code()
        answer = self._answer
        if answer is None or (100 <= status < 200 and status != 101):
            return
        if not 200 <= status < 600:
            raise self._broken(f"answered with status {status}")
        said = dict(headers)
        counted = b"content-length" in said
        if b"transfer-encoding" in said:
            codings = [value for name, value in headers if name == b"transfer-encoding"]
            if counted or len(codings) > 1 or codings[0].lower() != b"chunked":
                raise self._broken(f"used a transfer coding that was not asked for ({codings[0][:64]!r})")
            counted = True
        answer.headers = headers
        answer.status = status
        self._headed = True
        self._until_close = not counted
        if self._is_head:
            self._complete = True
            raise ProtocolBroken("an answer to HEAD ends here")  # stops llhttp, which would wait for a body

    def on_message_complete(self) -> None:
        """The answer is complete, unless it was a 1xx."""
        if self._headed:
            self._complete = True
            self._dirty = not self._parser.should_keep_alive()  # llhttp knows it only now

    # Beginning and end of an answer.

    def _parse(self, data: bytes) -> ProtocolBroken | None:
        try:
            if self._headed:
                self._parser.feed_data(data)
            else:
                self._feed_head(data)
        except (HttpParserError, HttpParserUpgrade) as problem:
            return self._stopped_by(problem)
        except ProtocolBroken as problem:
            return problem
        return None

    def _stopped_by(self, problem: Exception) -> ProtocolBroken | None:
        """What a parser that stopped means for the answer: nothing where that is complete."""
        self._dirty = True
        return None if self._complete else self._misread(problem)

    def _feed_head(self, data: bytes) -> None:
        if self._start == b"" and len(data) <= MOST_HEAD and data.startswith(_VERSION):  # as most begin
            self._start = None
            self._head_bytes = len(data)
            self._parser.feed_data(data)
            return
        self._head_bytes += len(data)
        if self._start is not None:  # llhttp alone would pass over line breaks here, and take RTSP and HTTP/2.0
            data = self._start + data
            if not data.startswith(_VERSION):
                if not _VERSION.startswith(data):
                    raise self._broken("sent something that is not HTTP/1.1")
                self._start = data
                return
            self._start = None
        excess = self._head_bytes - MOST_HEAD
        if excess <= 0:
            self._parser.feed_data(data)
            return
        self._parser.feed_data(data[:-excess])
        if not self._headed:
            raise self._broken(f"sent more than {MOST_HEAD} bytes of headers")
        self._parser.feed_data(data[-excess:])

    def _finish(self, answer: Answer) -> None:
        """The answer is complete. The connection rests, if nothing is left on it in either direction."""
        answer.ended = True
        self._answer = None
        self._deadline = inf
        if self._sending:
            self._transport.abort()
        elif self._dirty or self._transport.is_closing():
            self._transport.close()
        else:
            if self._paused:
                self._paused = False
                self._transport.resume_reading()
            self._on_idle(self)

    def _settle_closed(self, problem: Exception | None, *, at_eof: bool) -> None:
        answer = self._answer
        if answer is None:
            return
        if self._headed and self._until_close and at_eof and _said_goodbye(self._transport):
            self._answer = None
            answer.ended = True
            self._wake()
        elif self._headed:
            self._fail(self._broken("broke off in the middle of its answer", Side.NETWORK, problem))
        elif self._head_bytes:
            self._fail(self._broken("broke off in the middle of its answer's headers", Side.NETWORK, problem))
        else:
            text = f"{self._name()} closed the connection without an answer{_because(problem)}."
            self._fail(ClosedUnanswered(text, self.loop.time() - self._sent_at))

    def _fail(self, failure: UpstreamFailure) -> None:
        if self._answer is not None:
            self._answer.failure = failure
        self._answer = None
        self.abort()
        self._wake()

    def _wake(self, problem: Exception | None = None) -> None:
        """Wake whoever waits; `problem`: what it is to raise."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = self._take = None
            self._deadline = inf
            if waiter.done():
                return
            if problem is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(problem)

    # Time. One timer serves all the waits of a connection: it is set anew only for an earlier deadline.

    def _expect_by(self, deadline: float) -> None:
        self._deadline = deadline
        if deadline < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = deadline
            self._alarm = self.loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self._alarm_at = inf
        if self._answer is None or self._deadline == inf:
            return
        if self.loop.time() < self._deadline:
            self._expect_by(self._deadline)
            return
        if self._sending and not self._headed:
            unsent = self._transport.get_write_buffer_size()
            if unsent < self._unsent:
                self._unsent = unsent
                self._expect_by(self.loop.time() + self._timers.idle)
                return
            what = f"took no more of the request for {self._timers.idle:g} s"
        elif self._headed:
            what = f"was silent for {self._timers.idle:g} s in the middle of its answer"
        else:
            what = f"did not begin to answer within {self._timers.first_byte:g} s"
        self._fail(UpstreamTimeout(f"{self._name()} {what}.", side=Side.PROVIDER))

    # Words.

    def _name(self) -> str:
        return f"The upstream {self.origin.host}:{self.origin.port}"

    def _broken(self, what: str, side: Side = Side.PROVIDER, problem: Exception | None = None) -> ProtocolBroken:
        return ProtocolBroken(f"{self._name()} {what}{_because(problem)}.", side=side)

    def _misread(self, problem: Exception) -> ProtocolBroken:
        cause = problem.__context__
        if isinstance(cause, ProtocolBroken):
            return cause
        return self._broken(f"sent something that is not valid HTTP/1.1 ({problem})")


def collecting(headers: list[tuple[bytes, bytes]]) -> Callable[[bytes, bytes], None]:
    """What keeps each header that llhttp tells of. Called for each, so it is but the one line.

    Trailers land in the list too, after the head was taken out of it: nobody reads them.
    """
    keep = headers.append

    def on_header(name: bytes, value: bytes) -> None:
        return keep((name.lower(), value.rstrip()))  # llhttp strips in front only

    return on_header


def _joined(received: list[bytes]) -> bytes:
    body = b"".join(received)
    received.clear()  # the list is llhttp's to fill
    return body


def _said_goodbye(transport: asyncio.Transport) -> bool:
    """Over TLS: whether close_notify came, without which somebody on the way may have cut the answer off."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        return tls.read(1) == b""
    except ssl.SSLError:
        return False


def _because(problem: Exception | None) -> str:
    return "" if problem is None else f" ({problem})"
