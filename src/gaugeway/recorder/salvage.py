"""What remains of a log that cannot be encoded, decoded or stored as it is: a log that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from gaugeway.core.model import Logged, LogRecord, Outcome

_decode_loose = msgspec.msgpack.Decoder().decode
_decode_record = msgspec.msgpack.Decoder(LogRecord).decode
_unchecked: Callable[..., LogRecord] = LogRecord
_encode = msgspec.msgpack.Encoder().encode
BAD_DATA = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, LookupError, RecursionError)
"""What encoding and decoding raise because of the data in hand."""


def describe(problem: Exception) -> str:
    """The problem in words. Never its repr, which may hold a whole logged text."""
    return f"{type(problem).__name__}: {problem}"[:400].encode(errors="replace").decode()


def stand_in(logged: Logged, problem: Exception) -> Logged | None:
    """A bare log of the same id that names the problem, or None where not even that can be made."""
    record = logged.record
    fields: dict[str, object] = {
        "account_id": record.account_id,
        "gateway_id": record.gateway_id,
        "id": record.id,
        "provider": record.provider,
        "outcome": record.outcome,
        "duration": record.duration,
        "status_code": record.status_code,
    }
    return _bare(fields, problem)


def stand_in_for_bytes(encoded: bytes | bytearray | memoryview, problem: Exception) -> Logged | None:
    """The same for a log that cannot be decoded."""
    try:
        loose: Any = _decode_loose(encoded)
        values = cast("list[object]", loose[0])  # in the order of the record's fields
        return _bare(dict(zip(LogRecord.__struct_fields__, values, strict=False)), problem)
    except BAD_DATA:
        return None


def _bare(fields: dict[str, object], problem: Exception) -> Logged | None:
    """Only what names the log and how it ended; each field only where it is sound."""
    sound: dict[str, Any] = {
        "account_id": fields.get("account_id"),
        "gateway_id": fields.get("gateway_id"),
        "id": fields.get("id"),
        "provider": _sound_text(fields.get("provider")),
        "outcome": fields.get("outcome"),
        "duration": _sound_int(fields.get("duration")) or 0,
        "status_code": _sound_int(fields.get("status_code")),
        "bodies_lost": True,
        "cost_reason": "the log could not be stored whole",
        "error": f"this log could not be stored whole: {describe(problem)}",
    }
    for outcome in (sound["outcome"], Outcome.INTERNAL_ERROR):
        try:
            record = _decode_record(_encode(_unchecked(**{**sound, "outcome": outcome})))  # decoding checks types
        except BAD_DATA:
            continue
        return Logged(record) if len(record.id) == 16 else None
    return None


def _sound_text(value: object) -> str:
    return value.encode(errors="replace").decode() if isinstance(value, str) else "unknown"


def _sound_int(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**31 else None
