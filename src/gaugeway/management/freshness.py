"""Logs are written behind the request's back: whoever asks about them first waits, and is told what is missing."""

from __future__ import annotations

from typing import Any

from gaugeway.core.model import Gateway
from gaugeway.core.ports import LogSink, LogStore
from gaugeway.management.envelope import LOGS_REFUSED, UNAVAILABLE, ApiError

READ_TIMEOUT_S = 5.0
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


def refused_logs(logs: LogStore, gateway: Gateway) -> list[dict[str, Any]]:
    """What to tell the caller of a gateway that is full and keeps no more logs."""
    refused = logs.refused(gateway.scope) if gateway.log_management_strategy == "STOP_INSERTING" else 0
    if not refused:
        return []
    limit = gateway.log_management
    message = f"{refused} logs were not kept: log_management is {limit} and the strategy is STOP_INSERTING"
    return [{"code": LOGS_REFUSED, "message": message}]
