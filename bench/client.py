"""A small HTTP/1.1 client for measuring: one connection, one request at a time, times what it sees."""

from __future__ import annotations

import asyncio
from time import perf_counter


class Connection:
    """A kept-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> float:
        """Send a request and read its answer (with Content-Length); seconds it took."""
        began = perf_counter()
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        position = head.lower().index(b"content-length:") + 15
        await self.reader.readexactly(int(head[position : head.index(b"\r\n", position)]))
        return perf_counter() - began


async def connect(port: int) -> Connection:
    """Connect on loopback."""
    return Connection(*await asyncio.open_connection("127.0.0.1", port))


def request_bytes(path: str, headers: dict[str, str], body: bytes) -> bytes:
    """A POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
