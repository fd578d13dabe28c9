"""Which segments there are, and which logs have changed since: the tables `segments`, `projected` and `changed`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from gaugeway.stores.sqlite.connection import Connection

FORMAT = 1
"""Of the files. Segments of another format are not read, and made anew."""

Span = tuple[bytes, bytes]
"""Ids from the first on, and before the second."""


class Part(Struct, frozen=True, array_like=True):
    """Where something stands in a segment's file."""

    kind: str  # numpy's name of the items' type; "" for what is packed as MessagePack
    offset: int
    size: int  # bytes; of one item only, where all items are equal
    checksum: int  # CRC-32 of the bytes
    largest: int = 0  # no whole number in it is further from 0


class Segment(Struct, frozen=True):
    """A file of columns."""

    file: str
    gw: int
    low: bytes  # ids from this one on
    high: bytes  # ids before this one
    logs: int
    size: int  # bytes of the file
    parts: dict[str, Part]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Part]).decode


def read(connection: Connection, gw: int) -> list[Segment]:
    """A gateway's segments in the order of their ids, of which each belongs to one of them at most."""
    rows = connection.execute(
        "SELECT file, gw, low, high, logs, bytes, parts FROM segments WHERE gw = ? AND format = ? ORDER BY low",
        (gw, FORMAT),
    ).fetchall()
    return [
        Segment(file, gw, low, high, logs, size, _decode(parts)) for file, gw, low, high, logs, size, parts in rows
    ]


def files(connection: Connection) -> set[str]:
    """The names of all segments' files."""
    return {file for (file,) in connection.execute("SELECT file FROM segments")}


def count_changed(connection: Connection, gw: int, low: bytes, high: bytes) -> int:
    """How many logs in a span of ids have changed since their segment was read."""
    return connection.execute(f"SELECT count(*) {CHANGED}", (gw, low, high)).get


def changed_ids(connection: Connection, gw: int, low: bytes, high: bytes) -> list[bytes]:
    """Their ids, in no order."""
    return [id_ for (id_,) in connection.execute(f"SELECT id {CHANGED}", (gw, low, high)).fetchall()]


CHANGED = "FROM changed WHERE gw = ? AND id >= ? AND id < ?"


def begin(connection: Connection, gw: int, low: bytes, high: bytes, file: str) -> int:
    """Have changes in a span noted from now on, before its logs are read for a file. The era, for `put`."""
    era: int = connection.execute(
        "INSERT INTO projected (gw, high, era) VALUES (?, ?, 0)"
        " ON CONFLICT DO UPDATE SET high = max(high, excluded.high) RETURNING era",
        (gw, high),
    ).get
    connection.execute(
        "UPDATE changed SET file = ? WHERE gw = ? AND id >= ? AND id < ?",
        (file, gw, low, high),
    )
    return era


def put(connection: Connection, segment: Segment, era: int) -> bool:
    """Put a segment in place of those of its span. False where all segments were given up since `begin`.

    What changed before the file was read is in it; what changed since then stays noted.
    """
    gw, low, high = segment.gw, segment.low, segment.high
    if connection.execute("SELECT era FROM projected WHERE gw = ?", (gw,)).get != era:
        return False
    connection.execute("DELETE FROM segments WHERE gw = ? AND low < ? AND high > ?", (gw, high, low))
    if segment.logs:
        connection.execute(
            "INSERT INTO segments (file, gw, low, high, format, logs, bytes, parts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (segment.file, gw, low, high, FORMAT, segment.logs, segment.size, _encode(segment.parts)),
        )
    connection.execute(
        "DELETE FROM changed WHERE gw = ? AND id >= ? AND id < ? AND file = ?", (gw, low, high, segment.file)
    )
    return True


def forget(connection: Connection, gw: int) -> None:
    """Give up all segments of a gateway; its changes need not be noted any more."""
    connection.execute("UPDATE projected SET high = x'', era = era + 1 WHERE gw = ?", (gw,))
    connection.execute("DELETE FROM segments WHERE gw = ?", (gw,))
    connection.execute("DELETE FROM changed WHERE gw = ?", (gw,))


def spans_between(segments: Sequence[Segment], low: bytes, high: bytes) -> list[Span]:
    """The spans of [low, high) that belong to none of the segments, which are in order."""
    spans: list[Span] = []
    for segment in segments:
        if low < segment.low:
            spans.append((low, min(segment.low, high)))
        low = max(low, segment.high)
    if low < high:
        spans.append((low, high))
    return [(begin, end) for begin, end in spans if begin < end]
