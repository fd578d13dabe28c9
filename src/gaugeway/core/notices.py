"""Notices: what a monitor tells somebody, kept until it was delivered, and every try at that."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

FIRST_RETRY_MS = 1_000
LONGEST_RETRY_MS = 3_600_000
PATIENCE_MS = 3 * 86_400_000
"""From a notice's creation: then it is given up."""
KEPT_TRIES = 20
"""The last tries that are kept of a notice; all are counted."""
KEPT_NOTICES = 1000
"""The last notices that are kept of a monitor."""


class Event(StrEnum):
    """What a notice is about."""

    ALERT = "monitor.alert"  # an evaluation type is worse than the reference
    FAILURE = "monitor.failure"  # a window has no logs, an evaluation failed, or a cap was reached


class Delivery(StrEnum):
    """How far a notice is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given up"
    NOT_SENT = "not sent"  # the monitor has no webhook


class Tried(Struct, frozen=True, kw_only=True):
    """One try at a delivery."""

    at: int
    duration_ms: int
    status_code: int | None = None  # None: there was no answer, and `error` says why
    error: str = ""

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it: any 2xx."""
        return self.status_code is not None and 200 <= self.status_code < 300


class Notice(Struct, frozen=True, kw_only=True):
    """Something to be told, and how that goes."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text; the same in every try, so that a receiver knows what it has had
    monitor_id: str
    window_id: str
    event: Event
    created_at: int
    body: str  # the JSON that is sent, the same in every try
    state: Delivery
    due_at: int  # of the next try, ms
    tries: int = 0
    tried: tuple[Tried, ...] = ()  # the last of them


class Webhook(Struct, frozen=True):
    """Where notices go, and what signs them."""

    url: str
    secret: str

    def __repr__(self) -> str:
        """Without the secret: a representation may end up in a log."""
        return f"Webhook({self.url!r})"


def retry_delay_ms(tries: int) -> int:
    """How long to wait after so many tries."""
    return min(FIRST_RETRY_MS * 2 ** min(tries - 1, 30), LONGEST_RETRY_MS)


class Notifier(Protocol):
    """Who delivers, over the network."""

    async def deliver(self, webhook: Webhook, notice: Notice) -> Tried:
        """One try. Raises nothing but CancelledError."""
        ...


class NoticeStore(Protocol):
    """Notices that are to be delivered, as a queue."""

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Notice | None:
        """One that is pending and due, and that nobody holds, now held by `owner`."""
        ...

    def renew(self, notice: Notice, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long from now (0: let go at once); False where it was lost or deleted."""
        ...

    def save(self, notice: Notice, owner: str) -> bool:
        """Write how it stands, and let go; False where the claim was lost."""
        ...

    def webhook(self, notice: Notice) -> Webhook | None:
        """Where its monitor's notices go now; None: nowhere any more. StoreUnusable without the master key."""
        ...
