"""Replays: logged requests sent again to other models, prompts or parameters, beside what was logged.

An item is one logged request. It has a place in the replay, which is drawn by lot, so that a replay that ends early
has seen a fair sample. Side 0 of an item is what was logged; side k is what the k-th candidate made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from msgspec import Struct, field

from gaugeway.core import ids
from gaugeway.core.comparisons import Comparison, Margin
from gaugeway.core.judging import Forecast as JudgeForecast
from gaugeway.core.model import Bodies, CustomCost, Dataset, LogRecord, Scope
from gaugeway.core.ports import Page
from gaugeway.core.pricing import Priced
from gaugeway.core.samples import Mark
from gaugeway.core.snapshots import SnapshotRef
from gaugeway.core.spending import Budget, purse_of

MAX_CANDIDATES = 5
MAX_REPLAYED = 50_000
"""Logged requests that one replay takes."""
MAX_COST = 100_000.0
"""Dollars that one replay may spend at most."""

RESERVED = frozenset(
    ("model", "messages", "input", "system", "instructions", "stream", "stream_options", "n", "background", "store")
)
"""Parameters that a candidate cannot set: they are the request itself, or how it is sent."""

OF_REPLAY, OF_LOG, OF_CANDIDATE = "replay", "replay_of", "replay_candidate"
"""The metadata by which the log of a replayed call says what it belongs to."""


class ReplayStatus(IntEnum):
    """The state of a replay; the numbers are those of an evaluation's results."""

    QUEUED = 0
    RUNNING = 1
    COMPLETED = 2
    FAILED = 4
    CANCELLED = 5

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens by itself."""
        return self >= ReplayStatus.COMPLETED


class Reason(StrEnum):
    """Why an item was skipped or failed: a closed set, so that they can be counted."""

    # skipped: it cannot be replayed faithfully
    NO_BODIES = "no_bodies"
    BODY_CUT = "body_cut"
    REDACTED = "redacted"
    NOT_A_CHAT = "not_a_chat"
    SERVER_STATE = "server_state"
    LINKED_CONTENT = "linked_content"
    UNTRANSLATABLE = "untranslatable"
    DELETED = "deleted"
    # failed
    CAP_REACHED = "cap_reached"
    COST_UNKNOWN = "cost_unknown"
    REFUSED = "refused"  # by the gateway: no key, a rate or spend limit, a safety check
    UPSTREAM_ERROR = "upstream_error"
    TIMEOUT = "timeout"
    BROKEN_OFF = "broken_off"
    NO_LOG = "no_log"


class ItemState(IntEnum):
    """How far one side of an item is. The first three are its end."""

    REPLAYED = 0
    FAILED = 1  # can be tried again
    SKIPPED = 2  # cannot be replayed faithfully
    SENT = 3  # the call is under way, or its process died meanwhile: it may have been paid
    ANSWERED = 4  # the call is paid; its answer has not been judged yet

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self <= ItemState.SKIPPED


class Candidate(Struct, frozen=True, kw_only=True):
    """What might have been used instead."""

    label: str
    model: str = ""  # "{provider}/{model}"; "": the one that was logged
    system: str | None = None  # in the place of the system prompt
    append_system: str | None = None  # behind the system prompt
    parameters: dict[str, Any] = field(default_factory=dict)  # of the request; null takes one out
    rates: CustomCost | None = None  # where no price is known


class Judged(Struct, frozen=True, kw_only=True):
    """An item-wise evaluation type by which both answers are judged, as it was at creation."""

    evaluation_type_id: str
    evaluator_id: str
    parameters: dict[str, Any] = field(default_factory=dict)


class Trial(Protocol):
    """What sends logged requests to candidates, and compares: a replay, or a shadow."""

    @property
    def id(self) -> str:
        """Unlike any other's."""
        ...

    @property
    def account_id(self) -> str: ...
    @property
    def candidates(self) -> tuple[Candidate, ...]: ...
    @property
    def judged(self) -> tuple[Judged, ...]: ...
    @property
    def margins(self) -> dict[str, Margin]: ...
    @property
    def accept_unknown_cost(self) -> bool: ...
    @property
    def source(self) -> Scope:
        """Where the logs are."""
        ...

    @property
    def through_scope(self) -> Scope:
        """The gateway that the calls go through."""
        ...

    @property
    def purse(self) -> Budget:
        """Whose money its calls are, and how much of it there is."""
        ...

    def marks_of(self, log_id: bytes, candidate: Candidate) -> dict[str, str]:
        """The metadata by which a call's log says what it belongs to."""
        ...


