"""Which logs of two sides are about the same item: those called the same by their event id or metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gaugeway.core.aggregates import Column
from gaugeway.core.comparisons import Pairs, Question
from gaugeway.core.model import Scope
from gaugeway.core.ports import Evaluator, LogStore
from gaugeway.core.query import Grouping, Where
from gaugeway.evaluation.figures.contrast import Contrast, Pairable

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ITEMS = 500_000
"""Logs of a side that are matched; more are compared as a whole."""
EVENT_ID = Grouping("event_id")
ENOUGH = 0.5
"""The share of either side's items that must match before they are taken for the same unasked."""


class Matched(Struct, frozen=True):
    """What came of it."""

    contrast: Contrast
    pairs: Pairs


class _Items(Struct, frozen=True):
    """The logs of one side that are called something."""

    names: list[str]
    columns: dict[Column, NDArray[Any]]  # not known: NaN


class Matching:
    """The items of all sides of a question, read once."""

    def __init__(
        self, logs: LogStore, question: Question, evaluators: Sequence[Evaluator], wheres: Sequence[Where]
    ) -> None:
        self.asked = question.pair_by
        self._by = question.pair_by or (EVENT_ID if question.find_pairs else None)
        self._sides: list[_Items | None] = [None] * len(wheres)
        columns = list(dict.fromkeys(one.item_column for one in evaluators if isinstance(one, Pairable)))
        if self._by is None or not columns:
            return
        for place, where in enumerate(wheres):
            self._sides[place] = _read(logs, question.sides[place].source(question.scope), where, columns, self._by)
            if self._sides[0] is None:
                return  # without the baseline's there is nothing to match

    def match(self, evaluator: Evaluator, side: int) -> Matched | None:
        """The items of a side and of the baseline one by one; None where they do not match."""
        baseline, other = self._sides[0], self._sides[side]
        if baseline is None or other is None or not isinstance(evaluator, Pairable):
            return None
        first, second = _marks(baseline, evaluator), _marks(other, evaluator)
        return paired(first, second, evaluator.paired, self._by or EVENT_ID, asked=self.asked is not None)


def unpaired(asked: Grouping | None) -> str:
    """What is to be said where pairs were asked for and there are none."""
    if asked is None:
        return ""
    return (
        f"compared as different logs: no two items with a figure match by {asked}, or over {MAX_ITEMS:,} logs would"
    )


def paired(
    first: Mapping[str, list[float]] | None,
    second: Mapping[str, list[float]] | None,
    compare: Callable[[NDArray[Any], NDArray[Any]], Contrast],
    by: Grouping,
    *,
    asked: bool,
) -> Matched | None:
    """The items of the baseline and of another side by what they are called, with the marks of their logs.

    None where they do not match: fewer than two do, or, unless pairs were `asked` for, less than ENOUGH.
    """
    if not first or not second:
        return None
    names = sorted(first.keys() & second.keys())
    few = len(names) < ENOUGH * min(len(first), len(second))
    if len(names) < 2 or (few and not asked):
        return None
    one, two = _averages(first, names), _averages(second, names)
    pairs = Pairs(
        by=str(by),
        items=len(names),
        unmatched=(len(first) - len(names), len(second) - len(names)),
        means=(float(one.mean()), float(two.mean())),
    )
    return Matched(compare(one, two), pairs)


def _read(logs: LogStore, source: Scope, where: Where, columns: Sequence[Column], by: Grouping) -> _Items | None:
    """None where no log is called anything, or too many are."""
    import numpy as np

    rows = logs.items(source, where, columns, by, MAX_ITEMS)
    if not rows:
        return None
    names, _, *values = zip(*rows, strict=True)
    known = [np.array([np.nan if value is None else value for value in column], dtype=float) for column in values]
    return _Items([str(name) for name in names], dict(zip(columns, known, strict=True)))


def _marks(items: _Items, evaluator: Pairable) -> dict[str, list[float]]:
    """What each item is called, and the marks of its logs that have one."""
    import numpy as np

    marks = evaluator.marks(items.columns[evaluator.item_column])
    found: dict[str, list[float]] = {}
    for place in np.flatnonzero(~np.isnan(marks)):
        found.setdefault(items.names[place], []).append(float(marks[place]))
    return found


def _averages(items: Mapping[str, list[float]], names: list[str]) -> NDArray[Any]:
    """One mark an item: the mean over its logs."""
    import numpy as np

    return np.array([sum(items[name]) / len(items[name]) for name in names])
