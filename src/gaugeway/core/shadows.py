"""Shadows: a share of a gateway's live requests is also sent to other models, after it was answered and logged.

A shadow reads logs and nothing else: it stands in no request's way. What it does with one that is drawn is what a
replay does (`core/replays.py`): side 0 of an item is what was logged, side k is what the k-th candidate made of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Protocol

from msgspec import Struct, field

from gaugeway.core import ids
from gaugeway.core.comparisons import Comparison, Margin
from gaugeway.core.judging import Forecast as JudgeForecast
from gaugeway.core.model import Dataset, Scope
from gaugeway.core.ports import Page
from gaugeway.core.replays import (
    Candidate,
    CandidateForecast,
    ItemState,
    Judged,
    ReplayCounts,
    ReplayItem,
    ReplayStatus,
    Unfinished,
)
from gaugeway.core.spending import Budget, purse_of

MAX_CALLED = 50_000
"""Requests that one shadow sends to its candidates."""
USUAL_CALLED = 10_000
"""Where it does not say."""
MIN_SHARE = 0.0001
"""Per cent: one request in a million."""
MAX_ACTIVE = 32
"""Shadows of an installation that have not ended."""
MAX_DAYS = 366
"""How long a shadow may go on."""
USUAL_DAYS = 30
"""Where it does not say."""
MAX_LAG_S = 900
"""Seconds that a request may wait for its turn after it was answered. More than between any two looks."""
OWN_AGENTS = "gaugeway-"
"""What the user agent begins with of every call that the program itself makes."""
DAY_S = 86_400
FORECAST_DAYS = 7
"""Days before it that a forecast is made from, where there are logs of so many."""

LOOKS_S = (2, 30, 120, 600)
"""Ages of a moment at which the logs of the requests that arrived in it are looked for: a log is written when its
request has ended, and keeps the time at which it arrived."""

OF_SHADOW, OF_LOG, OF_CANDIDATE = "shadow", "shadow_of", "shadow_candidate"
"""The metadata by which the log of a shadow's call says what it belongs to."""


class Unshadowed(StrEnum):
    """Why a request that was drawn was not sent, beside the reasons of replays. The last three: it was missed."""

    OWN_CALL = "own_call"  # of a shadow, replay, eval or judge: shadows of shadows would never end
    NEVER_SENT = "never_sent"  # the gateway refused it itself
    BEHIND = "behind"  # it waited for too long
    CAP_REACHED = "cap_reached"  # of the day
    ENDED = "ended"  # the shadow ended before its turn


class Drawn(IntEnum):
    """How far a request is that was drawn."""

    WAITING = 0
    CALLED = 1  # its sides say what came of it
    SKIPPED = 2  # it cannot be sent faithfully, or must not be
    MISSED = 3  # it could have been sent, and was not


class Span(Struct, frozen=True, kw_only=True):
    """Some time whose requests' logs are looked for."""

    low: int  # ms: requests that arrived then or later
    high: int  # ms: and before that
    seen: int = 0  # logs that were found, and that the dataset selects
    looks: int = 0  # of LOOKS_S, how many were taken

    @property
    def is_done(self) -> bool:
        """Whether it is not looked at again."""
        return self.looks >= len(LOOKS_S)

    @property
    def due(self) -> int:
        """When the next look is to be taken, in ms."""
        return self.high + LOOKS_S[min(self.looks, len(LOOKS_S) - 1)] * 1000


class Looked(Struct, frozen=True):
    """What a look came to."""

    span: Span
    drawn: Sequence[bytes]  # ids of all the logs in it that are drawn, those found earlier included


class DayForecast(Struct, frozen=True, kw_only=True):
    """What a day would cost, from the logs of the last days. Amounts are those of a day."""

    days: int  # of 24 hours up to the forecast, that were looked at
    logs: int  # of them, that the dataset selects
    daily_items: float  # requests that the lot would draw in a day, on average
    sampled: int  # logs whose bodies were looked at; they stand for all
    without_tokens: int  # of the sampled, whose tokens were not logged: they count as the others' average
    candidates: tuple[CandidateForecast, ...]  # `replayable` and `skipped` are of `logs`
    judges: tuple[JudgeForecast, ...] = ()  # of the evaluators that ask models, by their position in `judged`
    note: str = ""  # what the days looked at leave open; "": nothing beside what the intervals say


