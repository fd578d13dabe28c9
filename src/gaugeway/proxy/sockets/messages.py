"""The universal protocol's messages, read and written (contract 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

CREATE = "universal.create"
MAX_EVENT_ID = 512


class BadMessage(Exception):
    """A message that is no request; with its event id, where that could be read."""

    def __init__(self, message: str, event_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.event_id = event_id


class Asked(Struct, frozen=True):
    """A message that asks for something."""

    event_id: str | None
    body: bytes  # as the universal endpoint takes it


class _Message(Struct, forbid_unknown_fields=True):
    type: str
    request: Raw | UnsetType = UNSET
    event_id: Any = msgspec.field(default=None, name="eventId")


_message = msgspec.json.Decoder(_Message)
_step = msgspec.json.Decoder(dict[str, Raw])
_steps = msgspec.json.Decoder(list[dict[str, Raw]])


def read_message(message: bytes, *, is_text: bool) -> Asked:
    """A `universal.create`: one step or a list of them. Raises BadMessage."""
    if not is_text:
        raise BadMessage("Expected a text frame of JSON, not a binary one")
    try:
        read = _message.decode(message)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise BadMessage(f"Expected a JSON object of type and request: {problem}") from None
    event_id = _checked(read.event_id)
    if read.type != CREATE:
        raise BadMessage(f"type: expected {CREATE!r}, not {read.type[:64]!r}", event_id)
    if read.request is UNSET:
        raise BadMessage(
            "request: expected a step {provider, endpoint, query, headers}, or a list of them", event_id
        )
    try:
        is_list = bytes(read.request).lstrip()[:1] == b"["
        steps = _steps.decode(read.request) if is_list else [_step.decode(read.request)]
        for step in steps:
            if (raw := step.pop("eventId", None)) is not None:
                event_id = event_id or _checked(msgspec.json.decode(raw))
        return Asked(event_id, msgspec.json.encode(steps))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise BadMessage(f"request: expected a step, or a list of steps: {problem}", event_id) from None


def _checked(event_id: object) -> str | None:
    if event_id is None:
        return None
    if not isinstance(event_id, str) or not 0 < len(event_id) <= MAX_EVENT_ID or not event_id.isprintable():
        raise BadMessage(f"eventId: expected 1 to {MAX_EVENT_ID} printable characters")
    return event_id


def as_json(body: bytes) -> bytes | None:
    """The bytes where they are JSON that a text frame can carry."""
    try:
        body.decode()
        msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return None
    return body.strip()


class Events:
    """A server-sent event stream, taken apart as it comes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = b""

    def feed(self, piece: bytes) -> Iterator[tuple[str, bytes]]:
        """The name ("" where it has none) and data of what is whole. Raises ValueError over the limit."""
        text = self._left + piece
        if b"\r" in text:
            hold = b"\r" if text.endswith(b"\r") else b""  # a line feed may follow
            text = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + hold
        *events, self._left = text.split(b"\n\n")
        if len(self._left) > self._limit:
            raise ValueError("an event of the stream is too long")
        for event in events:
            yield from _event(event)

    def end(self) -> Iterator[tuple[str, bytes]]:
        """What is left at the end: some servers spare the last empty line."""
        left, self._left = self._left, b""
        yield from _event(left.replace(b"\r", b"\n"))


def _event(event: bytes) -> Iterator[tuple[str, bytes]]:
    name = ""
    data: list[bytes] = []
    for line in event.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("latin-1")
    if data:
        yield name, b"\n".join(data)
