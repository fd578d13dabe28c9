"""An upstream's answer while it arrives: the connection fills it, the reader empties it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from msgspec import Struct, field

from gaugeway.core.errors import ProtocolBroken, UpstreamFailure
from gaugeway.proxy.connectors.seam import Take

MOST_WAITING = 256 * 1024  # bytes that wait for the reader before the upstream is slowed down


class Source(Protocol):
    """What an answer asks of the connection it arrives on."""

    def wait_for_body(self) -> asyncio.Future[None]:
        """A future that is done when there is news of the answer, or it has been silent for too long."""
        ...

    def pour_into(self, take: Take) -> asyncio.Future[None]:
        """The same, but that pieces of the body are no news until `take` is full: it is handed them."""
        ...

    def resume(self, answer: Answer) -> None:
        """Read on; there is room again."""
        ...

    def drop(self, answer: Answer) -> None:
        """Close the connection at once, if it still carries this answer."""
        ...


class Answer(Struct, eq=False):
    """The seam's Incoming. What is not in the seam is the connection's to set."""

    _source: Source
    status: int = 0  # until the headers are there
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    whole: bytes | None = None
    parts: list[bytes] = field(default_factory=list[bytes])
    waiting: int = 0  # bytes in `parts`
    ended: bool = False  # cleanly
    failure: UpstreamFailure | None = None  # raised once `parts` are read

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
        return self._take_arrived()

    async def pour(self, take: Take) -> bool:
        """As the seam says."""
        if self.parts and take(self._take_arrived()):
            return False
        if not self.ended and self.failure is None:
            try:
                await self._source.pour_into(take)
            except BaseException:
                self.close()
                raise
            if self.parts:  # it was full, and more came before this had its turn: even the end may have
                return False
        if self.failure is not None:
            raise self.failure
        return self.ended

    def _take_arrived(self) -> bytes:
        parts = self.parts
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
