"""uvicorn's HTTP/1.1 protocol with what the data plane needs beyond ASGI.

ASGI says that a client left only to who asks for the next message, which costs a task per request; and it
has no word for "end this so that it cannot be taken for whole". Both are one method on the connection here,
handed over as `scope["extensions"]["gaugeway.connection"]`. The size of a request's head is limited too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gaugeway.core.errors import GatewayError
from gaugeway.proxy.answers import TOO_LARGE, error_reply


class HeadTooLarge(Exception):
    """The request's line and headers are over the limit."""


class GatewayProtocol(HttpToolsProtocol):
    """One downstream connection."""

    max_header_bytes = 64 * 1024
    """Set once, before the server starts."""

    _hangup: Callable[[], None] | None = None
    _head_bytes = 0
    _head_too_large = False

    def on_hangup(self, callback: Callable[[], None]) -> None:
        """Call back once when the client leaves before it has the whole answer to the current request."""
        if self.cycle.disconnected:
            callback()
        else:
            self._hangup = callback

    def cut(self) -> None:
        """End the connection in the middle of an answer; what was sent so far still arrives.

        The end that a length or chunks promised is then missing, which tells the client.
        """
        self.cycle.disconnected = True
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the request in flight, if there is one."""
        hangup, self._hangup = self._hangup, None
        super().connection_lost(exc)
        if hangup is not None and not self.cycle.response_complete:
            hangup()

    def on_message_begin(self) -> None:
        """Start a request's scope."""
        super().on_message_begin()
        self._head_bytes = 0
        scope = cast("dict[str, Any]", self.scope)
        scope["extensions"] = {"gaugeway.connection": self}

    def on_url(self, url: bytes) -> None:
        """Count the request's target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.max_header_bytes:
            self._head_too_large = True
            raise HeadTooLarge

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed, in the data plane's envelope."""
        status, code = (431, TOO_LARGE) if self._head_too_large else (400, 7001)
        if self._head_too_large:
            msg = f"The request's line and headers are larger than {self.max_header_bytes} bytes"
        reply = error_reply(GatewayError(status, code, msg))
        body = reply.body or b""
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
