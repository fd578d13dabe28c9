"""Which logs an evaluation is about."""

from __future__ import annotations

from gaugeway.core.errors import BadInput, GaugewayError
from gaugeway.core.model import Dataset, Evaluation
from gaugeway.core.query import Filter, Where, parse_all


class Unselectable(GaugewayError):
    """The evaluation's stored datasets do not say which logs are meant. Trying again would not help."""


def select(evaluation: Evaluation) -> Where:
    """The distinct logs in any of its datasets, as these were at creation, created up to that moment.

    Raises Unselectable where a stored filter cannot be read: an unreadable filter must never select everything.
    """
    if not evaluation.datasets:
        raise Unselectable("the evaluation has no dataset")
    return Where(alternatives=tuple(map(_filters, evaluation.datasets)), until_ms=evaluation.created_at)


def _filters(dataset: Dataset) -> tuple[Filter, ...]:
    try:
        return parse_all(dataset.filters, ("filters",), for_dataset=True)
    except BadInput as problem:
        where = ".".join(map(str, problem.path))
        raise Unselectable(
            f"dataset {dataset.name!r} ({dataset.id}) cannot be read at {where}: {problem.message}"
        ) from problem
