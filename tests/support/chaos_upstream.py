"""A provider on loopback that fails on demand: each request says how its attempts shall go.

The body's `chaos` lists one behaviour an attempt, the last one for all that follow; `name` tells requests apart.
Behaviours are the methods below with dashes for underscores, or a status with headers: `429;retry-after=2`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections import Counter
from typing import Any

from support.upstream import (
    USAGE,
    WORDS,
    Seen,
    Upstream,
    _chunk,
    _send,
    _send_json,
    _send_stream,
    _stream_head,
    completion,
    event,
)


class ChaosUpstream(Upstream):
    """The running upstream; `attempts` counts the requests of each name."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: Counter[str] = Counter()

    def of(self, name: str) -> list[Seen]:
        """The attempts of a name, in order."""
        return [seen for seen in list(self.seen) if seen.body and seen.json.get("name") == name]

    async def _answer(self, seen: Seen, writer: asyncio.StreamWriter) -> bool:
        asked = json.loads(seen.body)
        planned, name = asked["chaos"], asked["name"]
        turn = planned[min(self.attempts[name], len(planned) - 1)]
        self.attempts[name] += 1
        word, *headers = turn.split(";")
        if word.isdigit():
            lines = "".join(f"{key}: {value}\r\n" for key, _, value in (item.partition("=") for item in headers))
            body = json.dumps({"error": {"message": f"as planned, attempt {self.attempts[name]}"}}).encode()
            return await _send(writer, int(word), "application/json", body, lines)
        behaviour, _, argument = word.partition(":")
        return await getattr(self, "_" + behaviour.replace("-", "_"))(asked, writer, argument)

    async def _ok(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        if asked.get("stream"):
            return await _send_stream(writer, asked)
        return await _send_json(writer, completion(str(asked.get("model", "ok"))))

    async def _charged(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        """An error that was billed, as it says itself."""
        error = {"error": {"message": "failed in the end"}, "model": asked.get("model"), "usage": USAGE}
        return await _send_json(writer, error, 500)

    async def _late(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await asyncio.sleep(float(argument))
        return await self._ok(asked, writer, "")

    async def _hang(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await asyncio.sleep(3600)
        return False

    async def _hang_after_head(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        await asyncio.sleep(3600)
        return False

    async def _hang_mid(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        await asyncio.sleep(3600)
        return False

    async def _hang_in_error(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(b"HTTP/1.1 503 X\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        await asyncio.sleep(3600)
        return False

    async def _close(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _send_part_of_head(writer)
        return False

    async def _reset(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _send_part_of_head(writer)
        _reset(writer)
        return False

    async def _reset_mid(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        await asyncio.sleep(0.2)  # what was sent must be read before the reset throws it away
        _reset(writer)
        return False

    async def _cut(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        for word in WORDS[:3]:
            await _chunk(writer, event(word))
        return False

    async def _error_last(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        return await _send_properly(writer, event(WORDS[0]), b'data: {"error": {"message": "overloaded"}}\n\n')

    async def _stop_early(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        return await _send_properly(writer, event(WORDS[0]))

    async def _cut_after_head(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        return False

    async def _half_closed(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        writer.write_eof()
        await asyncio.sleep(3600)
        return False

    async def _half_closed_early(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _send_part_of_head(writer)
        writer.write_eof()
        await asyncio.sleep(3600)
        return False

    async def _bad_length(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1x\r\n\r\n{}")
        await writer.drain()
        return False

    async def _two_lengths(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        )
        await writer.drain()
        return False

    async def _endless_head(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(3600):
            writer.write(b"x-filler: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.1)
        return False

    async def _garbage(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(b"I do not speak HTTP\r\n\r\n")
        await writer.drain()
        return False

    async def _garbage_mid(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        writer.write(b"this is no chunk\r\n")
        await writer.drain()
        return False

    async def _drip(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        return await _send_stream(writer, asked, repeat=8, pause=0.25)

    async def _too_short(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        body = json.dumps(completion("short")).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % (len(body) + 50) + body)
        await writer.drain()
        return False

    async def _too_long(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        body = json.dumps(completion("long")).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(body) + body + b"and more than was said")
        await writer.drain()
        return False

    async def _big_head(self, asked: dict[str, Any], writer: asyncio.StreamWriter, argument: str) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"x-filler: %b\r\n" % (b"y" * 1000) * 200 + b"\r\n")
        await writer.drain()
        return False


async def _send_properly(writer: asyncio.StreamWriter, *pieces: bytes) -> bool:
    """As HTTP has it: with the chunk that says that it is over."""
    await _stream_head(writer)
    for piece in pieces:
        await _chunk(writer, piece)
    await _chunk(writer, b"")
    return True


async def _send_part_of_head(writer: asyncio.StreamWriter) -> None:
    """A used connection that is closed without one byte may have been idle: connectors send again then."""
    writer.write(b"HTTP/1.1 200 O")
    await writer.drain()
    await asyncio.sleep(0.05)


def _reset(writer: asyncio.StreamWriter) -> None:
    plug = writer.get_extra_info("socket")
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
