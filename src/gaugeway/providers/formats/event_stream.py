"""AWS's framing of streams, application/vnd.amazon.eventstream (docs.aws.amazon.com: Amazon Transcribe, "Event
stream encoding"; Smithy's specification of `application/vnd.amazon.eventstream`).

A message is: its length and that of its headers (4 bytes each, big-endian), the CRC-32 of these 8 bytes, the
headers, the payload, the CRC-32 of all before. A header is: a byte of length, the name, a byte of type, the value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import crc32

from msgspec import Struct

from gaugeway.core.errors import ProtocolBroken

CONTENT_TYPE = "application/vnd.amazon.eventstream"
MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of a message, as AWS limits it."""
FIRST, LAST = 4, 32
"""Messages at a stream's two ends that are looked at for its figures."""

_PRELUDE = struct.Struct(">III")
_OVERHEAD = 16
_MARK = b":event-type\x07"
_BEFORE_MARK = 13
"""Bytes of a message before it: the prelude, and the length of the header's name."""
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a value by its type: true, false, byte, short, integer, long, timestamp, uuid."""
_BYTES, _TEXT = 6, 7


class Message(Struct, frozen=True):
    """One message."""

    headers: dict[str, str]  # those that are text
    payload: bytes

    @property
    def event(self) -> str:
        """`:event-type`, or of an exception its name."""
        return self.headers.get(":event-type") or self.headers.get(":exception-type", "")

    @property
    def is_exception(self) -> bool:
        """Whether it is an error in mid-stream."""
        return self.headers.get(":message-type") in ("exception", "error")


class Messages:
    """Takes bytes as they come, gives whole messages. Bounded; raises ProtocolBroken for nonsense."""

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """The messages that are whole now, one by one: those before a broken one are given first."""
        pending = self._pending
        pending += chunk
        while (size := _size_at(pending, 0)) is not None and len(pending) >= size:
            whole = bytes(pending[:size])
            del pending[:size]
            yield read(whole)

    def end(self) -> tuple[Message, ...]:
        """Nothing; raises ProtocolBroken where the stream ended within a message."""
        if self._pending:
            raise ProtocolBroken("The stream ended within a message.")
        return ()


def read(whole: bytes) -> Message:
    """A whole message; raises ProtocolBroken where it is none."""
    size = _size_at(whole, 0)
    if size != len(whole):
        raise ProtocolBroken("A message of the stream is not whole.")
    if crc32(whole[:-4]) != int.from_bytes(whole[-4:], "big"):
        raise ProtocolBroken("A message of the stream was changed on its way: its checksum is wrong.")
    end = 12 + int.from_bytes(whole[4:8], "big")
    return Message(_headers(whole[12:end]), whole[end:-4])


def payloads(body: bytes) -> list[bytes]:
    """The payloads of a stream's first and last messages, as far as they are there; never raises.

    The middle may be missing; where messages begin again is found by their `:event-type` and checked.
    """
    found: dict[int, bytes] = {}
    at = 0
    while len(found) < FIRST and (payload := _payload_at(body, at)) is not None:
        found[at] = payload
        at += int.from_bytes(body[at : at + 4], "big")
    end = len(body)
    for _ in range(LAST):
        mark = body.rfind(_MARK, 0, end)
        if mark < 0:
            break
        end = mark
        at = mark - _BEFORE_MARK
        if at >= 0 and at not in found and (payload := _payload_at(body, at)) is not None:
            found[at] = payload
    return [found[at] for at in sorted(found)]


def all_payloads(body: bytes) -> list[bytes]:
    """The payloads of all messages that are whole, in order; never raises. The middle may be missing."""
    found: list[bytes] = []
    at = 0
    while 0 <= at < len(body):
        payload = _payload_at(body, at)
        if payload is None:
            mark = body.find(_MARK, at + _BEFORE_MARK + 1)
            at = mark - _BEFORE_MARK if mark >= 0 else -1
        else:
            found.append(payload)
            at += int.from_bytes(body[at : at + 4], "big")
    return found


def _payload_at(body: bytes, at: int) -> bytes | None:
    try:
        size = _size_at(body, at)
        return None if size is None else read(body[at : at + size]).payload
    except ProtocolBroken:
        return None


def _size_at(data: bytes | bytearray, at: int) -> int | None:
    """A message's size; None while its first 12 bytes are not all there."""
    if len(data) < at + _PRELUDE.size:
        return None
    size, headers, checksum = _PRELUDE.unpack_from(data, at)
    if crc32(data[at : at + 8]) != checksum or size > MAX_MESSAGE or headers > size - _OVERHEAD:
        raise ProtocolBroken("The stream is not in AWS's framing.")
    return size


def _headers(data: bytes) -> dict[str, str]:
    """The headers that are text; raises ProtocolBroken where they do not fill their place exactly."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            stop = at + 1 + data[at]
            name, kind = data[at + 1 : stop].decode(), data[stop]
            at = stop + 1
            if kind in (_BYTES, _TEXT):
                length = int.from_bytes(data[at : at + 2], "big")
                at += 2
            else:
                length = _FIXED[kind]
            if kind == _TEXT:
                found[name] = data[at : at + length].decode()
            at += length
    except (IndexError, KeyError, UnicodeDecodeError):
        at = -1
    if at != len(data):
        raise ProtocolBroken("A message of the stream has broken headers.")
    return found
