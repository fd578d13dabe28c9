"""A provider on loopback whose answers try the cache.

Models: `held:<name>` answers once that name is released; `numbered` tells how many requests it has had, as do
`chunked` (in pieces), `until-close` (without a length), `cookie`, `created` (201), `compressed` (gzip); `sized:<n>`
has n bytes; `disguised` is an error under the status 200; `cut-stream` ends its stream without its last event;
`slow-body` begins its answer, and ends it once released.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

from support.upstream import Seen, Upstream, _chunk, _send, _send_json, _stream_head, completion, event


class KeepingUpstream(Upstream):
    """The running upstream."""

    def __init__(self) -> None:
        super().__init__()
        self._events: dict[str, asyncio.Event] = {}

    def release(self, name: str) -> None:
        """Let the answers of that name go."""
        self._loop.call_soon_threadsafe(lambda: self._event(name).set())

    def asked(self, model: str) -> list[Seen]:
        """The requests for a model, in order."""
        return [seen for seen in list(self.seen) if seen.body and seen.json.get("model") == model]

    def _event(self, name: str) -> asyncio.Event:
        return self._events.setdefault(name, asyncio.Event())

    def _numbered_body(self, asked: dict[str, Any]) -> bytes:
        model = str(asked["model"])
        return json.dumps(completion(model) | {"id": f"answer-{len(self.asked(model))}"}).encode()

    async def _held(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = self._numbered_body(asked)
        await self._event(asked["model"]).wait()
        return await _send(writer, 200, "application/json", body)

    async def _held_error(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await self._event(asked["model"]).wait()
        return await _send_json(writer, {"error": {"message": "as asked"}}, 500)

    async def _numbered(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send(writer, 200, "application/json", self._numbered_body(asked))

    async def _cookie(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        more = "set-cookie: session=secret\r\nx-request-id: 7\r\ncf-aig-cache-status: HIT\r\n"
        return await _send(writer, 200, "application/json", self._numbered_body(asked), more)

    async def _created(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send(writer, 201, "application/json", self._numbered_body(asked))

    async def _compressed(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = gzip.compress(self._numbered_body(asked))
        return await _send(writer, 200, "application/json", body, "content-encoding: gzip\r\n")

    async def _disguised(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send_json(writer, {"error": {"message": "not well at all", "code": 502}})

    async def _sized(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        return await _send(writer, 200, "audio/mpeg", b"x" * int(asked["model"].partition(":")[2]))

    async def _chunked(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = self._numbered_body(asked)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 50):
            await _chunk(writer, body[at : at + 50])
            await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _slow_body(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        body = self._numbered_body(asked)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        await _chunk(writer, body[:50])
        await self._event(asked["model"]).wait()
        await _chunk(writer, body[50:])
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _until_close(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + self._numbered_body(asked))
        await writer.drain()
        return False

    async def _cut_stream(self, seen: Seen, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        await _stream_head(writer)
        await _chunk(writer, event("Hello"))
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True
