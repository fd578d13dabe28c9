"""Which logs an evaluation is about."""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.comparisons import Side
from gaugeway.core.errors import BadInput, GaugewayError
from gaugeway.core.model import Dataset, Evaluation
from gaugeway.core.query import Criterion, Filter, Operator, Where, parse_all

MAX_ALTERNATIVES = 100


class Unselectable(GaugewayError):
    """The evaluation's stored datasets do not say which logs are meant. Trying again would not help."""


def select(evaluation: Evaluation) -> Where:
    """The distinct logs in any of its datasets, as these were at creation, created up to that moment.

    Of a snapshot, all that are in `evaluation.source`. Raises Unselectable where a stored filter cannot be read:
    an unreadable filter must never select everything.
    """
    if evaluation.snapshot is not None:
        return Where()
    if not evaluation.datasets:
        raise Unselectable("the evaluation has no dataset")
    alternatives = tuple(map(_filters, evaluation.datasets))
    window = evaluation.window
    if window is None:
        return Where(alternatives=alternatives, until_ms=evaluation.created_at)
    after = Filter("created_at", Operator.GT, (window.after_ms,))
    return Where(alternatives=tuple((*one, after) for one in alternatives), until_ms=window.until_ms)


def select_dataset(dataset: Dataset, until_ms: int) -> Where:
    """The logs of a dataset, created up to that moment; raises Unselectable."""
    return Where(alternatives=(_filters(dataset),), until_ms=until_ms)


def select_side(side: Side) -> Where:
    """The logs of one side of a comparison. BadInput where its datasets cannot be read any more."""
    try:
        where = _any([select(one) for one in side.evaluations]) if side.evaluation else Where()
        of_dataset = (_filters(side.dataset),) if side.dataset else ((),)
    except Unselectable as problem:
        raise BadInput(f"{side.label}: {problem}") from problem
    alternatives = tuple((*one, *other, *side.filters) for one in where.alternatives for other in of_dataset)
    return Where(alternatives=alternatives, until_ms=where.until_ms, entries=side.entries)


def _any(wheres: Sequence[Where]) -> Where:
    """The logs in any of these selections, each up to its own moment."""
    if len(wheres) == 1:
        return wheres[0]
    alternatives: list[tuple[Criterion, ...]] = []
    for where in wheres:
        ends = () if where.until_ms is None else (Filter("created_at", Operator.LT, (where.until_ms + 1,)),)
        alternatives += [(*one, *ends) for one in where.alternatives]
    ends = [where.until_ms for where in wheres]
    return Where(
        alternatives=tuple(alternatives),
        until_ms=None if None in ends else max(end for end in ends if end is not None),
    )


def both(first: Where, second: Where) -> Where | None:
    """The logs that two selections have in common; None where that is too long to be asked."""
    alternatives = tuple((*one, *other) for one in first.alternatives for other in second.alternatives)
    if len(alternatives) > MAX_ALTERNATIVES:
        return None
    ends = [where.until_ms for where in (first, second) if where.until_ms is not None]
    return Where(
        alternatives=alternatives,
        until_ms=min(ends) if ends else None,
        entries=(*first.entries, *second.entries),
    )


def _filters(dataset: Dataset) -> tuple[Criterion, ...]:
    try:
        return parse_all(dataset.filters, ("filters",), for_dataset=True)
    except BadInput as problem:
        where = ".".join(map(str, problem.path))
        raise Unselectable(
            f"dataset {dataset.name!r} ({dataset.id}) cannot be read at {where}: {problem.message}"
        ) from problem
