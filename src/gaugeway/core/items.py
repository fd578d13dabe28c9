"""Item-wise results: one Item per log and evaluation type, where they are kept, and custom evaluation types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from typing import Any, Protocol

from msgspec import Struct, field

from gaugeway.core.model import Evaluation
from gaugeway.core.ports import Page
from gaugeway.core.votes import Vote


class ItemStatus(IntEnum):
    """How an item ended."""

    SCORED = 0
    FAILED = 1  # the evaluator failed on it; can be tried again
    SKIPPED = 2  # the log lacks what the evaluator needs


class Item(Struct, frozen=True, kw_only=True):
    """What one evaluation type found in one log."""

    log_id: bytes
    position: int  # which of the evaluation's results it belongs to, 0-based
    status: ItemStatus
    score: float | None = None  # in the evaluator's unit; None: not scored
    badness: float | None = None  # the higher the worse, by the evaluator's direction; None: not scored, or neither
    note: str = ""  # why it was skipped or failed, or what was found
    votes: tuple[Vote, ...] = ()  # of a panel's members, in their order


class Counts(Struct, frozen=True):
    """How many items of one result ended how."""

    scored: int = 0
    failed: int = 0
    skipped: int = 0


class Pending(Struct, frozen=True):
    """A log with the results that still lack an item for it."""

    log_id: bytes
    positions: tuple[int, ...]


class ItemStore(Protocol):
    """Items of evaluations. They go with their evaluation.

    Writes name the `owner` who runs the evaluation, and are refused (False, and nothing written) to anybody who
    no longer holds it: so however often a run changes hands, an item is kept once.
    """

    def plan(self, evaluation: Evaluation, owner: str, log_ids: Sequence[bytes]) -> bool:
        """Keep which logs the evaluation is about. Once it has a plan, that stays: a second one changes nothing."""
        ...

    def planned(self, evaluation: Evaluation) -> int:
        """How many logs are planned; 0 where there is no plan."""
        ...

    def pending(self, evaluation: Evaluation, positions: Sequence[int], after: bytes, limit: int) -> list[Pending]:
        """The next planned logs after that id for which any of these results lacks an item."""
        ...

    def put(self, evaluation: Evaluation, owner: str, items: Sequence[Item]) -> bool:
        """Keep items, all or none. One that is there already stays as it is."""
        ...

    def counts(self, evaluation: Evaluation) -> dict[int, Counts]:
        """By the results' positions; a result without items is left out."""
        ...

    def scores(self, evaluation: Evaluation, position: int) -> list[float]:
        """All scores of one result, by the logs' time."""
        ...

    def votes(self, evaluation: Evaluation, position: int) -> Iterator[tuple[float | None, tuple[Vote, ...]]]:
        """The score and the members' votes of each item that has some, by the logs' time. Read as it goes."""
        ...

    def page(
        self,
        evaluation: Evaluation,
        *,
        position: int | None,
        status: ItemStatus | None,
        worst_first: bool,
        offset: int,
        limit: int,
    ) -> Page[Item]:
        """Result by result. Worst first: the scored ones by badness, then the failed, then the skipped ones.

        Otherwise by the logs' time.
        """
        ...


class CustomType(Struct, frozen=True, kw_only=True):
    """A custom evaluation type: an evaluator with parameters, under a name of the account's."""

    account_id: str
    id: str  # UUIDv7 text
    name: str
    evaluator_id: str
    description: str
    created_at: int
    modified_at: int
    parameters: dict[str, Any] = field(default_factory=dict)


class CustomTypeStore(Protocol):
    """Custom evaluation types."""

    def create(self, custom: CustomType) -> None:
        """NotFound without its account, Conflict where the account has one of that name."""
        ...

    def get(self, account_id: str, type_id: str) -> CustomType | None: ...
    def list(self, account_id: str) -> list[CustomType]:
        """Oldest first."""
        ...

    def delete(self, account_id: str, type_id: str) -> CustomType:
        """The type that was; NotFound. Evaluations keep the copy they were created with."""
        ...
