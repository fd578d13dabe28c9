"""What the processes of one machine share while requests pass: counts, kept answers, who asks."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct, field

from gaugeway.core.model import Scope
from gaugeway.core.provider import Reported


class Rate(Struct, frozen=True):
    """How many requests may pass in how long."""

    limit: int  # requests, at least 1
    interval: int  # seconds, at least 1
    sliding: bool = False  # in any span of that length; else in each window, counted from 1970-01-01T00:00Z


class CounterStore(Protocol):
    """Counts that all processes share. Safe to call on an event loop: some microseconds."""

    def take(self, scope: Scope, rate: Rate, now_ms: int) -> int:
        """Count one request of a gateway where its rate allows it: 0. Else count nothing: the ms until it will.

        Exact: of however many processes, never more than `limit` are told 0 for one window. A changed limit
        applies to what has been counted; a changed interval or technique starts anew.
        """
        ...

    def forget(self, scope: Scope) -> None:
        """Start anew for a gateway."""
        ...


class KeyedCounterStore(Protocol):
    """Rates of many keys, of users for instance, that all processes share. Forgets what no longer counts."""

    def take(self, key: bytes, rate: Rate, now_ms: int) -> int:
        """As CounterStore.take for one key. Blocks: some 50 µs, and now and then as long as the disk takes."""
        ...


class CachedAnswer(Struct, frozen=True):
    """A provider's whole answer of status 200, kept to be given again."""

    headers: list[tuple[bytes, bytes]]  # those that describe the body; names lower-case
    body: bytes  # as it came, compressed where the headers say so
    notes: dict[str, Reported] = field(default_factory=dict[str, Reported])
    """What providers read in it, by slug and path, for as long as it is remembered in this process; not kept."""


class CacheStore(Protocol):
    """Answers by key, bounded in bytes: what was not used for longest makes room."""

    def get(self, key: bytes, now_ms: int) -> CachedAnswer | None:
        """The answer that is kept and not expired. Safe to call on an event loop: some ten microseconds, and one
        where this process has read it before and nothing has changed since.
        """
        ...

    def put(
        self, scope: Scope, key: bytes, answer: CachedAnswer, *, asked_at: int, now_ms: int, expires_at: int
    ) -> bool:
        """Keep an answer in place of what its key had; False where it is not kept.

        That is where it is larger than the whole cache, or the gateway was emptied at or after `asked_at`, the
        ms when the request for it arrived. The key is unlike every other of every gateway.
        """
        ...

    def clear(self, scope: Scope, now_ms: int) -> None:
        """Empty a gateway's part, also of answers that are still on their way."""
        ...

    def sweep(self, now_ms: int) -> None:
        """Delete what has expired and give the space back. To be called every minute or so."""
        ...


class FlightLocks(Protocol):
    """Of the processes that are asked the same at once, which one asks the provider. A few microseconds a call."""

    def take(self, name: bytes) -> bool:
        """Whether this process has the name now: False while another has it. A process that dies frees its own."""
        ...

    def free(self, name: bytes) -> None:
        """Let others have it. Never raises, also where this process does not have it."""
        ...
