"""Requests that the program makes of its own data plane: the same path as any client's, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from gaugeway.core.provider import Headers
from gaugeway.proxy.exchange import Connection

MAX_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that are taken; one that is longer counts as broken."""


class InwardAnswer(Struct, frozen=True):
    """What the data plane answered."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes
    is_whole: bool


class InwardConnection:
    """A Connection whose other end is this process."""

    def __init__(self, method: str, path: bytes, headers: Headers, body: bytes) -> None:
        self.method = method
        self.path = path
        self.query = b""
        self.headers = headers
        self.is_http_1_0 = False
        self.more_body = True
        self.is_full = False
        self.hung_up = False
        self.answering: asyncio.Future[None] | None = None  # the task that answers
        self._body = body
        self._status = 0
        self._answer_headers: Headers = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._is_whole = False

    def take_arrived(self) -> bytes:
        """See Connection."""
        body, self._body, self.more_body = self._body, b"", False
        return body

    async def read(self) -> bytes:
        """See Connection."""
        return self.take_arrived()

    def hang_up(self) -> None:
        """Nobody wants the answer any more."""
        self.hung_up = True
        if self.answering is not None:
            self.answering.cancel()

    def cut(self) -> None:
        """See Connection."""
        self._is_whole = False

    def send_whole(self, status: int, headers: Headers, body: bytes) -> None:
        """See Connection."""
        self.begin(status, headers)
        self.send(body)
        self.finish()

    def begin(self, status: int, headers: Headers) -> None:
        """See Connection."""
        self._status, self._answer_headers = status, headers

    def send(self, piece: bytes) -> None:
        """See Connection."""
        self._size += len(piece)
        if self._size > MAX_ANSWER:
            self._pieces.clear()
            self.hang_up()
        else:
            self._pieces.append(piece)

    async def drained(self) -> None:
        """See Connection."""

    def finish(self) -> None:
        """See Connection."""
        self._is_whole = self._size <= MAX_ANSWER

    def answer(self) -> InwardAnswer:
        """What came."""
        return InwardAnswer(self._status, dict(self._answer_headers), b"".join(self._pieces), self._is_whole)


async def call_inward(
    data_plane: Callable[[Connection], Awaitable[None]], path: bytes, headers: Headers, body: bytes
) -> InwardAnswer:
    """POST to the data plane. A cancelled caller hangs up, and waits until the request is ended and logged."""
    connection = InwardConnection("POST", path, headers, body)
    connection.answering = asyncio.ensure_future(data_plane(connection))
    try:
        await asyncio.wait((connection.answering,))
    except asyncio.CancelledError:
        connection.hang_up()
        await asyncio.wait((connection.answering,))
        raise
    if not connection.answering.cancelled():
        connection.answering.result()  # what it raised, if it did
    return connection.answer()
