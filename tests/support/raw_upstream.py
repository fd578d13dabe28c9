"""A loopback server that plays back bytes: what an upstream sends is exactly what a test wrote down."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

HOST = "127.0.0.1"


class Gone(Exception):
    """The client closed the connection."""


class Asked(bytes):
    """A request as it came, head and body."""

    @property
    def head(self) -> bytes:
        return self.partition(b"\r\n\r\n")[0]

    @property
    def line(self) -> bytes:
        return self.partition(b"\r\n")[0]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        pairs = (line.partition(b":") for line in self.head.split(b"\r\n")[1:])
        return [(name, value.strip()) for name, _, value in pairs]

    @property
    def body(self) -> bytes:
        return self.partition(b"\r\n\r\n")[2]


class Peer:
    """The upstream's end of one connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: list[Asked] | None = None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._asked = [] if asked is None else asked

    async def request(self, *, body: bool = True) -> Asked:
        """The next request; Gone where there is none. `body` False leaves the body in the socket."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
            asked = Asked(head)
            length = next((int(v) for n, v in asked.headers if n.lower() == b"content-length"), 0)
            if body:
                asked = Asked(head + await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError) as problem:
            raise Gone from problem
        self._asked.append(asked)
        return asked

    async def some(self, most: int) -> bytes:
        """Whatever has come, at least one byte and at most that many; Gone where no more comes."""
        data = await self._reader.read(most)
        if not data:
            raise Gone
        return data

    async def send(self, *parts: bytes) -> None:
        """Write the parts one after the other, each with time for the client to read it."""
        for part in parts:
            self._writer.write(part)
            try:
                await self._writer.drain()
            except ConnectionError as problem:
                raise Gone from problem
            for _ in range(3):
                await asyncio.sleep(0)

    async def closed(self) -> None:
        """Wait until the client has closed the connection; what it still sends is thrown away."""
        try:
            while await self._reader.read(65536):
                pass
        except ConnectionError:
            pass

    def hang_up(self) -> None:
        """Close: FIN, over TLS after close_notify."""
        self._writer.close()

    def cut(self) -> None:
        """Close the socket at once: over TLS without close_notify."""
        self._writer.transport.abort()

    def reset(self) -> None:
        """Close with RST."""
        plug = self._writer.get_extra_info("socket")
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


class RawUpstream:
    """What has happened at the upstream so far."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.accepted = 0
        self.asked: list[Asked] = []


@asynccontextmanager
async def raw_upstream(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawUpstream]:
    """Serve every connection with `script`; what goes wrong in it comes out at the end of the block."""
    problems: list[BaseException] = []
    running: set[asyncio.Task[None]] = set()
    upstream = RawUpstream(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        upstream.accepted += 1
        try:
            await script(Peer(reader, writer, upstream.asked))
        except (Gone, asyncio.CancelledError):
            pass
        except BaseException as problem:
            problems.append(problem)
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, HOST, 0, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in running:
            task.cancel()
        while running:
            await asyncio.sleep(0)
    if problems:
        raise problems[0]


def answers(*each: bytes | tuple[bytes, ...]) -> Script:
    """Each connection answers its requests with these, in turn, the last again and again."""

    async def script(peer: Peer) -> None:
        turn = 0
        while True:
            await peer.request()
            answer = each[min(turn, len(each) - 1)]
            await peer.send(*((answer,) if isinstance(answer, bytes) else answer))
            turn += 1

    return script


def answers_and_closes(*parts: bytes) -> Script:
    """Each connection answers one request with these parts, and hangs up."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(*parts)
        peer.hang_up()

    return script
