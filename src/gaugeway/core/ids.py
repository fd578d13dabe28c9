"""Identifiers: UUIDv7 (RFC 9562), whose order is the order of time."""

from __future__ import annotations

import re
import struct
from binascii import hexlify
from collections.abc import Callable
from uuid import UUID

_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_GATEWAY = re.compile(r"[a-z0-9_]+(?:-[a-z0-9_]+)*")
MAX_GATEWAY_ID = 64
_POOL_BYTES = 2048


class Uuid7:
    """Makes UUIDv7s as 16 bytes, strictly increasing within one maker.

    Layout: 48 bits of Unix time in ms, version, 12 bits of the fraction of that millisecond (RFC 9562, section
    6.2, method 3: steps of 244 ns, so that the ids of several processes stand in the order of time too), variant,
    62 random bits. Where two ids fall into one step, or the clock steps back, the last id's time is advanced by a
    step instead.
    """

    __slots__ = ("_entropy", "_last", "_now_ns", "_tails")

    def __init__(self, now_ns: Callable[[], int], entropy: Callable[[int], bytes]) -> None:
        self._now_ns = now_ns
        self._entropy = entropy
        self._last = 0  # in 4096ths of a millisecond
        self._tails: list[bytes] = []

    def __call__(self) -> bytes:
        self._last = last = max((self._now_ns() << 12) // 1_000_000, self._last + 1)
        if not self._tails:
            self._tails = self._make_tails()
        return ((last >> 12 << 16) | 0x7000 | (last & 0xFFF)).to_bytes(8) + self._tails.pop()

    def _make_tails(self) -> list[bytes]:
        """Variant and random bits of many ids at once: a system call each would be half the cost."""
        pool = self._entropy(_POOL_BYTES)
        return [bytes((0x80 | (pool[at] & 0x3F),)) + pool[at + 1 : at + 8] for at in range(0, _POOL_BYTES, 8)]


def to_text(identifier: bytes) -> str:
    """The lower-case text with dashes that the API shows, of 16 bytes."""
    return to_ascii(identifier).decode()


def to_ascii(identifier: bytes) -> bytes:
    """The same, as it stands in a header."""
    return b"-".join(_parts_of(hexlify(identifier)))


_parts_of = struct.Struct("8s4s4s4s12s").unpack


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
