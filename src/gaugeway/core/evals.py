"""OpenAI's Evals at home: evals, their runs and output items, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Protocol

from msgspec import Struct, field

from gaugeway.core.model import Scope
from gaugeway.core.spending import Budget, purse_of

MAX_ITEMS = 10_000
"""Items of one run."""
USUAL_CAP = Decimal(10)
"""Dollars that a run may spend on models if it does not say."""


class RunStatus(StrEnum):
    """The state of a run, in the API's words."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELED = "canceled"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more happens."""
        return self not in (RunStatus.QUEUED, RunStatus.IN_PROGRESS)


class Eval(Struct, frozen=True, kw_only=True):
    """What is tested, and how."""

    account_id: str
    gateway_id: str
    id: str
    name: str
    created_at: int  # Unix ms
    modified_at: int
    data_source_config: dict[str, Any]
    testing_criteria: list[dict[str, Any]]
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        """The gateway whose logs it may read, and through which its models are called."""
        return Scope(self.account_id, self.gateway_id)


class ModelUse(Struct, frozen=True, kw_only=True):
    """What calls of one model have used: the tokens of those calls whose answers told."""

    model: str
    calls: int = 0
    untold: int = 0  # calls whose tokens nobody knows
    tokens_in: int = 0
    tokens_out: int = 0
    cached_tokens: int = 0


class CriterionCounts(Struct, frozen=True, kw_only=True):
    """How the items fared under one criterion."""

    name: str
    passed: int = 0
    failed: int = 0
    errored: int = 0


class EvalRun(Struct, frozen=True, kw_only=True):
    """One run of an eval over items."""

    account_id: str
    gateway_id: str
    eval_id: str
    id: str
    name: str
    created_at: int  # Unix ms
    data_source: dict[str, Any]  # as it was sent, but for the items of `file_content`, which are kept apart
    criteria: list[dict[str, Any]]  # of the eval, as they were
    model: str = ""  # the one that is tested; "" where none is called
    metadata: dict[str, str] = field(default_factory=dict)
    max_cost: Decimal = USUAL_CAP
    status: RunStatus = RunStatus.QUEUED
    error: str = ""  # why it failed
    total: int = 0
    passed: int = 0
    failed: int = 0
    errored: int = 0
    resent: int = 0  # items whose calls may have been paid twice: the process died while they were under way
    per_criterion: list[CriterionCounts] = field(default_factory=list[CriterionCounts])
    per_model: list[ModelUse] = field(default_factory=list[ModelUse])

    @property
    def scope(self) -> Scope:
        """The gateway that it is in."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def purse(self) -> Budget:
        """Whose money its calls are, and how much of it there is. It outlives runs and processes."""
        return purse_of(self.scope, f"eval run {self.id}", self.max_cost)


class OutputState(IntEnum):
    """How an item ended."""

    PASS = 0
    FAIL = 1
    ERROR = 2  # something could not be graded
    SENT = 3  # under way, or its process died meanwhile: its calls may have been paid


class GraderResult(Struct, frozen=True, kw_only=True):
    """What one grader says of one item."""

    name: str
    type: str
    passed: bool
    score: float
    note: str = ""  # what it found, or why it could not grade
    errored: bool = False


class Output(Struct, frozen=True, kw_only=True):
    """One item of a run, graded."""

    place: int  # among the run's items, 0-based
    state: OutputState
    results: list[GraderResult] = field(default_factory=list[GraderResult])
    item: dict[str, Any] | None = None  # what was graded, where it was a log
    sample: dict[str, Any] = field(default_factory=dict)  # what the model was asked and said, as the API shows it
    error: str = ""  # why there is no sample
    uses: list[ModelUse] = field(default_factory=list[ModelUse])
    resent: bool = False
    created_at: int = 0


class RunItem(Struct, frozen=True, kw_only=True):
    """What is to be graded."""

    place: int
    item: dict[str, Any] = field(default_factory=dict)  # empty where it is a log
    sample: dict[str, Any] | None = None  # an answer that came with it
    log_id: bytes | None = None  # the log that it is
    was_sent: bool = False


class Slice(Struct, frozen=True, kw_only=True):
    """Which part of a list: what comes after one of its ids, in the order of creation."""

    after: str | None = None
    limit: int = 20
    descending: bool = False


class EvalStore(Protocol):
    """Evals, their runs, and the queue of those to be run. A run that names its `owner` is refused to others."""

    def create(self, made: Eval) -> None:
        """NotFound without its gateway."""
        ...

    def get(self, scope: Scope, eval_id: str) -> Eval | None: ...
    def list(self, scope: Scope, part: Slice, *, by_change: bool = False) -> tuple[list[Eval], bool]:
        """A part, and whether more follow. NotFound where there is none of the id that it comes after."""
        ...

    def replace(self, changed: Eval) -> None:
        """NotFound."""
        ...

    def delete(self, scope: Scope, eval_id: str) -> bool:
        """With its runs; False where there is none."""
        ...

    def create_run(self, run: EvalRun, items: Sequence[RunItem]) -> None:
        """With the items that came with it; claimable on return. NotFound without its eval."""
        ...

    def get_run(self, scope: Scope, eval_id: str, run_id: str) -> EvalRun | None: ...
    def list_runs(
        self, scope: Scope, eval_id: str, part: Slice, status: RunStatus | None
    ) -> tuple[list[EvalRun], bool]: ...
    def delete_run(self, scope: Scope, eval_id: str, run_id: str) -> bool: ...
    def change_run(self, scope: Scope, eval_id: str, run_id: str, change: Callable[[EvalRun], EvalRun]) -> EvalRun:
        """Write what `change` makes of it, and take it from whoever runs it; NotFound."""
        ...

    def claim(self, owner: str, now_ms: int, lease_ms: int) -> EvalRun | None:
        """The oldest run to be done that nobody holds, now held by `owner`."""
        ...

    def renew(self, run: EvalRun, owner: str, now_ms: int, lease_ms: int) -> bool: ...
    def save(self, run: EvalRun, owner: str) -> bool:
        """Write how it stands; one that has ended is let go."""
        ...

    def plan(self, run: EvalRun, owner: str, log_ids: Sequence[bytes]) -> bool:
        """Keep which logs are its items. Items that are there already stay."""
        ...

    def pending(self, run: EvalRun, after: int, limit: int) -> list[RunItem]:
        """The next items after that place that have not ended."""
        ...

    def put(self, run: EvalRun, owner: str, output: Output) -> bool:
        """Keep an output in the place of what was known of it."""
        ...

    def planned(self, run: EvalRun) -> int:
        """How many items it has."""
        ...

    def outputs(
        self, run: EvalRun, part: Slice, state: OutputState | None = None
    ) -> tuple[list[tuple[RunItem, Output]], bool]:
        """By place; `part.after` is a place."""
        ...

    def output(self, run: EvalRun, place: int) -> tuple[RunItem, Output] | None: ...
