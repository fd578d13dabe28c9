"""Server-sent events (WHATWG HTML, 9.2), read from their end: only the few that can hold usage are parsed."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from msgspec import Struct

MAX_PARSED = 32
"""Events that are parsed in search of usage. Real streams have it in the first such event from the end."""
WINDOW = 64 * 1024
"""Bytes from the end within which usage is looked for where `"usage":null` came last. Some providers write that
into each chunk but the last one; in a stream that broke off there may be nothing else."""
MAX_LINES = 256
"""Lines of an event before and after the one in question."""
MAX_SEEN = 64
"""Places at the start that may begin an event."""
MAX_OPENING = 4
"""Events at the start that are parsed in search of what a stream says only there."""

_NULL = re.compile(rb"\s*:\s*null")


class Candidate(Struct, frozen=True):
    """Something that may be a JSON document with usage."""

    document: bytes
    fragment: bytes  # the same from the marker on; for when the document's beginning is missing


def normalised(body: bytes) -> bytes:
    """The stream without byte order mark, and with line feeds where it uses lone carriage returns."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    return body.replace(b"\r", b"\n") if b"\n" not in body and b"\r" in body else body


def candidates(body: bytes, markers: tuple[bytes, ...]) -> Iterator[Candidate]:
    """What may hold usage, last first."""
    done = len(body)  # everything from here on has been seen
    for at in _places(body, markers):
        if at >= done:
            continue
        start = body.rfind(b"\n", 0, at) + 1
        stop = body.find(b"\n", at)
        stop = len(body) if stop < 0 else stop
        done = start
        fragment = body[at:stop]
        if not body.startswith(b"data:", start):
            yield Candidate(b"", fragment)
            continue
        yield Candidate(body[start + 5 : stop], fragment)
        done, whole = _event_around(body, start, stop)
        if whole:
            yield Candidate(whole, fragment)


def _places(body: bytes, markers: tuple[bytes, ...]) -> Iterator[int]:
    """Where a marked key has a value, last first."""
    end = len(body)
    for _ in range(MAX_PARSED):
        marker, at = _last(body, markers, end)
        if at < 0:
            return
        if _NULL.match(body, at + len(marker)):
            valued = re.compile(b"(?:" + b"|".join(markers) + rb")\s*:\s*[{\[]")
            found = valued.finditer(body, max(0, end - WINDOW), end)
            yield from reversed(deque((match.start() for match in found), MAX_PARSED))
            return
        yield at
        end = at


def opening(body: bytes) -> Iterator[bytes]:
    """The data of the first few events."""
    at = 0
    found = 0
    for _ in range(MAX_SEEN):
        at = body.find(b"data:", at)
        if at < 0 or found == MAX_OPENING:
            return
        if at and body[at - 1 : at] != b"\n":
            at += 1
            continue
        found += 1
        stop = body.find(b"\n", at)
        stop = len(body) if stop < 0 else stop
        yield body[at + 5 : stop]
        if body.startswith(b"data:", stop + 1):
            _, whole = _event_around(body, at, stop)
            yield whole
            stop += len(whole)
        at = stop


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
    for _ in range(MAX_LINES):
        before = body.rfind(b"\n", 0, max(0, first - 1)) + 1
        if first == 0 or not body[before:first].strip():
            break
        first = before
    for _ in range(MAX_LINES):
        after = body.find(b"\n", last + 1)
        after = len(body) if after < 0 else after
        if not body[last:after].strip():
            break
        last = after
    lines = [line[5:] for line in body[first:last].splitlines() if line.startswith(b"data:")]
    return first, b"\n".join(lines) if len(lines) > 1 else b""
