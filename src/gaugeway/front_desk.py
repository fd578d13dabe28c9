"""The front desk of a server process: who answers what is not the data plane, and whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from gaugeway.dashboard.pages import Pages
from gaugeway.recorder.client import RecorderClient
from gaugeway.recorder.losses import JournalOfLosses

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class FrontDesk:
    """What is not the data plane: health, Evals with their files, the dashboard's pages, the management API."""

    def __init__(
        self,
        *,
        management: Any,
        evals: Any,
        files: Any,
        pages: Pages,
        sink: RecorderClient,
        losses: JournalOfLosses,
        data: Path,
    ) -> None:
        self._data = data
        self._folder = data.stat()
        self._management = management
        self._evals = evals
        self._files = files
        self._pages = pages
        self._sink = sink
        self._losses = losses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path = scope["path"]
        if path == "/healthz":
            await _answer(send, 200, b'{"status":"ok"}')
        elif path == "/readyz":
            await self._tell_ready(send)
        elif path.startswith("/v1/evals"):
            await self._evals(scope, receive, send)
        elif path.startswith("/v1/files"):
            await self._files(scope, receive, send)
        elif self._pages.owns(path):
            await self._pages(scope, receive, send)
        else:
            await self._management(scope, receive, send)

    async def _tell_ready(self, send: Send) -> None:
        """Whether logs get through, and how many did not."""
        state = self._sink.state()
        trouble = await asyncio.to_thread(self._missing_folder) or state.trouble
        told = {
            "ready": state.connected and trouble is None,
            "trouble": trouble,
            "logs_held_bytes": state.held_bytes,
            "logs_unacknowledged": state.unacknowledged,
            "logs_without_bodies": state.bodies_lost,
            "logs_lost_since_start": state.lost,
            "logs_lost_ever": await asyncio.to_thread(self._losses.total),
        }
        await _answer(send, 200 if told["ready"] else 503, msgspec.json.encode(told))

    def _missing_folder(self) -> str | None:
        """What is wrong with the data folder's place; None where it is the one that was opened."""
        try:
            found = self._data.stat()
        except OSError as problem:
            return f"the data folder {self._data} is gone: {problem.strerror}"
        if (found.st_dev, found.st_ino) != (self._folder.st_dev, self._folder.st_ino):
            return f"the data folder {self._data} is another one than this process opened: restart it"
        return None


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
