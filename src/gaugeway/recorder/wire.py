"""The frames between a server worker and the recorder, over a Unix stream socket.

A frame is a 17-byte header (payload length, kind, number, rows) and a payload. Both sides read through
`FrameReader`.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
from collections.abc import Sequence
from enum import IntEnum

import msgspec
from msgspec import Struct

from gaugeway.core.model import Attempt, Bodies, CustomCost, Logged, LogRecord, Usage

HEADER = struct.Struct("<IBQI")
MAX_FRAME = 32 * 1024 * 1024
"""Bytes of a payload. A batch is packed far below it (`TARGET_FRAME`) unless one log alone is that big."""
TARGET_FRAME = 2 * 1024 * 1024
READ_AHEAD = 64 * 1024


NO_ROOM = 1
"""The number of a trouble that is a full disk."""


class Kind(IntEnum):
    """What a frame says. `number` means what the comment says, else 0."""

    # a client to the recorder
    HELLO = 1  # payload: Hello
    BATCH = 2  # number: the client's sequence number; payload: list[Logged]; rows: its length
    LOSSES = 3  # number: as in BATCH; payload: list[Loss]
    BARRIER = 4  # number: the request's id
    SYNCED = 5  # number: the token of SYNC; all that was put before SYNC came has been sent
    BYE = 6  # closing in peace: no reason to wait for its return
    # the recorder to a client
    WELCOME = 11  # payload: the recorder's trouble in words, or empty; number: NO_ROOM where that is it
    REFUSED = 12  # payload: why, in words; the connection closes
    ACK = 13  # number: every BATCH and LOSSES up to it is durable
    SYNC = 14  # number: a token; send what was put, then SYNCED
    DONE = 15  # number: the BARRIER's id
    TROUBLE = 16  # payload and number: as in WELCOME


class Hello(Struct, frozen=True):
    """Who a client is."""

    client: str  # its presence's name
    pid: int
    layout: str  # the fingerprint of the structs it sends


class Malformed(Exception):
    """A frame that breaks this module's rules."""


def _layout() -> str:
    kinds: tuple[type[Struct], ...] = (Logged, LogRecord, Usage, CustomCost, Attempt, Bodies)
    text = ";".join(f"{kind.__name__}:{','.join(kind.__struct_fields__)}" for kind in kinds)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


LAYOUT = _layout()
"""Differs between versions whose records differ: a field that one side does not know would be lost unseen."""

_encoder = msgspec.msgpack.Encoder()


def frame(kind: Kind, number: int = 0, payload: bytes = b"", rows: int = 0) -> bytes:
    """A whole frame."""
    return HEADER.pack(len(payload), kind, number, rows) + payload


def message(kind: Kind, body: object, number: int = 0) -> bytes:
    """A frame whose payload is a struct."""
    return frame(kind, number, _encoder.encode(body))


def batch(number: int, logs: Sequence[Logged]) -> bytearray:
    """A BATCH frame, encoded in place."""
    buffer = bytearray(HEADER.size)
    _encoder.encode_into(logs, buffer, HEADER.size)
    HEADER.pack_into(buffer, 0, len(buffer) - HEADER.size, Kind.BATCH, number, len(logs))
    return buffer


class FrameReader(asyncio.BufferedProtocol):
    """Cuts a stream into frames and gives each to `frame_received`; `broken` ends it.

    Small frames are cut out of one buffer, so that one read brings several; the rest of a larger one is read
    straight into its place.
    """

    def __init__(self) -> None:
        self._buffer = bytearray(READ_AHEAD)
        self._end = 0  # of what was read into it
        self._head = (0, 0, 0)  # kind, number and rows of the frame whose payload is being read
        self._payload: bytearray | None = None
        self._filled = 0

    def frame_received(self, kind: Kind, number: int, rows: int, payload: bytearray) -> None:
        """One whole frame. May raise Malformed."""
        raise NotImplementedError

    def broken(self, problem: Malformed) -> None:
        """The stream cannot be read any further."""
        raise NotImplementedError

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        if self._payload is not None:
            return memoryview(self._payload)[self._filled :]
        return memoryview(self._buffer)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        try:
            if self._payload is None:
                self._end += nbytes
                self._cut()
                return
            self._filled += nbytes
            if self._filled == len(self._payload):
                payload, self._payload = self._payload, None
                self._deliver(payload)
        except Malformed as problem:
            self._end = 0
            self.broken(problem)

    def _cut(self) -> None:
        """Deliver the frames in the buffer. The beginning of one that is not whole becomes its payload's."""
        buffer, begin, end = self._buffer, 0, self._end
        while end - begin >= HEADER.size:
            length, kind, number, rows = HEADER.unpack_from(buffer, begin)
            if length > MAX_FRAME:
                raise Malformed(f"a frame of {length} bytes; the limit is {MAX_FRAME}")
            self._head = (kind, number, rows)
            begin += HEADER.size
            if end - begin < length:
                self._payload = bytearray(length)
                self._filled = end - begin
                self._payload[: self._filled] = buffer[begin:end]
                begin = end
            else:
                self._deliver(buffer[begin : begin + length])
                begin += length
        buffer[: end - begin] = buffer[begin:end]
        self._end = end - begin

    def _deliver(self, payload: bytearray) -> None:
        kind, number, rows = self._head
        try:
            known = Kind(kind)
        except ValueError as problem:
            raise Malformed(f"a frame of unknown kind {kind}") from problem
        self.frame_received(known, number, rows, payload)
