"""A provider on loopback whose answers are as large as asked for, in every kind of framing.

Models: `<how>:<size>`; `how` is `sized` (with its length), `chunks` (of odd sizes), `close` (without a length), or
`part` and `part-chunks` (broken off after about half).
"""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import Any

from support.upstream import Seen, Upstream, _chunk, _send, _stream_head

KIND = "application/octet-stream"


LARGEST = 8 * 1024 * 1024
_LONGEST = random.Random(LARGEST).randbytes(LARGEST)


def bulk(size: int) -> bytes:
    """The body of that size."""
    return _LONGEST[:size]


def _pieces(body: bytes) -> list[bytes]:
    """The body in up to 40 pieces, the same each time."""
    places = random.Random(len(body)).choices(range(len(body) + 1), k=39)
    edges = sorted({0, len(body), *places})
    return [body[start:end] for start, end in pairwise(edges)]


class BulkUpstream(Upstream):
    """The running upstream."""

    async def _sized(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send(writer, 200, KIND, bulk(_size(asked)))

    async def _chunks(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await _stream_head(writer, KIND.encode())
        for piece in _pieces(bulk(_size(asked))):
            await _chunk(writer, piece)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _close(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\n\r\n" % KIND.encode() + bulk(_size(asked)))
        await writer.drain()
        return False

    async def _part(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = bulk(_size(asked))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n" % (KIND.encode(), len(body))
        writer.write(head + body[: len(body) // 2])
        await writer.drain()
        return False

    async def _part_chunks(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await _stream_head(writer, KIND.encode())
        pieces = _pieces(bulk(_size(asked)))
        for piece in pieces[: len(pieces) // 2]:
            await _chunk(writer, piece)
        return False


def _size(asked: dict[str, Any]) -> int:
    return int(str(asked["model"]).partition(":")[2])
