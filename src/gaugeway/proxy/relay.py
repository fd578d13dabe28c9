"""Relay: the reply goes downstream as it comes, byte for byte; what passes is noted for the log."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from gaugeway.core import ids
from gaugeway.core.errors import ProtocolBroken, UpstreamTimeout
from gaugeway.core.model import Outcome
from gaugeway.proxy.cache_policy import HIT
from gaugeway.proxy.connectors.seam import Incoming, Pouring, pouring_of
from gaugeway.proxy.downstream import Downstream
from gaugeway.proxy.ending import settle_whole
from gaugeway.proxy.exchange import Connection, Exchange, Headers, Reply
from gaugeway.proxy.headers import has
from gaugeway.proxy.transcript import Transcript

MAX_UNCHUNKED = 64 * 1024 * 1024
"""Bytes of an answer without a length that are held back for an HTTP/1.0 client."""


class Relay:
    """The phase that answers. Everything after its first byte can only end the stream, not change it."""

    def __init__(self, log_body_cap: int) -> None:
        self._cap = log_body_cap

    async def relay(self, exchange: Exchange, reply: Reply) -> None:
        """Send the reply; settles the outcome for an upstream's answer."""
        exchange.reply = reply
        exchange.transcript = transcript = Transcript(self._cap)
        if exchange.first_byte is None and reply.incoming is not None and reply.body is not None:
            exchange.first_byte = perf_counter()
        headers = with_own_headers(exchange, reply)
        if reply.body is not None:
            transcript.add(reply.body)
            exchange.reply_started = True
            exchange.connection.send_whole(reply.status, headers, reply.body)
        elif reply.incoming is not None and not await self._stream(exchange, reply, reply.incoming, headers):
            return
        if reply.incoming is not None:
            settle_whole(exchange, reply)
        elif exchange.cache_status == HIT:
            exchange.end(Outcome.CACHED)

    async def _stream(self, exchange: Exchange, reply: Reply, incoming: Incoming, headers: Headers) -> bool:
        """Pass on each piece as it arrives; whether the answer came to its clean end."""
        transcript = exchange.transcript
        assert transcript is not None  # noqa: S101  relay made it
        connection = exchange.connection
        try:
            if connection.is_http_1_0 and not has(headers, b"content-length"):
                await self._send_whole(exchange, reply, incoming, headers)
                return True
            exchange.reply_started = True
            connection.begin(reply.status, headers)
            pouring = pouring_of(incoming)
            if pouring is not None:
                await _pour(exchange, transcript, pouring)
            else:
                await _pass_on(exchange, transcript, incoming)
        except (ProtocolBroken, UpstreamTimeout) as failure:
            late = isinstance(failure, UpstreamTimeout)
            exchange.end(Outcome.TIMEOUT if late else Outcome.STREAM_CUT, failure.message)
            connection.cut()
            return False
        connection.finish()
        return True

    async def _send_whole(self, exchange: Exchange, reply: Reply, incoming: Incoming, headers: Headers) -> None:
        """For HTTP/1.0, which knows no chunks and takes the end of the connection for the answer's."""
        transcript = exchange.transcript
        assert transcript is not None  # noqa: S101  relay made it
        pieces: list[bytes] = []
        while chunk := await incoming.read():
            exchange.first_byte = exchange.first_byte or perf_counter()
            transcript.add(chunk)
            pieces.append(chunk)
            if transcript.size > MAX_UNCHUNKED:
                raise ProtocolBroken(
                    f"an answer over {MAX_UNCHUNKED} bytes cannot be passed on to an HTTP/1.0 client"
                )
        body = b"".join(pieces)
        exchange.reply_started = True
        exchange.connection.send_whole(reply.status, [*headers, (b"content-length", b"%d" % len(body))], body)


async def _pour(exchange: Exchange, transcript: Transcript, incoming: Pouring) -> None:
    """Pass on each piece from within the upstream's connection, as long as the downstream takes them."""
    connection, note = exchange.connection, transcript.add
    send = _sending_of(connection)

    def take(piece: bytes) -> bool:
        if connection.hung_up:  # and this task is about to be cancelled
            return True
        if exchange.first_byte is None:
            exchange.first_byte = perf_counter()
        is_full = send(piece)
        note(piece)
        return is_full

    try:
        while not await incoming.pour(take):
            await connection.drained()
    finally:
        exchange.handed_over = transcript.size  # only what was sent was noted


def _sending_of(connection: Connection) -> Callable[[bytes], bool]:
    """What sends a piece, and says whether the downstream is full then."""
    if isinstance(connection, Downstream):
        return connection.sending()

    def send(piece: bytes) -> bool:
        connection.send(piece)
        return connection.is_full

    return send


async def _pass_on(exchange: Exchange, transcript: Transcript, incoming: Incoming) -> None:
    """Pass on each piece that was read."""
    connection = exchange.connection
    while chunk := await incoming.read():
        if exchange.first_byte is None:
            exchange.first_byte = perf_counter()
        transcript.add(chunk)
        if connection.is_full:
            await connection.drained()
        connection.send(chunk)
        exchange.handed_over += len(chunk)


def with_own_headers(exchange: Exchange, reply: Reply) -> Headers:
    """The reply's headers and the gateway's own; the length where it is known and not said."""
    headers = reply.headers
    identifier = ids.to_ascii(exchange.log_id)
    if exchange.collects_log:
        headers.append((b"cf-aig-log-id", identifier))
    event_id = exchange.options.event_id
    headers.append((b"cf-aig-event-id", identifier if event_id is None else event_id.encode()))
    headers.append((b"cf-aig-step", b"%d" % exchange.step if exchange.step else b"0"))
    if exchange.cache_status is not None:
        headers.append((b"cf-aig-cache-status", exchange.cache_status))
    if exchange.compat is not None:
        headers += ((b"cf-aig-model", exchange.compat.model), (b"cf-aig-provider", exchange.compat.provider))
    if reply.body is not None and not has(headers, b"content-length") and _may_have_body(exchange, reply):
        headers.append((b"content-length", b"%d" % len(reply.body)))
    return headers


def _may_have_body(exchange: Exchange, reply: Reply) -> bool:
    return exchange.method != "HEAD" and reply.status >= 200 and reply.status not in (204, 304)
