"""A client's connection to the recorder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol, cast

from gaugeway.recorder.address import socket_path
from gaugeway.recorder.wire import NO_ROOM, FrameReader, Kind, Malformed

WRITE_AHEAD = 1024 * 1024
"""Bytes that may wait in the transport; the rest waits in the client, where it can be sent again."""


class Hearer(Protocol):
    """Who the recorder's answers are for."""

    def welcomed(self, link: Link, trouble: str | None, *, is_full: bool) -> None: ...
    def may_write(self) -> None: ...
    def acknowledged(self, number: int) -> None: ...
    def sync_asked(self, token: int) -> None: ...
    def barrier_passed(self, number: int) -> None: ...
    def trouble_told(self, trouble: str | None, *, is_full: bool) -> None: ...


class Link(FrameReader):
    """One connection. `lost` becomes the reason when it has ended."""

    def __init__(self, hearer: Hearer) -> None:
        super().__init__()
        self._hearer = hearer
        self._transport: asyncio.Transport | None = None
        self._refusal: str | None = None
        self.writable = True
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=WRITE_AHEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable = False
        if not self.lost.done():
            cause = f": {exc}" if exc else ""
            self.lost.set_result(self._refusal or f"the connection to the recorder was lost{cause}")

    def pause_writing(self) -> None:
        self.writable = False

    def resume_writing(self) -> None:
        self.writable = True
        self._hearer.may_write()

    def send(self, data: bytes | bytearray) -> None:
        """Hand bytes to the transport."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Send what was handed over, and close."""
        if self._transport is not None:
            self._transport.close()

    def frame_received(self, kind: Kind, number: int, rows: int, payload: bytearray) -> None:
        del rows
        hearer = self._hearer
        if kind is Kind.ACK:
            hearer.acknowledged(number)
        elif kind is Kind.SYNC:
            hearer.sync_asked(number)
        elif kind is Kind.DONE:
            hearer.barrier_passed(number)
        elif kind is Kind.WELCOME:
            hearer.welcomed(self, payload.decode(errors="replace") or None, is_full=number == NO_ROOM)
        elif kind is Kind.TROUBLE:
            hearer.trouble_told(payload.decode(errors="replace") or None, is_full=number == NO_ROOM)
        elif kind is Kind.REFUSED:
            self._refusal = payload.decode(errors="replace")
        else:
            raise Malformed(f"the recorder sent {kind.name}")

    def broken(self, problem: Malformed) -> None:
        self._refusal = f"the recorder could not be understood: {problem}"
        if self._transport is not None:
            self._transport.abort()


async def connect(data: Path, hearer: Hearer) -> Link:
    """A connection to the recorder of a data folder; OSError where there is none."""
    loop = asyncio.get_running_loop()
    with socket_path(data) as path:
        _, link = await loop.create_unix_connection(lambda: Link(hearer), path)
    return link
