"""Logs are written behind the request's back; whoever asks about them first waits until they are."""

from __future__ import annotations

from typing import Any

from gaugeway.core.ports import LogSink
from gaugeway.management.envelope import UNAVAILABLE, ApiError

READ_TIMEOUT_S = 1.0
DELETE_TIMEOUT_S = 5.0
BEHIND: dict[str, Any] = {
    "code": UNAVAILABLE,
    "message": "The log writer is behind: the newest logs may be missing from this answer",
}


async def catch_up(sink: LogSink) -> list[dict[str, Any]]:
    """Wait briefly until everything logged so far can be read; what to tell the caller where it cannot yet."""
    return [] if await sink.flush(timeout_s=READ_TIMEOUT_S) else [BEHIND]


async def catch_up_or_refuse(sink: LogSink) -> None:
    """Wait until everything logged so far can be deleted; else 503, since some would survive the deletion."""
    if not await sink.flush(timeout_s=DELETE_TIMEOUT_S):
        raise ApiError(503, UNAVAILABLE, "The log writer is behind, so some logs cannot be deleted yet: try again")
