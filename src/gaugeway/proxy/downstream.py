"""One request's end of the downstream's connection: its head, its body as it arrives, and the way of the answer.

It stands where uvicorn has its RequestResponseCycle, so uvicorn's keep-alive, pipelining and stop work with it, and
it is what the data plane is handed in place of ASGI's three arguments. ASGI says that a client left only to who
asks for the next message, which costs a task per request; it has no word for "end this so that it cannot be taken
for whole"; and each piece that passes is a dictionary, a coroutine and a check of what was checked before.
Without it a request costs an eighth less of CPU (docs/decisions/0005-uvicorn-s-protocol-extended.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar, Protocol

from msgspec import Struct, field
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from gaugeway.core.provider import Headers

_NO_CONTENT = (204, 304)
_as_line = b": ".join


class _Deaf:
    """Stands for the event with which uvicorn wakes an ASGI application. Here `Downstream` itself is told."""

    def set(self) -> None:
        pass


class Owner(Protocol):
    """What a request needs of the connection it came on."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    flow: FlowControl

    def on_response_complete(self) -> None:
        """An answer is over: the next request may be answered."""
        ...


class Downstream(Struct, eq=False):
    """A request under way. `more_body`: whether more of its body is to come than `read` has given."""

    message_event: ClassVar[_Deaf] = _Deaf()

    _owner: Owner
    method: str
    path: bytes  # raw
    query: bytes  # raw, without its question mark
    headers: Headers  # names in lower case
    is_http_1_0: bool
    keep_alive: bool  # uvicorn's name, as are `disconnected` and those that begin with `response_`
    more_body: bool = True
    hung_up: bool = False  # before it had the whole answer
    task: asyncio.Task[None] | None = None  # that answers
    is_begun: bool = False  # by that task, which would leave no log if it were cancelled before
    disconnected: bool = False
    response_started: bool = False
    response_complete: bool = False
    _parts: list[bytes] = field(default_factory=list[bytes])
    _waiting: int = 0  # bytes in `_parts`
    _waiter: asyncio.Future[None] | None = None
    _chunked: bool = False
    _left: int | None = None  # of the length that the answer named

    # What its connection tells.

    def take(self, piece: bytes) -> None:
        """A piece of the body came."""
        self._parts.append(piece)
        self._waiting += len(piece)
        if self._waiting > HIGH_WATER_LIMIT:
            self._owner.flow.pause_reading()
        if self._waiter is not None:
            self._wake(self._waiter)

    def body_ended(self) -> None:
        """All of the body came."""
        self.more_body = False
        if self._waiter is not None:
            self._wake(self._waiter)

    def left(self) -> None:
        """The client is gone."""
        if not self.response_complete and not self.disconnected:
            self.hung_up = True
            if self.task is not None and self.is_begun:
                self.task.cancel()
        self.disconnected = True

    def _wake(self, waiter: asyncio.Future[None]) -> None:
        self._waiter = None
        if not waiter.done():
            waiter.set_result(None)

    # What the data plane does with it.

    @property
    def is_full(self) -> bool:
        """Whether the client reads more slowly than it is written to: await `drained` before the next piece."""
        return self._owner.flow.write_paused

    async def read(self) -> bytes:
        """What has arrived of the body since, which is nothing only at its end. Cancelled by a hang-up."""
        if not self._parts and self.more_body:
            self._say_continue()
            self._owner.flow.resume_reading()
            while not self._parts and self.more_body:
                if self.disconnected:
                    raise asyncio.CancelledError
                self._waiter = self._owner.loop.create_future()
                await self._waiter
        return self.take_arrived()

    def take_arrived(self) -> bytes:
        """What has arrived of the body since, without waiting."""
        parts, flow = self._parts, self._owner.flow
        if flow.read_paused:  # nothing is heard of a hang-up then
            flow.resume_reading()
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        self._waiting = 0
        return data

    def cut(self) -> None:
        """End the connection in the middle of an answer; what was sent so far still arrives.

        The end that a length or chunks promised is then missing, which tells the client.
        """
        self.disconnected = True
        self._owner.transport.close()

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """Send an answer at once. The headers are right as they stand: parsed before, and the length among them."""
        if self.disconnected:
            return
        if self.method == "HEAD":
            body = b""
        self._owner.transport.write(self._head(status, headers) + body)
        self._complete()

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body comes in pieces: in chunks, where its length is not named."""
        if self.disconnected:
            return
        if self.method == "HEAD" or status in _NO_CONTENT:
            self._left = 0
        else:
            self._left = next((int(value) for name, value in headers if name == b"content-length"), None)
            if self._left is None:
                self._chunked = True
                headers = [*headers, (b"transfer-encoding", b"chunked")]
        self._owner.transport.write(self._head(status, headers))

    def send(self, piece: bytes) -> None:
        """Send the next piece, which is not empty."""
        if self.disconnected:
            return
        if self._chunked:
            self._owner.transport.write(b"".join((b"%x\r\n" % len(piece), piece, b"\r\n")))
        elif self._left is not None and len(piece) <= self._left:
            self._left -= len(piece)
            self._owner.transport.write(piece)
        elif self.method != "HEAD":
            raise RuntimeError("the answer is longer than the length it named")

    def sending(self) -> Callable[[bytes], bool]:
        """What sends a piece, once the answer has begun, and says whether the client is full then.

        A stream is hundreds of pieces, so what each of them needs to know of this request is looked up once.
        """
        write, flow = self._owner.transport.write, self._owner.flow

        def send_chunk(piece: bytes) -> bool:
            write(b"%x\r\n%b\r\n" % (len(piece), piece))
            return flow.write_paused

        def send(piece: bytes) -> bool:
            self.send(piece)
            return flow.write_paused

        return send_chunk if self._chunked else send

    def finish(self) -> None:
        """The answer came to its clean end."""
        if self.disconnected:
            return
        if self._chunked:
            self._owner.transport.write(b"0\r\n\r\n")
        elif self._left:
            raise RuntimeError("the answer is shorter than the length it named")
        self._complete()

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was sent."""
        await self._owner.flow.drain()

    def _head(self, status: int, headers: Headers) -> bytes:
        self.response_started = True
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        return STATUS_LINE[status] + b"\r\n".join([*map(_as_line, headers), end])

    def _complete(self) -> None:
        self.response_complete = True
        if not self.keep_alive:
            self._owner.transport.close()
        self._owner.on_response_complete()

    def _say_continue(self) -> None:
        """The client waits to be asked for the body (RFC 9110 section 10.1.1)."""
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers)
        if expects and not self._owner.transport.is_closing():
            self._owner.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
