"""The doors to the outside world, each a small Protocol. Adapters live in `stores/`, `recorder/`, `providers/`.

Store methods block; call them from a thread where an event loop runs. They raise NotFound and Conflict from
`core.errors`, and are safe to call from several threads and several processes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.model import (
    Account,
    Bodies,
    CustomProvider,
    Dataset,
    Evaluation,
    Gateway,
    Logged,
    LogRecord,
    Metadata,
    Result,
    Scope,
    Token,
)
from gaugeway.core.query import Slice, Where

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """Part of a list, and how long the whole list is (None: it would cost too much to know)."""

    items: list[T]
    total: int | None


class Clock(Protocol):
    """Wall-clock time."""

    def now_ms(self) -> int:
        """Unix time in ms."""
        ...


class ConfigStore(Protocol):
    """What the data plane reads on its way: a number that changes whenever any of it changes."""

    def version(self) -> int:
        """A cheap (microseconds) stamp of accounts, tokens, gateways and custom providers.

        After a change in any process has returned, every process sees another number.
        """
        ...


class AccountStore(Protocol):
    """Accounts."""

    def create(self, account: Account) -> None:
        """Conflict where the id is taken."""
        ...

    def bootstrap(self, account: Account, token: Token) -> tuple[Account, bool]:
        """Create the first account and its first token, if there is no account at all, in one step.

        The default account (the given one or the one that was there), and whether this call made it: of
        several servers that start on an empty store at once, exactly one is told True.
        """
        ...

    def get(self, account_id: str) -> Account | None: ...
    def list(self) -> list[Account]:
        """All of them, oldest first; the first is the default account."""
        ...


class TokenStore(Protocol):
    """API tokens, by the hash of their text."""

    def create(self, token: Token) -> None:
        """NotFound without its account, Conflict where the id or the hash is taken."""
        ...

    def find(self, sha256: bytes) -> Token | None:
        """The token with that hash, expired or not."""
        ...

    def list(self, account_id: str) -> list[Token]:
        """Oldest first, expired ones too."""
        ...

    def revoke(self, account_id: str, token_id: str) -> Token:
        """Delete it at once; NotFound."""
        ...


class GatewayStore(Protocol):
    """Gateways."""

    def create(self, gateway: Gateway) -> None:
        """NotFound without its account, Conflict where the id is taken."""
        ...

    def get(self, scope: Scope) -> Gateway | None: ...
    def list(self, account_id: str, *, search: str | None, offset: int, limit: int) -> Page[Gateway]:
        """Newest first. `search` is part of the id, case-insensitive."""
        ...

    def replace(self, gateway: Gateway) -> None:
        """NotFound where there is none of that id."""
        ...

    def delete(self, scope: Scope) -> Gateway:
        """The gateway that was, with its datasets and evaluations gone; its logs are `LogStore.delete_scope`'s."""
        ...


class CustomProviderStore(Protocol):
    """Providers that an account added."""

    def create(self, provider: CustomProvider) -> None:
        """NotFound without its account, Conflict where the slug is taken."""
        ...

    def get(self, account_id: str, provider_id: str) -> CustomProvider | None: ...
    def find(self, account_id: str, slug: str) -> CustomProvider | None: ...
    def list(self, account_id: str, *, offset: int, limit: int) -> Page[CustomProvider]:
        """By position (none last), then name."""
        ...

    def replace(self, provider: CustomProvider) -> None:
        """NotFound where there is none of that id, Conflict where another has the slug."""
        ...

    def delete(self, account_id: str, provider_id: str) -> CustomProvider:
        """The provider that was; NotFound."""
        ...


class DatasetStore(Protocol):
    """Datasets."""

    def create(self, dataset: Dataset) -> None:
        """NotFound without its gateway, Conflict where the gateway has one of that name."""
        ...

    def get(self, scope: Scope, dataset_id: str) -> Dataset | None: ...
    def list(
        self,
        scope: Scope,
        *,
        name: str | None,
        enable: bool | None,
        search: str | None,
        offset: int,
        limit: int,
    ) -> Page[Dataset]:
        """Newest first. `name` is exact; `search` is part of id, name or filters, case-insensitive."""
        ...

    def replace(self, dataset: Dataset) -> None:
        """NotFound where there is none of that id, Conflict where another has the name."""
        ...

    def delete(self, scope: Scope, dataset_id: str) -> Dataset:
        """The dataset that was; NotFound. Evaluations keep the copy they were created with."""
        ...


