"""Logs: where they are kept, what is known of many at once, and the way there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from msgspec import Struct

from gaugeway.core.aggregates import Aggregate, Aggregated, Column
from gaugeway.core.analytics import Difference, Figures, Group, Point, Question, Total
from gaugeway.core.model import Bodies, Logged, LogRecord, Metadata, Scope
from gaugeway.core.query import Grouping, Slice, Where


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


Mark = tuple[int, int]
"""How far a sender's logs have been written: the number of its last batch, and how many logs of that one."""


class LogStore(Protocol):
    """Logs, newest first by nature."""

    def append(
        self,
        batch: Sequence[Logged],
        retention: Callable[[Scope], Retention],
        marks: Mapping[str, Mark] | None = None,
    ) -> None:
        """Write a batch, durably, in one go. A log whose id is there already is left as it is.

        Where the gateway's limit is reached, DELETE_OLDEST makes room and STOP_INSERTING leaves the log out.
        `marks`: how far each sender is with it, remembered together with it or not at all.
        """
        ...

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        """How far each living sender is; those of others, who never send again, are forgotten."""
        ...

    def get(self, scope: Scope, log_id: bytes) -> LogRecord | None: ...
    def bodies(self, scope: Scope, log_id: bytes) -> Bodies | None: ...
    def page(self, scope: Scope, where: Where, part: Slice) -> list[LogRecord]: ...
    def ids(self, scope: Scope, where: Where, part: Slice) -> list[bytes]:
        """The ids of a page."""
        ...

    def count(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> int | None:
        """How many match, exactly. With a budget, None where it cannot be known in that time."""
        ...

    def refused(self, scope: Scope) -> int:
        """How many logs STOP_INSERTING has left out so far, each once."""
        ...

    def extremes(self, scope: Scope, where: Where, *, budget_ms: int | None = None) -> Extremes | None:
        """Lowest and highest figures. With a budget, None where they cannot be known in that time."""
        ...

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

    def aggregate_by(
        self, scope: Scope, where: Where, wanted: Sequence[Aggregate], by: Grouping, limit: int
    ) -> dict[str | None, Aggregated] | None:
        """All figures of each group of the logs that match; None where there are more than `limit` groups.

        The group None has the logs without the metadata entry that is grouped by.
        """
        ...

    def items(
        self, scope: Scope, where: Where, columns: Sequence[Column], by: Grouping, limit: int
    ) -> list[tuple[Any, ...]] | None:
        """For each log that matches and has what it is called `by`: that, its id, the columns (None: not known).

        By the kind `id` a log is called by its id.

        None where there are more than `limit` such logs.
        """
        ...


class AnalyticsStore(Protocol):
    """Figures over the logs that there are, by time and kind."""

    def answer(self, question: Question) -> dict[Point, Figures]:
        """Every bucket and group in which there is a log; each log is in exactly one of them."""
        ...

    def groups(self, question: Question) -> Mapping[Group, int]:
        """Every group that has a log, whatever `groups` asks for, and how many it has; buckets do not matter."""
        ...

    def totals(self, account_id: str) -> Sequence[Total]:
        """Of every gateway and provider of an account, in the order of their first logs.

        Deletions, limits and feedback do not change them; a deleted gateway takes its own with it.
        """
        ...

    def recount(self, counted: Callable[[int], None]) -> None:
        """Derive what the answers are made of anew from all logs; tell how many logs each step has read."""
        ...

    def differences(self, counted: Callable[[int], None]) -> Iterator[Difference]:
        """Where it is not what the logs say: nowhere, unless a file was damaged or changed by something else."""
        ...


class Coverage(Struct, frozen=True, kw_only=True):
    """How far the columns of a gateway's logs go."""

    scope: Scope
    logs: int  # that it has
    projected: int  # logs that its columns hold, those that are gone since included
    changed: int  # logs that are not what its columns say, or are not in them: read one by one
    bytes: int  # of its columns


class Projection(Protocol):
    """Columns of the logs, beside them, by which figures come faster. Derived: whatever is lost is made anew."""

    def aggregate(self, scope: Scope, where: Where, wanted: Sequence[Aggregate]) -> Aggregated | None:
        """What LogStore.aggregate answers, by the columns; None where the logs themselves have to be read."""
        ...

    def catch_up(self) -> int:
        """Make what is missing, and what has changed much, unless somebody else does; how many logs were read."""
        ...

    def rebuild(self, counted: Callable[[int], None]) -> None:
        """Make all columns anew from the logs; tell how many logs each step has read.

        Raises StoreUnusable where they cannot be made.
        """
        ...

    def coverage(self) -> Sequence[Coverage]:
        """Of every gateway that ever had a log."""
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

    def is_full(self) -> bool:
        """Whether logs wait because there is no room to write them: then only making room helps, by deleting."""
        ...


class LossJournal(Protocol):
    """What could not be kept: logs that were lost because no store took them in time."""

    def lost(self, scope: Scope, until_ms: int) -> int:
        """How many logs of a gateway were lost that arrived up to that moment."""
        ...

    def total(self) -> int:
        """How many logs of all gateways were ever lost."""
        ...
