"""Server-sent events (WHATWG HTML, 9.2), read from their end: only the few that can hold usage are parsed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

MAX_PARSED = 32
"""Events that are parsed in search of usage. Real streams have it in the first such event from the end."""
MAX_SEEN = 4096
"""Places that are looked at. Some providers write `"usage":null` into each chunk but the last."""
MAX_OPENING = 4
"""Events at the start that are parsed in search of what a stream says only there."""

_NULL = re.compile(rb"\s*:\s*null")
_DATA = re.compile(rb"^data:", re.MULTILINE)


class Candidate(Struct, frozen=True):
    """Something that may be a JSON document with usage."""

    document: bytes
    fragment: bytes  # the same from the marker on; for when the document's beginning is missing


def normalised(body: bytes) -> bytes:
    """The stream with line feeds where it uses lone carriage returns, which the standard allows."""
    return body.replace(b"\r", b"\n") if b"\n" not in body and b"\r" in body else body


def candidates(body: bytes, markers: tuple[bytes, ...]) -> Iterator[Candidate]:
    """What may hold usage, last first."""
    end = len(body)
    parsed = 0
    for _ in range(MAX_SEEN):
        marker, at = _last(body, markers, end)
        if at < 0 or parsed >= MAX_PARSED:
            return
        if _NULL.match(body, at + len(marker)):
            end = at
            continue
        parsed += 1
        start = body.rfind(b"\n", 0, at) + 1
        stop = body.find(b"\n", at)
        stop = len(body) if stop < 0 else stop
        fragment = body[at:stop]
        if body.startswith(b"data:", start):
            yield Candidate(body[start + 5 : stop], fragment)
            first, whole = _event_around(body, start, stop)
            if whole:
                yield Candidate(whole, fragment)
            end = min(start, first)
        else:
            yield Candidate(b"", fragment)
            end = at


def opening(body: bytes) -> Iterator[bytes]:
    """The data of the first few events."""
    at = 0
    for _ in range(MAX_OPENING):
        found = _DATA.search(body, at)
        if found is None:
            return
        stop = body.find(b"\n", found.end())
        at = len(body) if stop < 0 else stop
        yield body[found.end() : at]


def _last(body: bytes, markers: tuple[bytes, ...], end: int) -> tuple[bytes, int]:
    marker, at = markers[0], body.rfind(markers[0], 0, end)
    for other in markers[1:]:
        place = body.rfind(other, 0, end)
        if place > at:
            marker, at = other, place
    return marker, at


def _event_around(body: bytes, start: int, stop: int) -> tuple[int, bytes]:
    """Where the event begins that a data line lies in, and its data if that has several lines."""
    first, last = start, stop
    while first > 0:
        before = body.rfind(b"\n", 0, first - 1) + 1
        if not body[before:first].strip():
            break
        first = before
    while last < len(body):
        after = body.find(b"\n", last + 1)
        after = len(body) if after < 0 else after
        if not body[last:after].strip():
            break
        last = after
    lines = [line[5:] for line in body[first:last].splitlines() if line.startswith(b"data:")]
    return first, b"\n".join(lines) if len(lines) > 1 else b""
