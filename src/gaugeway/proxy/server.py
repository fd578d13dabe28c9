"""uvicorn's HTTP/1.1 protocol with a way of its own for the data plane.

The parser, keep-alive, pipelining, flow control and the stop of the server are uvicorn's. A request below `/v1/`,
or of REST inference, becomes a `Downstream` (downstream.py) and is handed to the application's data plane; others
go the way of ASGI. The size of a request's head is limited for both, a trailer is no header, and a request that
would like another protocol is answered in this one, with its body.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import INTERNAL, TOO_LARGE, error_reply, send_error
from gaugeway.proxy.downstream import Downstream
from gaugeway.proxy.rest import PATH as REST_PATH
from gaugeway.proxy.sockets.switched import SocketRequest, SwitchedConnection

PREFIX = b"/v1/"
"""What the data plane's paths begin with."""
NOT_OURS = (b"/v1/evals", b"/v1/files")
"""What other paths do that begin so: no account has such an id."""


class HeadTooLarge(Exception):
    """The request's line and headers are over the limit."""


class GatewayProtocol(HttpToolsProtocol):
    """One downstream connection. Its application has a `data_plane` beside being ASGI's."""

    max_header_bytes = 64 * 1024
    """Set once, before the server starts."""

    app: Any  # the application, ASGI's callable
    cycle: Any  # the request that came last, Downstream or RequestResponseCycle; None before the first
    _data_plane: Callable[[Downstream], Awaitable[None]]
    _requests: tuple[Downstream | RequestResponseCycle, ...] = ()  # under way; several where a client pipelines
    _head_is_open = False
    _arrived = 0  # bytes since the head that is being received began, or a few more
    _head_too_large = False
    _body_came = False  # with the bytes that came last
    _framing = 0  # bytes in a row of which none is body: chunk extensions, trailers
    _idle_since = 0.0  # the loop's time

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport."""
        super().connection_made(transport)
        self._data_plane = self.app.data_plane

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the requests under way."""
        requests, self._requests = self._requests, ()
        for request in requests:
            if isinstance(request, Downstream):
                request.left()
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.cycle = None  # it leads back here: what holds nothing in a circle goes at once

    # Bytes, and what the parser says of them.

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and stop a head, or the framing of a body, that does not end."""
        self._arrived = self._arrived + len(data) if self._head_is_open else len(data)
        self._body_came = False
        self._parse(data)
        if self._head_is_open:
            excess = self._arrived
        elif self._body_came or not self._requests or not self.cycle.more_body:
            excess = self._framing = 0
        else:
            excess = self._framing = self._framing + len(data)
        if excess > self.max_header_bytes and not self.transport.is_closing():
            self._head_too_large = True
            self.send_400_response("")

    def _parse(self, data: bytes) -> None:
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("This is no proxy for other hosts: CONNECT is not answered")
                    return
                if self._asks_for_socket():
                    self._switch(data[upgrade.args[0] :])
                    return
                # llhttp takes what follows such a head for the other protocol. Nobody else speaks one here, so
                # (RFC 9110 section 7.8) the wish is passed over, and what follows is the body.
                data = self._head_without_upgrade() + data[upgrade.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
            except httptools.HttpParserError:
                self.logger.warning("Invalid HTTP request received.")
                self.send_400_response("Invalid HTTP request received.")
                return
            else:
                return

    def _asks_for_socket(self) -> bool:
        """Whether the head that was just parsed asks the data plane for a WebSocket, and may."""
        if self.parser.get_method() != b"GET" or self.parser.get_http_version() != "1.1":
            return False
        if not any(name == b"upgrade" and b"websocket" in value.lower() for name, value in self.headers):
            return False
        path, _ = _split(self.url)
        if not (path.startswith(PREFIX) or unquote_to_bytes(path).startswith(PREFIX)):
            return False
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _switch(self, early: bytes) -> None:
        """Leave the connection to one that may become a WebSocket's."""
        path, query = _split(self.url)
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self.cycle, self._requests = None, ()
        switched = SwitchedConnection(self.server_state, self.transport, self.flow)
        self.transport.set_protocol(switched)
        request = SocketRequest.of(switched, path, query, self.headers)
        switched.start(request, self.app.socket_plane, early)

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
        """A head begins."""
        self.url = b""
        self.headers = []
        self._head_is_open = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. Trailers land in a list that nobody reads: the head has settled what is authorised."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """Start the request."""
        self._head_is_open = False
        if self._arrived > self.max_header_bytes:
            self._measure_head()
        parser = self.parser
        if parser.should_upgrade():
            return  # its head comes again
        path, query = _split(self.url)
        if path.startswith(NOT_OURS) or (not path.startswith(PREFIX) and not _is_for_data_plane(path)):
            self._begin_asgi()
            return
        headers, self.headers = self.headers, []
        version = parser.get_http_version()
        request = Downstream(
            self,
            parser.get_method().decode("ascii"),
            path,
            query,
            headers,
            version == "1.0",
            version != "1.0" and parser.should_keep_alive(),
        )
        earlier, self.cycle = self.cycle, request
        self._note(request)
        if earlier is None or earlier.response_complete:
            self._start(request)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cast("Any", request), self.app))

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body in."""
        self._body_came = True
        cycle = self.cycle
        if not isinstance(cycle, Downstream):
            super().on_body(body)
        elif not cycle.response_complete:
            cycle.take(body)

    def on_message_complete(self) -> None:
        """The request is all there, unless its head will come again."""
        if self.parser.should_upgrade():
            return
        cycle = self.cycle
        if isinstance(cycle, Downstream):
            cycle.body_ended()
        else:
            super().on_message_complete()

    def _begin_asgi(self) -> None:
        """Let uvicorn start a request whose head it has not seen."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers.extend(headers)
        self.expect_100_continue = (b"expect", b"100-continue") in [
            (name, value.lower()) for name, value in headers
        ]
        super().on_headers_complete()
        self.headers = []
        self._note(self.cycle)

    def _note(self, request: Downstream | RequestResponseCycle) -> None:
        earlier = self._requests  # answered in their order, so the last one tells
        self._requests = (*earlier, request) if earlier and not earlier[-1].response_complete else (request,)

    # The request under way.

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start what waited behind another request."""
        if isinstance(cycle, Downstream):
            self._start(cycle)
        else:
            super()._start_asgi_task(cycle, app)

    def _start(self, request: Downstream) -> None:
        request.task = task = self.loop.create_task(self._answer(request))
        self.tasks.add(task)

    async def _answer(self, request: Downstream) -> None:
        request.is_begun = True
        try:
            await self._data_plane(request)
        except asyncio.CancelledError:  # the server is stopping and has waited long enough
            if not request.response_started:
                send_error(request, GatewayError(503, INTERNAL, "The gateway was stopped"))
            raise
        finally:
            if request.task is not None:
                self.tasks.discard(request.task)
                request.task = None  # it leads back here
            if not request.response_complete and not request.disconnected:
                self.transport.close()

    def on_response_complete(self) -> None:
        """An answer is over: the next one's turn, or a rest that ends the connection if it is too long.

        One timer serves all of a connection's rests, as making and cancelling one for each costs 2 µs a request.
        """
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._watch_rest(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, if it has rested all the time."""
        self.timeout_keep_alive_task = None
        if self.transport.is_closing() or not self.cycle.response_complete:
            return  # the next rest is watched again
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._head_is_open:
            left = self.timeout_keep_alive
        if left > 0:
            self._watch_rest(left)
        else:
            self.transport.close()

    def _watch_rest(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    # What is refused here.

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
        if any(request.response_started and not request.response_complete for request in self._requests):
            self.transport.close()  # in the midst of an answer this one would be taken for a part of it
            return
        reply = error_reply(GatewayError(status, code, msg))
        body = reply.body or b""
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()


def _is_for_data_plane(path: bytes) -> bool:
    """Whether a path that does not begin as most of the data plane's do is one of it all the same."""
    return REST_PATH.match(path) is not None or unquote_to_bytes(path).startswith(PREFIX)


def _split(url: bytes) -> tuple[bytes, bytes]:
    """Raw path and query of a request's target. Raises for what is no URL, or not in ASCII."""
    if url.startswith(b"/") and b"#" not in url and url.isascii():
        path, _, query = url.partition(b"?")
        return path, query
    parsed = httptools.parse_url(url)
    parsed.path.decode("ascii")
    return parsed.path, parsed.query or b""
