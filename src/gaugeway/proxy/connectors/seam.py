"""The one seam between the data plane and the outside: open a request, read its answer as it comes."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


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
