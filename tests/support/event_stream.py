"""AWS's framing of streams, written: what `providers/formats/event_stream.py` reads."""

from __future__ import annotations

import base64
import json
from typing import Any
from zlib import crc32


def framed(headers: dict[str, str], payload: bytes) -> bytes:
    """One message."""
    head = b"".join(
        bytes((len(name.encode()),))
        + name.encode()
        + b"\x07"
        + len(value.encode()).to_bytes(2, "big")
        + value.encode()
        for name, value in headers.items()
    )
    prelude = (16 + len(head) + len(payload)).to_bytes(4, "big") + len(head).to_bytes(4, "big")
    message = prelude + crc32(prelude).to_bytes(4, "big") + head + payload
    return message + crc32(message).to_bytes(4, "big")


def event(name: str, fields: dict[str, Any]) -> bytes:
    """An event, as ConverseStream sends them: padded with `p` so that lengths tell nothing."""
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return framed(headers, json.dumps(fields | {"p": "abcdefgh"}, separators=(",", ":")).encode())


def failure(name: str, message: str) -> bytes:
    """An error in mid-stream."""
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return framed(headers, json.dumps({"message": message}).encode())


def wrapped(fields: dict[str, Any]) -> bytes:
    """A model's own event, as InvokeModelWithResponseStream sends it."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(fields).encode()).decode()})
