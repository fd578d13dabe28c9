"""The one seam between the data plane and the outside: open a request, read its answer as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from msgspec import Struct

Take = Callable[[bytes], bool]
"""Takes a piece of an answer at once; whether that is all it can take for now."""


class Timers(Struct, frozen=True):
    """Seconds an upstream is given."""

    connect: float
    first_byte: float  # from the request's last byte to the answer's headers
    idle: float  # silence within the answer's body


class Outgoing(Struct):
    """A request as it goes to an upstream. `headers` hold neither Host, Content-Length nor hop-by-hop ones."""

    method: bytes
    scheme: str  # "http" | "https"
    host: str  # a name or a literal address, without brackets
    port: int
    target: bytes  # raw path and query
    headers: list[tuple[bytes, bytes]]
    body: bytes
    timers: Timers
    guarded: bool = True  # private addresses are refused unless the settings allow them


class Incoming(Protocol):
    """An upstream's answer, once its headers are there."""

    status: int
    headers: list[tuple[bytes, bytes]]
    """As they came: names lower-case, order and repeats kept; framing and hop-by-hop headers still in it."""
    whole: bytes | None
    """The body, where all of it arrived together with the headers; then `read` need not be called."""

    async def read(self) -> bytes:
        """What has arrived since, at least one byte; b"" at the clean end.

        Raises ProtocolBroken where the answer breaks off, UpstreamTimeout after `timers.idle` of silence.
        Does not read ahead without bound: a slow reader slows the upstream down.
        """
        ...

    def close(self) -> None:
        """Let go of it; idempotent. Before the clean end this closes the connection at once."""
        ...


class Pouring(Protocol):
    """What an Incoming has beside the rest where its pieces can be passed on without waking whoever waits for them.

    A stream has hundreds of them, and waking a task costs more than all that is done with a piece.
    """

    async def pour(self, take: Take) -> bool:
        """Hand each piece to `take` the moment it arrives; True at the clean end, False where `take` is full.

        Pieces that come while nobody pours are kept, as for `read`. Raises what `read` does, and what `take` does.
        """
        ...


def pouring_of(incoming: Incoming) -> Pouring | None:
    """The answer where its pieces can be poured; None where they have to be read."""
    return cast("Pouring", incoming) if hasattr(incoming, "pour") else None


class Connector(Protocol):
    """Something that speaks HTTP to upstreams."""

    async def open(self, request: Outgoing) -> Incoming:
        """Send the request and wait for the answer's headers (1xx are passed over).

        Raises ConnectFailed (nothing was sent), UpstreamTimeout, ProtocolBroken. When the awaiting task is
        cancelled the upstream connection is closed at once.
        """
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
