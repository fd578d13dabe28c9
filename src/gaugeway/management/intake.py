"""What every request to the control plane passes on its way in: the last resort, and the body, bounded."""

from __future__ import annotations

import logging
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaugeway.management.envelope import INTERNAL, TOO_LARGE, ApiError, failure

MAX_BODY = 1024 * 1024  # bytes
MAX_ITEMS_BODY = 16 * 1024 * 1024  # of the items of a file that is imported, by path
MAX_FILE_BODY = 64 * 1024 * 1024  # of such a file as Parquet
_IMPORT = re.compile(r"/snapshots/[^/]+/items$")
_IMPORT_FILE = re.compile(r"/snapshots/[^/]+/items/parquet$")
_log = logging.getLogger("gaugeway.management")


class LastResort:
    """ASGI middleware: what nobody foresaw is a 500 to the caller and a traceback to the operator."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer where that fails before an answer began."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception:
            _log.exception("%s %r failed", scope["method"], scope["path"])
            if begun:
                raise
            await failure(ApiError(500, INTERNAL, "Internal server error"))(scope, receive, send)


class Intake:
    """ASGI middleware: reads the body whole; 413 above its limit (16 MiB where items are imported, 64 as Parquet).

    Bodies are JSON whatever their content type says (curl's default calls them a form), unless forms are expected.
    """

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY, *, forms: bool = False) -> None:
        self._app = app
        self._max = max_body
        self._forms = forms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body at hand."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit(scope["path"])
        try:
            body = await _read(scope, receive, limit)
        except _TooLarge:
            error = ApiError(413, TOO_LARGE, f"The body is larger than {limit} bytes")
            await failure(error)(scope, receive, send)
            return
        if body is None:  # hung up half way: what it wanted is not known, so nothing is done
            return
        if body and not self._forms:
            headers = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
            scope = {**scope, "headers": [*headers, (b"content-type", b"application/json")]}
        await self._app(scope, _replay(body, receive), send)

    def _limit(self, path: str) -> int:
        if _IMPORT_FILE.search(path):
            return MAX_FILE_BODY
        return MAX_ITEMS_BODY if _IMPORT.search(path) else self._max


class _TooLarge(Exception):
    pass


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes | None:
    """The whole body; None where the client hung up before its end."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > limit:
        raise _TooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _TooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = True

    async def replayed() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replayed
