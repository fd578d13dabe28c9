"""Identifiers: UUIDv7 (RFC 9562), whose order is the order of time."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_GATEWAY = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)*")
MAX_GATEWAY_ID = 64
_POOL_BYTES = 2048


class Uuid7:
    """Makes UUIDv7s as 16 bytes, strictly increasing within one maker.

    Layout: 48 bits of Unix time in ms, version, a 12-bit counter that starts again each millisecond
    (RFC 9562, section 6.2, method 1), variant, 62 random bits. When a millisecond holds more than 4096 ids,
    or the clock steps back, the time of the last id is kept and advanced instead.
    """

    __slots__ = ("_counter", "_entropy", "_ms", "_now_ms", "_pool", "_used")

    def __init__(self, now_ms: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        self._now_ms = now_ms
        self._entropy = entropy
        self._ms = 0
        self._counter = 0
        self._pool = b""
        self._used = 0

    def __call__(self) -> bytes:
        ms = self._now_ms()
        if ms > self._ms:
            self._ms, self._counter = ms, 0
        else:
            self._counter += 1
            if self._counter > 0xFFF:
                self._ms, self._counter = self._ms + 1, 0
        if self._used >= len(self._pool):  # many ids' worth at once: a system call each would be half the cost
            self._pool, self._used = self._entropy(_POOL_BYTES), 0
        tail = int.from_bytes(self._pool[self._used : self._used + 8]) & 0x3FFF_FFFF_FFFF_FFFF
        self._used += 8
        head = (self._ms << 16) | 0x7000 | self._counter
        return ((head << 64) | 0x8000_0000_0000_0000 | tail).to_bytes(16)


def to_text(identifier: bytes) -> str:
    """The lower-case text with dashes that the API shows, of 16 bytes."""
    digits = identifier.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def from_text(text: str) -> bytes | None:
    """The 16 bytes of an id in text, or None where the text is no UUID in its usual form."""
    if len(text) != 36:  # UUID() also takes braces, urn: and missing dashes; the API does not
        return None
    try:
        return UUID(text).bytes
    except ValueError:
        return None


def time_ms(identifier: bytes) -> int:
    """When a UUIDv7 was made, in Unix ms."""
    return int.from_bytes(identifier[:6])


def first_at(ms: int) -> bytes:
    """The lowest id that a millisecond can have: ids at or above it were made then or later."""
    clamped = min(max(ms, 0), 0xFFFF_FFFF_FFFF)
    return clamped.to_bytes(6) + bytes(10)


def is_account_id(text: str) -> bool:
    """Whether the text has the form of an account id: 32 lower-case hex digits."""
    return _ACCOUNT.fullmatch(text) is not None


def is_gateway_id(text: str) -> bool:
    """Whether the text has the form of a gateway id (contract 1.5)."""
    return len(text) <= MAX_GATEWAY_ID and _GATEWAY.fullmatch(text) is not None
