"""Datasets, evaluations, and what finds an evaluation's figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import Dataset, Evaluation, Result, Scope
from gaugeway.core.ports.common import Page


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

    def change(
        self,
        scope: Scope,
        evaluation_id: str,
        change: Callable[[Evaluation], list[Result]],
        *,
        forget_failures: bool = False,
    ) -> Evaluation:
        """Give it the results that `change` makes of it, and take it from whoever runs it; NotFound.

        What `change` raises goes through, and nothing is changed. `forget_failures`: its failed items are to be
        tried again.
        """
        ...


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
    direction: Direction
    """Which way is better."""
    aggregates: Sequence[Aggregate]

    def conclude(self, selected: Aggregated) -> Metric:
        """From the aggregates over the logs selected to the figure."""
        ...
