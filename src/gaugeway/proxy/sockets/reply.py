"""An answer to a universal request, as messages: what a Connection is told, in `universal.*`."""

from __future__ import annotations

import base64

import msgspec
from uvicorn.protocols.http.flow_control import FlowControl
from websockets.frames import Frame, Opcode

from gaugeway.core.errors import GatewayError, ProtocolBroken
from gaugeway.core.provider import Headers
from gaugeway.proxy.answers import PROVIDER_FAILED, error_reply
from gaugeway.proxy.decoding import decode_body
from gaugeway.proxy.sockets.end import SocketEnd
from gaugeway.proxy.sockets.messages import Asked, Events, as_json

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that has to be whole to become one message."""

_PLAIN = (b"", b"identity")
_CUT = "The provider's answer broke off before its end: the log says why"


class MessageReply:
    """A Connection whose other end gets messages (see exchange.py)."""

    def __init__(self, end: SocketEnd, flow: FlowControl, path: bytes, headers: Headers, asked: Asked) -> None:
        self.method = "POST"
        self.path = path
        self.query = b""
        self.headers = headers
        self.is_http_1_0 = False
        self.more_body = True
        self.hung_up = False
        self.event_id = asked.event_id
        self._body = asked.body
        self._end = end
        self._flow = flow
        self._status = 0
        self._said: dict[bytes, bytes] = {}
        self._metadata = b""
        self._pieces: list[bytes] = []
        self._size = 0
        self._events: Events | None = None

    @property
    def is_full(self) -> bool:
        """See Connection."""
        return self._end.is_full

    def take_arrived(self) -> bytes:
        """See Connection."""
        body, self._body, self.more_body = self._body, b"", False
        return body

    async def read(self) -> bytes:
        """See Connection."""
        return self.take_arrived()

    async def drained(self) -> None:
        """See Connection."""
        await self._flow.drain()

    def cut(self) -> None:
        """See Connection."""
        problem = GatewayError(502, PROVIDER_FAILED, _CUT)
        self._send("universal.error", error_reply(problem).body)

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """See Connection."""
        self._note(status, headers)
        self._send_answer(body)

    def begin(self, status: int, headers: Headers) -> None:
        """See Connection. A stream of events is announced at once; anything else becomes one message."""
        self._note(status, headers)
        coding = self._said.get(b"content-encoding", b"").lower()
        is_stream = self._said.get(b"content-type", b"").lower().startswith(b"text/event-stream")
        if is_stream and status < 400 and coding in _PLAIN:
            self._events = Events(MAX_ANSWER)
            self._send("universal.created")

    def send(self, piece: bytes) -> None:
        """See Connection."""
        if self._events is not None:
            try:
                for name, data in self._events.feed(piece):
                    self._send_event(name, data)
            except ValueError as problem:
                raise ProtocolBroken(f"The stream cannot be passed on in messages: {problem}.") from problem
            return
        self._size += len(piece)
        if self._size > MAX_ANSWER:
            raise ProtocolBroken(f"An answer over {MAX_ANSWER} bytes cannot be passed on in one message.")
        self._pieces.append(piece)

    def finish(self) -> None:
        """See Connection."""
        if self._events is None:
            self._send_answer(b"".join(self._pieces))
            return
        for name, data in self._events.end():
            self._send_event(name, data)
        self._send("universal.done")

    def _note(self, status: int, headers: Headers) -> None:
        self._status, self._said = status, dict(headers)
        metadata = {
            key: self._said[name].decode("latin-1")
            for key, name in (
                ("cacheStatus", b"cf-aig-cache-status"),
                ("logId", b"cf-aig-log-id"),
                ("step", b"cf-aig-step"),
                ("contentType", b"content-type"),
            )
            if name in self._said
        }
        event_id = self._said.get(b"cf-aig-event-id", b"").decode("utf-8", "replace")
        told: dict[str, str | int] = {"eventId": event_id, **metadata, "status": status}
        self._metadata = msgspec.json.encode(told)

    def _send_answer(self, body: bytes) -> None:
        coding = self._said.get(b"content-encoding", b"").lower()
        if coding not in _PLAIN:
            body, is_whole, problem = decode_body(coding, body, MAX_ANSWER)
            if problem is not None or not is_whole:
                raise ProtocolBroken(f"The answer cannot be passed on in a message: {problem or 'it is too long'}.")
        if self._status < 400 and self._said.get(b"content-type", b"").lower().startswith(b"text/event-stream"):
            self._replay(body)
            return
        self._send("universal.created" if self._status < 400 else "universal.error", body)

    def _replay(self, stream: bytes) -> None:
        """A stream that is there as a whole: a cached one, or one that came compressed."""
        self._events = Events(MAX_ANSWER)
        self._send("universal.created")
        self.send(stream)
        self.finish()

    def _send_event(self, name: str, data: bytes) -> None:
        metadata = self._metadata
        if name:
            metadata = metadata[:-1] + b',"event":' + msgspec.json.encode(name) + b"}"
        self._send("universal.stream", data, metadata)

    def _send(self, kind: str, body: bytes | None = None, metadata: bytes | None = None) -> None:
        """JSON stands as it is, text as a text; anything else in base64, and the metadata say so."""
        metadata = (metadata or self._metadata) or b'{"eventId":%b}' % msgspec.json.encode(self.event_id)
        response = b""
        if body is not None:
            found = as_json(body)
            if found is None:
                try:
                    found = msgspec.json.encode(body.decode())
                except UnicodeDecodeError:
                    found = msgspec.json.encode(base64.b64encode(body).decode())
                    metadata = metadata[:-1] + b',"encoding":"base64"}'
            response = b',"response":' + found
        message = b'{"type":"%b","metadata":%b%b}' % (kind.encode(), metadata, response)
        self._end.send(Frame(Opcode.TEXT, message))
