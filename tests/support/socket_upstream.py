"""A provider's WebSockets on loopback: they do as the query's `do` says, and remember what they saw.

`echo` (else) sends every message back; `early` says something before it is asked; `cut` resets the connection at
the second message; `close` closes at the first with the query's `code` and `reason`; `decline` answers the
handshake with a `status`; `silent` never answers it; `big` sends `size` bytes; `flood` sends a megabyte a message
without end; `openai` and `gemini` speak as those do.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

REALTIME_USAGE: dict[str, Any] = {
    "total_tokens": 330,
    "input_tokens": 200,
    "output_tokens": 130,
    "input_token_details": {
        "text_tokens": 80,
        "audio_tokens": 120,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 24, "audio_tokens": 40},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 100},
}
LIVE_USAGE: dict[str, Any] = {
    "promptTokenCount": 100,
    "responseTokenCount": 50,
    "totalTokenCount": 150,
    "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 60}, {"modality": "TEXT", "tokenCount": 40}],
    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
}


@dataclass
class Seen:
    """A handshake as it arrived, and the end that it came to."""

    target: str
    headers: dict[str, str]
    received: list[str | bytes] = field(default_factory=list)
    close_code: int | None = None
    close_reason: str | None = None
    sent: int = 0  # messages, by `flood`
    ended: threading.Event = field(default_factory=threading.Event)


class SocketUpstream:
    """The running upstream."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._arrived = threading.Condition()
        self._stop = asyncio.Event()

    @property
    def url(self) -> str:
        """Its base, as HTTP has it."""
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, mark: str, timeout: float = 60) -> Seen:
        """The last handshake whose target has that mark, once there is one."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: any(mark in one.target for one in self.seen), timeout), mark
            return [one for one in self.seen if mark in one.target][-1]

    def run(self, ready: threading.Event) -> None:
        """Serve until `stop`."""
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    def stop(self) -> None:
        """From another thread."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, ready: threading.Event) -> None:
        server: Server
        async with serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._shake_hands,
            subprotocols=["realtime", "chat"],  # type: ignore[list-item]
            select_subprotocol=lambda _, offered: next((one for one in offered if one == "realtime"), None),
            max_size=64 << 20,
            ping_interval=None,
            close_timeout=2,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            ready.set()
            await self._stop.wait()

    async def _shake_hands(self, connection: ServerConnection, request: Request) -> Response | None:
        seen = Seen(request.path, {name.lower(): value for name, value in request.headers.raw_items()})
        connection.seen = seen  # type: ignore[attr-defined]
        asked = _asked(request.path)
        with self._arrived:
            self.seen.append(seen)
            self._arrived.notify_all()
        if asked.get("do") == "decline":
            headers = Headers({"content-type": "application/json", "x-request-id": "abc"})
            body = json.dumps({"error": {"message": "Incorrect API key provided"}}).encode()
            return Response(int(asked["status"]), "Declined", headers, body)
        if asked.get("do") == "silent":
            await asyncio.sleep(600)
        return None

    async def _converse(self, connection: ServerConnection) -> None:
        seen: Seen = connection.seen  # type: ignore[attr-defined]
        assert connection.request is not None
        asked = _asked(connection.request.path)
        behaviour = getattr(self, "_" + asked.get("do", "echo"))
        try:
            await behaviour(connection, seen, asked)
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            received = connection.protocol.close_rcvd
            seen.close_code = None if received is None else received.code
            seen.close_reason = None if received is None else received.reason
            seen.ended.set()

    async def _echo(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        async for message in connection:
            seen.received.append(message)
            await connection.send(message)

    async def _early(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        await connection.send("before you ask")
        await self._echo(connection, seen, asked)

    async def _cut(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        seen.received.append(await connection.recv())
        await connection.send("so far")
        await connection.recv()
        connection.transport.abort()

    async def _close(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        seen.received.append(await connection.recv())
        await connection.close(int(asked["code"]), asked.get("reason", ""))

    async def _big(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        await connection.send(b"\x00" * int(asked["size"]))
        await self._echo(connection, seen, asked)

    async def _flood(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        while True:
            await connection.send(b"\x00" * (1 << 20))
            seen.sent += 1

    async def _openai(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        await _tell(connection, "session.created", session={"type": "realtime", "model": "gpt-realtime"})
        async for message in connection:
            seen.received.append(message)
            event = json.loads(message)
            if event["type"] == "session.update":
                await _tell(connection, "session.updated", session={"type": "realtime", **event["session"]})
            if event["type"] == "response.create":
                if event.get("parallel"):
                    await _tell(connection, "response.created", response={"id": "resp_0", "status": "in_progress"})
                await _tell(connection, "response.created", response={"id": "resp_1", "status": "in_progress"})
                await _tell(connection, "response.output_audio.delta", delta="UklGRg" * 100)
                if event.get("unfinished"):
                    continue
                response = {"id": "resp_1", "object": "realtime.response", "status": "completed", "output": []}
                used = {} if event.get("silent") else {"usage": REALTIME_USAGE}
                await _tell(connection, "response.done", response=response | used)

    async def _gemini(self, connection: ServerConnection, seen: Seen, asked: dict[str, str]) -> None:
        async for message in connection:
            seen.received.append(message)
            if "setup" in json.loads(message):
                await connection.send(b'{"setupComplete":{}}')
                continue
            part = {"inlineData": {"mimeType": "audio/pcm", "data": "AAAA"}}
            for answer in (
                {"serverContent": {"modelTurn": {"parts": [part]}}},
                {"serverContent": {"turnComplete": True}, "usageMetadata": LIVE_USAGE},
            ):
                await connection.send(json.dumps(answer, indent=1).encode())


async def _tell(connection: ServerConnection, kind: str, **more: Any) -> None:
    await connection.send(json.dumps({"type": kind, "event_id": "event_1", **more}))


def _asked(target: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(target).query).items()}


@contextmanager
def running_socket_upstream() -> Iterator[SocketUpstream]:
    """The upstream in a thread of its own."""
    upstream = SocketUpstream()
    ready = threading.Event()
    thread = threading.Thread(target=upstream.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield upstream
    finally:
        upstream.stop()
        thread.join(30)
