"""uvicorn's HTTP/1.1 protocol with what the data plane needs beyond ASGI.

ASGI says that a client left only to who asks for the next message, which costs a task per request; it has no word
for "end this so that it cannot be taken for whole"; and a whole answer is two messages, each with its own checks
and its own system call. All three are one method each here, on the object handed over as
`scope["extensions"]["gaugeway.connection"]`. The size of a request's head is limited too, a trailer is no header,
and a request that would like another protocol is answered in this one, with its body.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import TOO_LARGE, error_reply
from gaugeway.proxy.exchange import Headers


class HeadTooLarge(Exception):
    """The request's line and headers are over the limit."""


class Downstream:
    """One request's end of a downstream connection (a client may have sent the next request already)."""

    __slots__ = ("_cycle", "_hangup", "_protocol")

    def __init__(self, protocol: HttpToolsProtocol, cycle: RequestResponseCycle) -> None:
        self._protocol = protocol
        self._cycle = cycle
        self._hangup: Callable[[], None] | None = None

    @property
    def is_over(self) -> bool:
        """Whether the whole answer went out."""
        return self._cycle.response_complete

    @property
    def is_under_way(self) -> bool:
        """Whether a part of the answer went out, and not all of it."""
        return self._cycle.response_started and not self._cycle.response_complete

    def on_hangup(self, callback: Callable[[], None] | None) -> None:
        """Call back once when the client leaves before it has the whole answer; None: no more."""
        self._hangup = callback
        if callback is not None and self._cycle.disconnected:
            callback()

    def left(self) -> None:
        """The client is gone."""
        self._cycle.disconnected = True
        hangup, self._hangup = self._hangup, None
        if hangup is not None and not self.is_over:
            hangup()

    def cut(self) -> None:
        """End the connection in the middle of an answer; what was sent so far still arrives.

        The end that a length or chunks promised is then missing, which tells the client.
        """
        self._cycle.disconnected = True
        self._protocol.transport.close()

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer at once. The headers are right as they stand: parsed before, and the length among them."""
        cycle = self._cycle
        if cycle.disconnected:
            return
        pieces = [STATUS_LINE[status]]
        for name, value in headers:
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        if cycle.scope["method"] != "HEAD":
            pieces.append(body)
        self._protocol.transport.write(b"".join(pieces))
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._protocol.transport.close()
        cycle.on_response()


class GatewayProtocol(HttpToolsProtocol):
    """One downstream connection."""

    max_header_bytes = 64 * 1024
    """Set once, before the server starts."""

    _requests: tuple[Downstream, ...] = ()  # under way; more than one where a client pipelines
    _head_is_open = False
    _arrived = 0  # bytes since the head that is being received began, or a few more
    _head_too_large = False
    _body_came = False  # with the bytes that came last
    _framing = 0  # bytes in a row of which none is body: chunk extensions, trailers

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the requests under way."""
        super().connection_lost(exc)
        requests, self._requests = self._requests, ()
        for request in requests:
            request.left()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and stop a head, or the framing of a body, that does not end."""
        self._unset_keepalive_if_required()
        self._arrived = self._arrived + len(data) if self._head_is_open else len(data)
        self._body_came = False
        self._parse(data)
        in_body = bool(self._requests) and self.cycle.more_body and not self._head_is_open
        self._framing = self._framing + len(data) if in_body and not self._body_came else 0
        too_large = max(self._framing, self._arrived if self._head_is_open else 0) > self.max_header_bytes
        if too_large and not self.transport.is_closing():
            self._head_too_large = True
            self.send_400_response("")

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                # llhttp takes what follows such a head for the other protocol. Nobody speaks one here, so (RFC 9110
                # section 7.8) the wish is passed over, and what follows is the body.
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("This is no proxy for other hosts: CONNECT is not answered")
                    return
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            except httptools.HttpParserError:
                self.logger.warning("Invalid HTTP request received.")
                self.send_400_response("Invalid HTTP request received.")
                return
            else:
                return

    def _head_without_upgrade(self) -> bytes:
        """The head that was just parsed, its Connection header without the word that stands for Upgrade."""
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        for name, value in self.headers:
            if name == b"connection":
                others = [word for word in value.split(b",") if word.strip().lower() != b"upgrade"]
                value = b",".join(others)  # noqa: PLW2901
            lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join((*lines, b"", b""))

    def on_message_begin(self) -> None:
        """Start a request's scope."""
        super().on_message_begin()
        self._head_is_open = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, but no trailer: what is authorised and forwarded was settled with the head."""
        if not self._head_is_open:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body in."""
        self._body_came = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is all there, unless its head will come again."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Give the request its end of the connection, before its task first runs."""
        self._head_is_open = False
        if self._arrived > self.max_header_bytes:
            self._measure_head()
        if self.parser.should_upgrade():
            return  # its head comes again
        super().on_headers_complete()
        request = Downstream(self, self.cycle)
        earlier = self._requests  # answered in their order, so the last one tells
        self._requests = (*earlier, request) if earlier and not earlier[-1].is_over else (request,)
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {"gaugeway.connection": request}

    def _measure_head(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.max_header_bytes:
            self._head_too_large = True
            raise HeadTooLarge

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, in the data plane's envelope."""
        status, code = (431, TOO_LARGE) if self._head_too_large else (400, 7001)
        if self._head_too_large:
            what = "line and headers, or the framing of its body,"
            msg = f"The request's {what} are larger than {self.max_header_bytes} bytes"
        if any(request.is_under_way for request in self._requests):
            self.transport.close()  # in the midst of an answer this one would be taken for a part of it
            return
        reply = error_reply(GatewayError(status, code, msg))
        body = reply.body or b""
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
