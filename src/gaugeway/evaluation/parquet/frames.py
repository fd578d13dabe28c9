"""What the process that reads a file tells whoever started it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import msgspec
from msgspec import Struct, field

MAX_FRAME = 1024 * 1024 * 1024


class Frame(Struct, omit_defaults=True):
    """Some lines, or what is wrong, or that this was all."""

    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    problem: str = ""
    path: list[str | int] = field(default_factory=list[str | int])
    ended: bool = False


class CutShort(Exception):
    """It ended before it said so."""


def pack(frame: Frame) -> bytes:
    """A frame as it goes out."""
    body = msgspec.msgpack.encode(frame)
    return len(body).to_bytes(4) + body


def frames(source: IO[bytes]) -> Iterator[tuple[Frame, int]]:
    """Each frame with its size, up to the one that is the last; CutShort where that never came."""
    while True:
        size = int.from_bytes(_exactly(source, 4))
        if size > MAX_FRAME:
            raise CutShort
        frame = msgspec.msgpack.decode(_exactly(source, size), type=Frame)
        yield frame, size
        if frame.ended:
            return


def _exactly(source: IO[bytes], size: int) -> bytes:
    found = source.read(size)
    if len(found) < size:
        raise CutShort
    return found