class Shadow(Struct, frozen=True, kw_only=True):
    """A shadow and how it stands."""

    account_id: str
    gateway_id: str  # whose live requests are sent
    id: str  # UUIDv7 text
    name: str
    created_at: int  # requests that arrive from this moment on count
    modified_at: int
    dataset: Dataset | None = None  # as it was at creation: which logs. None: all
    through: str  # the gateway that the calls go through
    candidates: tuple[Candidate, ...]
    judged: tuple[Judged, ...] = ()
    margins: dict[str, Margin] = field(default_factory=dict)
    share: Decimal  # per cent of the requests that are sent, by lot
    daily_cap: Decimal  # dollars that the candidates' calls never pass in a day of UTC
    max_items: int = USUAL_CALLED  # it ends when so many were called
    until: int  # ms: requests that arrive before it count
    concurrency: int = 4  # requests at a time
    accept_unknown_cost: bool = False
    forecast: DayForecast | None = None  # as it was at creation
    status: ReplayStatus = ReplayStatus.QUEUED
    status_description: str = "queued"
    paused_until: int | None = None  # ms: the daily cap was reached, and what is drawn until then is missed
    stopped_at: int | None = None  # ms
    compared_items: int = 0  # that `comparison` is about
    comparison: Comparison | None = None  # provisional while it is running

    @property
    def processed(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status.is_terminal

    @property
    def scope(self) -> Scope:
        """The gateway whose requests are sent."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def source(self) -> Scope:
        """See Trial."""
        return self.scope

    @property
    def through_scope(self) -> Scope:
        """The gateway that the calls go through."""
        return Scope(self.account_id, self.through)

    @property
    def purse(self) -> Budget:
        """Whose money its calls are, and how much of it there is each day of UTC."""
        return purse_of(self.through_scope, f"shadow {self.id}", self.daily_cap, DAY_S)

    def marks_of(self, log_id: bytes, candidate: Candidate) -> dict[str, str]:
        """See Trial."""
        return {OF_SHADOW: self.id, OF_LOG: ids.to_text(log_id), OF_CANDIDATE: candidate.label}

    @property
    def ends_at(self) -> int:
        """Requests that arrive at this moment or later do not count, in ms."""
        return self.until if self.stopped_at is None else min(self.until, self.stopped_at)

    def draws(self, log_id: bytes) -> bool:
        """Whether a request is in the share: by its log's id alone, so each time and in each process alike.

        It is where BLAKE2b of the 16 bytes, keyed with the shadow's id, 8 bytes long and read as a big-endian
        number, is below the share of 2^64.
        """
        lot = hashlib.blake2b(log_id, key=self.id.encode()[:64], digest_size=8).digest()
        return int.from_bytes(lot) < int(self.share * 2**64 / 100)


class ShadowCounts(Struct, frozen=True, kw_only=True):
    """How many requests came how far: sampled = waiting + called + skipped + missed."""

    seen: int = 0  # logs that the dataset selects
    sampled: int = 0  # of those seen, that were drawn
    waiting: int = 0
    called: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  # by reason
    missed: dict[str, int] = field(default_factory=dict)  # likewise
    sides: dict[int, ReplayCounts] = field(default_factory=dict)  # of those called


class ShadowStore(Protocol):
    """Shadows, the queue of those that have not ended, and what they have seen, drawn and called.

    Writes of a run name the `owner` who holds it, and are refused (False, and nothing written) to anybody else.
    """

    def create(self, shadow: Shadow, /) -> None:
        """NotFound without its gateway; Conflict where that has one of the name, or MAX_ACTIVE have not ended.

        Claimable on return.
        """
        ...

    def get(self, scope: Scope, shadow_id: str, /) -> Shadow | None: ...
    def list(
        self, scope: Scope, *, name: str | None, processed: bool | None, offset: int, limit: int
    ) -> Page[Shadow]:
        """Newest first."""
        ...

    def delete(self, scope: Scope, shadow_id: str, /) -> Shadow:
        """The shadow that was, running or not; NotFound."""
        ...

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Shadow | None:
        """The oldest unprocessed one that nobody holds (or whose lease ran out), now held by `owner`."""
        ...

    def renew(self, shadow: Shadow, owner: str, now_ms: int, lease_ms: int, /) -> bool:
        """Hold on to it for that long (0: let go at once); False where it was lost or deleted."""
        ...

    def save(self, shadow: Shadow, owner: str, /) -> bool:
        """Write how it stands, if `owner` still holds it. One that is processed ends the hold."""
        ...

    def change(self, scope: Scope, shadow_id: str, change: Callable[[Shadow], Shadow]) -> Shadow:
        """Write what `change` makes of it, and take it from whoever runs it; NotFound."""
        ...

    def resume(self, scope: Scope, shadow_id: str, change: Callable[[Shadow], Shadow], from_ms: int) -> Shadow:
        """Write what `change` makes of one that has ended, which sees requests from that moment on; NotFound.

        Conflict where MAX_ACTIVE have not ended. What `change` raises goes through, and nothing is written.
        """
        ...

    def looked_until(self, shadow: Shadow) -> int:
        """The end of the last span, in ms; where there is none, when the shadow was created."""
        ...

    def spans(self, shadow: Shadow, due_ms: int | None, limit: int) -> list[Span]:
        """Those of which a look is due at that moment (None: all that are not done), oldest first."""
        ...

    def look(self, shadow: Shadow, owner: str, looked: Sequence[Looked]) -> bool:
        """Keep what looks came to: each drawn log waits from then on, but for those that were drawn before."""
        ...

    def waiting(self, shadow: Shadow, limit: int) -> list[tuple[int, bytes]]:
        """Place and log id of those that wait, longest first."""
        ...

    def end(self, shadow: Shadow, owner: str, place: int | None, how: Drawn, reason: str) -> bool:
        """A request was skipped or missed, whose sides are forgotten. Without a place: all that wait."""
        ...

    def put(self, shadow: Shadow, owner: str, items: Sequence[ReplayItem]) -> bool:
        """Keep sides of items, all or none, in the place of what was known of them. Their requests are called."""
        ...

    def unfinished(self, shadow: Shadow, after: int, limit: int) -> list[Unfinished]:
        """The next called ones after that place of which a side has not ended."""
        ...

    def counts(self, shadow: Shadow) -> ShadowCounts:
        """All at one moment."""
        ...

    def items(
        self, shadow: Shadow, *, side: int | None, state: ItemState | None, offset: int, limit: int
    ) -> Page[tuple[bytes, ReplayItem]]:
        """The logged request's id and the side, by place and side."""
        ...
