"""An upstream's answer while it arrives: the connection fills it, the reader empties it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from gaugeway.core.errors import ProtocolBroken, UpstreamFailure

MOST_WAITING = 256 * 1024  # bytes that wait for the reader before the upstream is slowed down


class Source(Protocol):
    """What an answer asks of the connection it arrives on."""

    def wait_for_body(self) -> asyncio.Future[None]:
        """A future that is done when there is news of the answer, or it has been silent for too long."""
        ...

    def resume(self, answer: Answer) -> None:
        """Read on; there is room again."""
        ...

    def drop(self, answer: Answer) -> None:
        """Close the connection at once, if it still carries this answer."""
        ...


class Answer:
    """The seam's Incoming. What is not in the seam is the connection's to set."""

    __slots__ = ("_source", "ended", "failure", "headers", "parts", "status", "waiting", "whole")

    def __init__(self, source: Source) -> None:
        self.status = 0  # until the headers are there
        self.headers: list[tuple[bytes, bytes]] = []
        self.whole: bytes | None = None
        self.parts: list[bytes] = []
        self.waiting = 0  # bytes in `parts`
        self.ended = False  # cleanly
        self.failure: UpstreamFailure | None = None  # raised once `parts` are read
        self._source = source

    async def read(self) -> bytes:
        """As the seam says."""
        parts = self.parts
        if not parts:
            if not self.ended and self.failure is None:
                try:
                    await self._source.wait_for_body()
                except (asyncio.CancelledError, GeneratorExit):
                    self.close()
                    raise
            if not parts:
                if self.failure is not None:
                    raise self.failure
                return b""
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        if self.waiting > MOST_WAITING:
            self._source.resume(self)
        self.waiting = 0
        return data

    def close(self) -> None:
        """As the seam says."""
        if not self.ended and self.failure is None:
            self.failure = ProtocolBroken("The answer was let go of before its end.")
            self._source.drop(self)