class EvaluationStore(Protocol):
    """Evaluations, and the queue of those still to be run."""

    def create(self, evaluation: Evaluation) -> None:
        """NotFound without its gateway, Conflict where that has one of the name. Claimable on return."""
        ...

    def get(self, scope: Scope, evaluation_id: str) -> Evaluation | None: ...
    def list(
        self,
        scope: Scope,
        *,
        name: str | None,
        processed: bool | None,
        search: str | None,
        offset: int,
        limit: int,
    ) -> Page[Evaluation]:
        """Newest first. `search` is part of id or name, case-insensitive."""
        ...

    def delete(self, scope: Scope, evaluation_id: str) -> Evaluation:
        """The evaluation that was, running or not; NotFound."""
        ...

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> Evaluation | None:
        """The oldest unprocessed evaluation that nobody holds (or whose lease ran out), now held by `owner`.

        `owner` is unlike any other of any process; the same one twice could not be told from itself.
        """
        ...

    def renew(self, evaluation: Evaluation, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long from now (0: let go at once); False where it was lost or deleted."""
        ...

    def save(self, evaluation: Evaluation, owner: str, results: Sequence[Result], total_logs: int) -> bool:
        """Write results (progress or final) if `owner` still holds it; False, and nothing written, where not.

        Results that are all terminal end the hold. The evaluation's `modified_at` becomes the newest there is.
        """
        ...


class Extremes(Struct, frozen=True, kw_only=True):
    """Lowest and highest figures of the logs selected; None where no log has one (contract 1.3)."""

    min_cost: Decimal | None = None
    max_cost: Decimal | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    min_tokens_in: int | None = None
    max_tokens_in: int | None = None
    min_tokens_out: int | None = None
    max_tokens_out: int | None = None
    min_total_tokens: int | None = None
    max_total_tokens: int | None = None


class LogChange(Struct, frozen=True, kw_only=True):
    """What PATCH changes in a log. A field that is not in `fields` stays as it is."""

    fields: frozenset[str]  # of "feedback", "score", "metadata"
    feedback: int | None = None
    score: float | None = None
    metadata: Metadata | None = None


class Retention(Struct, frozen=True):
    """How many logs a gateway keeps, and what happens at the limit."""

    limit: int | None
    strategy: str | None  # DELETE_OLDEST | STOP_INSERTING


class LogStore(Protocol):
    """Logs, newest first by nature."""

    def append(self, batch: Sequence[Logged], retention: Callable[[Scope], Retention]) -> None:
        """Write a batch, durably, in one go. A log whose id is there already is left as it is.

        Where the gateway's limit is reached, DELETE_OLDEST makes room and STOP_INSERTING leaves the log out.
        """
        ...

    def get(self, scope: Scope, log_id: bytes) -> LogRecord | None: ...
    def bodies(self, scope: Scope, log_id: bytes) -> Bodies | None: ...
    def page(self, scope: Scope, where: Where, part: Slice) -> list[LogRecord]: ...
    def count(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> int | None:
        """How many match, exactly. With a budget, None where it cannot be known in that time."""
        ...

    def refused(self, scope: Scope) -> int:
        """How many logs STOP_INSERTING has left out so far (one that was sent again counts again)."""
        ...

    def extremes(self, scope: Scope, where: Where) -> Extremes: ...
    def patch(self, scope: Scope, log_id: bytes, change: LogChange) -> bool:
        """False where there is no such log."""
        ...

    def delete(self, scope: Scope, where: Where, part: Slice) -> int:
        """Delete the first `part.limit` matching logs in that order, bodies too; gives the space back."""
        ...

    def delete_scope(self, scope: Scope) -> None:
        """All logs of a gateway."""
        ...

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated:
        """All figures in one pass over the logs that match."""
        ...


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


class CachedAnswer(Struct, frozen=True):
    """A provider's whole answer of status 200, kept to be given again."""

    headers: list[tuple[bytes, bytes]]  # those that describe the body; names lower-case
    body: bytes  # as it came, compressed where the headers say so


class CacheStore(Protocol):
    """Answers by key, bounded in bytes: what was not used for longest makes room."""

    def get(self, key: bytes, now_ms: int) -> CachedAnswer | None:
        """The answer that is kept and not expired. Safe to call on an event loop: some ten microseconds."""
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


class LogSink(Protocol):
    """Where the data plane hands its logs over. Never blocks, never raises."""

    def put(self, logged: Logged) -> None:
        """Take a log; it is durable within a second. When the queue is full, bodies go first, and are marked."""
        ...

    async def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every log that any process of this installation has put so far is durable.

        False where that took longer than the timeout.
        """
        ...


class LossJournal(Protocol):
    """What could not be kept: logs that were lost because no store took them in time."""

    def lost(self, scope: Scope, until_ms: int) -> int:
        """How many logs of a gateway were lost that arrived up to that moment."""
        ...


class Metric(Struct, frozen=True, kw_only=True):
    """A figure over many logs, with its denominator in sight."""

    value: Decimal | None  # exact; None: no log could be used
    n: int  # logs the figure was computed from
    skipped: int = 0  # logs that lack what the evaluator needs
    failed: int = 0  # logs on which the evaluator failed
    note: str = ""  # one sentence for people, e.g. what was left out and why


class Evaluator(Protocol):
    """An evaluation type's code. This kind needs only columns: the store computes its aggregates."""

    id: str
    name: str
    type: str
    """The family: `aggregate`, `code`, `judge`."""
    version: str
    description: str
    """What it says, its unit, and which direction is good."""
    unit: str
    aggregates: Sequence[Aggregate]

    def conclude(self, total: int, values: Mapping[Aggregate, Decimal]) -> Metric:
        """From the aggregates over `total` logs to the figure."""
        ...
