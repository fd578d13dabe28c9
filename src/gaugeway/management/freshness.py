"""Logs are written behind the request's back: whoever asks about them first waits, and is told what is missing."""

from __future__ import annotations

from typing import Any

from gaugeway.core.model import Gateway
from gaugeway.core.ports import LogSink, LogStore
from gaugeway.management.envelope import LOGS_REFUSED, UNAVAILABLE, ApiError

READ_TIMEOUT_S = 5.0
DELETE_TIMEOUT_S = 5.0
FULL_TIMEOUT_S = 1.5  # where it is known already that there is no room; the recorder tries once a second
BEHIND: dict[str, Any] = {
    "code": UNAVAILABLE,
    "message": "The log writer is behind: the newest logs may be missing from this answer",
}
BEHIND_DELETION = "The log writer is behind, so some logs cannot be deleted yet: try again"
SURVIVORS: dict[str, Any] = {
    "code": UNAVAILABLE,
    "message": "There was no room to write the newest logs, so this deletion has not seen them:"
    " they are written now, as far as it has made room",
}


async def catch_up(sink: LogSink) -> list[dict[str, Any]]:
    """Wait briefly until everything logged so far can be read; what to tell the caller where it cannot yet."""
    return [] if await sink.flush(timeout_s=READ_TIMEOUT_S) else [BEHIND]


async def catch_up_or_refuse(sink: LogSink) -> None:
    """Wait until everything logged so far can be deleted; else 503, since some would survive the deletion."""
    if not await sink.flush(timeout_s=DELETE_TIMEOUT_S):
        raise ApiError(503, UNAVAILABLE, BEHIND_DELETION)


async def catch_up_or_make_room(sink: LogSink) -> list[dict[str, Any]]:
    """The same; but where room is missing, deleting what is there comes first. What to tell the caller then."""
    if await sink.flush(timeout_s=FULL_TIMEOUT_S if sink.is_full() else DELETE_TIMEOUT_S):
        return []
    if sink.is_full():
        return [SURVIVORS]
    raise ApiError(503, UNAVAILABLE, BEHIND_DELETION)


def refused_logs(logs: LogStore, gateway: Gateway) -> list[dict[str, Any]]:
    """What to tell the caller of a gateway that is full and keeps no more logs."""
    refused = logs.refused(gateway.scope) if gateway.log_management_strategy == "STOP_INSERTING" else 0
    if not refused:
        return []
    limit = gateway.log_management
    message = f"{refused} logs were not kept: log_management is {limit} and the strategy is STOP_INSERTING"
    return [{"code": LOGS_REFUSED, "message": message}]