class CandidateForecast(Struct, frozen=True, kw_only=True):
    """What one candidate would cost, in dollars. None: not known, and `unknown` says why."""

    label: str
    expected: Decimal | None  # if its answers are as long as the logged ones
    low: Decimal | None  # 95 % prediction interval under that same condition
    high: Decimal | None
    twice_as_long: Decimal | None  # if they are twice as long
    worst_case: Decimal | None  # if every call costs the most that it can
    replayable: int  # items that can be replayed, as far as their bodies tell
    skipped: dict[str, int] = field(default_factory=dict)  # items that cannot, by Reason
    unknown: str = ""  # why there is no price


class Forecast(Struct, frozen=True, kw_only=True):
    """What a replay would cost before anything is spent."""

    items: int  # logged requests that are selected
    sampled: int  # whose bodies were looked at; the figures stand for all
    without_tokens: int  # of the sampled, whose tokens were not logged: they count as the others' average
    candidates: tuple[CandidateForecast, ...]
    judges: tuple[JudgeForecast, ...] = ()  # of the evaluators that ask models, by their position in `judged`


class Replay(Struct, frozen=True, kw_only=True):
    """A replay and how it stands."""

    account_id: str
    gateway_id: str  # whose logs are replayed
    id: str  # UUIDv7 text
    name: str
    created_at: int  # logs created up to this moment count
    modified_at: int
    dataset: Dataset  # as it was at creation
    snapshot: SnapshotRef | None = None  # of that dataset: its frozen logs are replayed instead
    through: str  # the gateway that the calls go through
    candidates: tuple[Candidate, ...]
    judged: tuple[Judged, ...] = ()
    margins: dict[str, Margin] = field(default_factory=dict)
    max_cost: Decimal  # dollars that the candidates' calls never pass
    max_items: int = MAX_REPLAYED
    concurrency: int = 4  # calls at a time
    accept_unknown_cost: bool = False
    forecast: Forecast | None = None
    status: ReplayStatus = ReplayStatus.QUEUED
    status_description: str = "queued"
    selected: int = 0  # logs that the dataset selects
    total_items: int = 0  # of them, those that are replayed: fewer where max_items says so
    comparison: Comparison | None = None  # once it is completed

    @property
    def processed(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status.is_terminal

    @property
    def scope(self) -> Scope:
        """The gateway whose logs are replayed."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def source(self) -> Scope:
        """Where the logs are that are replayed."""
        return self.scope if self.snapshot is None else Scope(self.account_id, self.snapshot.frozen)

    @property
    def through_scope(self) -> Scope:
        """The gateway that the calls go through."""
        return Scope(self.account_id, self.through)

    @property
    def purse(self) -> Budget:
        """Whose money its calls are, and how much of it there is. It outlives runs and processes."""
        return purse_of(self.through_scope, f"replay {self.id}", self.max_cost)

    def marks_of(self, log_id: bytes, candidate: Candidate) -> dict[str, str]:
        """See Trial."""
        return {OF_REPLAY: self.id, OF_LOG: ids.to_text(log_id), OF_CANDIDATE: candidate.label}


class ReplayItem(Struct, frozen=True, kw_only=True):
    """One side of one item."""

    place: int
    side: int  # 0: what was logged
    state: ItemState
    reason: Reason | None = None
    note: str = ""  # for people: what went wrong
    log_id: bytes | None = None  # of the log that the figures are from; None: there is none
    cost: Decimal | None = None  # dollars; None: not known, or not comparable
    duration: int | None = None  # ms; likewise
    tokens_in: int | None = None
    tokens_out: int | None = None
    success: bool | None = None  # None: that says nothing about the model
    resent: bool = False  # it may have been paid twice: the process died while the first call was under way
    marks: tuple[Mark, ...] = ()  # by each of `judged`


class ReplayCounts(Struct, frozen=True, kw_only=True):
    """How many items of one side ended how."""

    replayed: int = 0
    failed: int = 0
    skipped: int = 0
    under_way: int = 0
    resent: int = 0
    reasons: dict[str, int] = field(default_factory=dict)  # of the failed and the skipped ones


class Unfinished(Struct, frozen=True, kw_only=True):
    """An item of which some sides have not ended."""

    place: int
    log_id: bytes  # what was logged
    sides: dict[int, ReplayItem]  # what is known of any of its sides


class ReplayStore(Protocol):
    """Replays, the queue of those to be run, and their items.

    Writes of a run name the `owner` who holds it, and are refused (False, and nothing written) to anybody else.
    """

    def create(self, replay: Replay, /) -> None:
        """NotFound without its gateway, Conflict where that has one of the name. Claimable on return."""
        ...

    def get(self, scope: Scope, replay_id: str, /) -> Replay | None: ...
    def list(
        self, scope: Scope, *, name: str | None, processed: bool | None, offset: int, limit: int
    ) -> Page[Replay]:
        """Newest first."""
        ...

    def delete(self, scope: Scope, replay_id: str, /) -> Replay:
        """The replay that was, running or not; NotFound."""
        ...

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Replay | None:
        """The oldest unprocessed one that nobody holds (or whose lease ran out), now held by `owner`."""
        ...

    def renew(self, replay: Replay, owner: str, now_ms: int, lease_ms: int, /) -> bool:
        """Hold on to it for that long (0: let go at once); False where it was lost or deleted."""
        ...

    def save(self, replay: Replay, owner: str, /) -> bool:
        """Write how it stands, if `owner` still holds it. One that is processed ends the hold."""
        ...

    def change(
        self, scope: Scope, replay_id: str, change: Callable[[Replay], Replay], *, forget_failures: bool = False
    ) -> Replay:
        """Write what `change` makes of it, and take it from whoever runs it; NotFound. What it raises goes through.

        `forget_failures`: failed items are to be tried again, and answers that an evaluator failed on judged anew.
        """
        ...

    def plan(self, replay: Replay, owner: str, log_ids: Sequence[bytes]) -> bool:
        """Keep which logs it is about, in the order of their places. A plan that is there stays."""
        ...

    def planned(self, replay: Replay) -> int:
        """How many items are planned; 0 where there is no plan."""
        ...

    def unfinished(self, replay: Replay, after: int, limit: int) -> list[Unfinished]:
        """The next items after that place of which a side has not ended."""
        ...

    def put(self, replay: Replay, owner: str, items: Sequence[ReplayItem]) -> bool:
        """Keep sides of items, all or none, in the place of what was known of them."""
        ...

    def counts(self, replay: Replay) -> dict[int, ReplayCounts]:
        """By side; one without items is left out."""
        ...

    def items(
        self, replay: Replay, *, side: int | None, state: ItemState | None, offset: int, limit: int
    ) -> Page[tuple[bytes, ReplayItem]]:
        """The logged request's id and the side, by place and side."""
        ...


class Call(Struct, frozen=True, kw_only=True):
    """A logged request as it is sent to a candidate."""

    model: str  # "{provider}/{model}"
    endpoint: str  # of the OpenAI-compatible endpoint: chat/completions, responses, messages, embeddings
    body: bytes
    rates: CustomCost | None = None


class Called(Struct, frozen=True, kw_only=True):
    """What came of it."""

    status: int
    record: LogRecord | None  # its log; None: there is none
    bodies: Bodies
    untranslatable: str = ""  # why the gateway could not put it into the candidate's format


class Caller(Protocol):
    """Who sends calls, through the gateway's own data plane."""

    async def call(
        self,
        scope: Scope,
        call: Call,
        purse: Budget,
        most: Decimal,
        metadata: Mapping[str, str],
        *,
        daily: Budget | None = None,
    ) -> Called:
        """Send it, within the purse: `most` is reserved before, and settled by what its log says. NoRoom.

        `daily` must have room for it beside the purse.
        """
        ...

    async def at_most(self, scope: Scope, call: Call) -> Priced:
        """What it can cost at most, or why nobody can tell."""
        ...

    async def would_cost(self, scope: Scope, call: Call, tokens_in: int, tokens_out: int) -> Priced:
        """What it costs with so many tokens, or why nobody can tell."""
        ...
