"""Answers comparisons and breakdowns from the logs as they are now, a few at a time."""

from __future__ import annotations

from collections.abc import Sequence
from threading import BoundedSemaphore

from gaugeway.core.aggregates import Aggregate, Aggregated
from gaugeway.core.comparisons import Breakdown, Comparison, Difference, Part, Question, Side, Subject
from gaugeway.core.errors import BadInput
from gaugeway.core.items import ItemStore
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import Scope
from gaugeway.core.ports import Evaluator, LogStore
from gaugeway.core.query import Grouping, Where
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator
from gaugeway.evaluation.comparing import verdicts
from gaugeway.evaluation.comparing.itemwise import ID, Scored
from gaugeway.evaluation.comparing.pairing import MAX_ITEMS, Matching, unpaired
from gaugeway.evaluation.comparing.verdicts import Found
from gaugeway.evaluation.figures.contrast import Comparable, Pairable
from gaugeway.evaluation.selection import both, select_side
from gaugeway.evaluation.statistics.holm import holm

AT_ONCE = 2
"""Walks over the logs that one process makes for comparisons at a time: each may take seconds of a core."""
MAX_GROUPS = 10_000
"""Groups that are told apart; of more of them, a breakdown would say little anyway."""
OVERLAP_BUDGET_MS = 10_000


class LogAnalyst:
    """An Analyst over a log store. From any thread."""

    def __init__(self, logs: LogStore, evaluators: Sequence[AnyEvaluator], items: ItemStore | None = None) -> None:
        self._logs = logs
        self._items = items
        self._columns = {one.id: one for one in evaluators if not isinstance(one, ItemEvaluator)}
        self._itemwise = {one.id: one for one in evaluators if isinstance(one, ItemEvaluator)}
        self._turns = BoundedSemaphore(AT_ONCE)

    def comparable(self) -> tuple[str, ...]:
        """The evaluation types over columns that comparisons can be made of."""
        return tuple(one.id for one in self._columns.values() if _is_comparable(one))

    def compare(self, question: Question) -> Comparison:
        """See Analyst."""
        wheres = [select_side(side) for side in question.sides]
        with self._turns:
            subjects = [self._subject(question, wheres, *numbered) for numbered in enumerate(question.type_ids)]
            columns = [one for one in subjects if not isinstance(one, Scored)]
            wanted = _aggregates(columns)
            sources = [side.source(question.scope) for side in question.sides]
            placed = list(zip(sources, wheres, strict=True))
            selected = [self._logs.aggregate(source, where, wanted) for source, where in placed]
            overlaps = [0, *(self._overlap(placed[0], other) for other in placed[1:])]
            matching = Matching(self._logs, question, columns, wheres)
            found = [
                one.found(side) if isinstance(one, Scored) else _contrast(matching, one, selected, side)
                for side in range(1, len(wheres))
                for one in subjects
            ]
        adjusted = iter(holm([one.p_value for one in found if one.p_value is not None]))
        tests = sum(one.p_value is not None for one in found)
        differences: list[Difference] = []
        for one in found:
            p_value = next(adjusted) if one.p_value is not None else None
            differences.append(verdicts.judge(one, question.margins, p_value, tests))
        return Comparison(
            subjects=tuple(one.subject if isinstance(one, Scored) else subject_of(one) for one in subjects),
            totals=tuple(side.total for side in selected),
            overlaps=tuple(overlaps),
            metrics=tuple(
                {
                    type_id: one.metric(place) if isinstance(one, Scored) else one.conclude(side)
                    for type_id, one in zip(question.type_ids, subjects, strict=True)
                }
                for place, side in enumerate(selected)
            ),
            differences=tuple(differences),
            gate=verdicts.overall(differences),
        )

    def _subject(self, question: Question, wheres: Sequence[Where], index: int, type_id: str) -> Evaluator | Scored:
        """What answers for one evaluation type: its evaluator over columns, or the scores of its items."""
        path = ("body", "evaluation_type_ids", index)
        evaluator = self._columns.get(type_id)
        if evaluator is not None:
            if not _is_comparable(evaluator):
                raise BadInput(f"'{type_id}' cannot be compared; there are: {', '.join(self.comparable())}", path)
            return evaluator
        results = [result for side in question.sides if side.evaluation for result in side.evaluation.results]
        result = next((one for one in results if one.evaluation_type_id == type_id), None)
        behind = (result.evaluator_id if result else "") or type_id
        itemwise = self._itemwise.get(behind)
        if itemwise is None or self._items is None:
            raise BadInput(f"This server has no evaluator '{behind}'", path)
        return Scored(
            items=self._items,
            logs=self._logs,
            question=question,
            wheres=wheres,
            type_id=type_id,
            evaluator=itemwise.declared(result.parameters) if result else itemwise,
        )

    def break_down(
        self, side: Side, scope: Scope, type_ids: tuple[str, ...], by: Grouping, limit: int
    ) -> Breakdown:
        """See Analyst."""
        evaluators = [self._columns[type_id] for type_id in type_ids]
        with self._turns:
            source, where = side.source(scope), select_side(side)
            groups = self._logs.aggregate_by(source, where, _aggregates(evaluators), by, MAX_GROUPS)
        if groups is None:
            raise BadInput(
                f"There are more than {MAX_GROUPS} groups by {by}: too many to be told apart", ("query", "by")
            )
        ordered = sorted(groups.items(), key=lambda group: (-group[1].total, group[0] is None, group[0] or ""))
        others = ordered[limit:]
        return Breakdown(
            total=sum(one.total for one in groups.values()),
            parts=tuple(Part(name, one.total, _metrics(evaluators, one)) for name, one in ordered[:limit]),
            other_groups=len(others),
            other_logs=sum(one.total for _, one in others),
        )

    def _overlap(self, first: tuple[Scope, Where], second: tuple[Scope, Where]) -> int | None:
        """How many logs are on both sides; None where that cannot be counted in time."""
        if first[0] != second[0]:  # a snapshot's frozen logs have the ids of those that they were made of
            known = [self._logs.items(*side, (), ID, MAX_ITEMS) for side in (first, second)]
            if known[0] is None or known[1] is None:
                return None
            return len({row[1] for row in known[0]} & {row[1] for row in known[1]})
        common = both(first[1], second[1])
        return 0 if common is None else self._logs.count(first[0], common, budget_ms=OVERLAP_BUDGET_MS)


def subject_of(evaluator: Evaluator) -> Subject:
    """What an evaluator's figures mean."""
    return Subject(type_id=evaluator.id, unit=evaluator.unit, direction=evaluator.direction)


def _is_comparable(evaluator: Evaluator) -> bool:
    return isinstance(evaluator, Comparable) and evaluator.direction is not Direction.NEITHER


def _contrast(matching: Matching, evaluator: Evaluator, selected: Sequence[Aggregated], side: int) -> Found:
    """Item by item where items match, else as two lots of different logs."""
    subject, value = subject_of(evaluator), evaluator.conclude(selected[0]).value
    baseline = None if value is None else float(value)
    matched = matching.match(evaluator, side)
    if matched is not None:
        return Found(subject, side, matched.contrast, baseline, matched.pairs)
    assert isinstance(evaluator, Comparable)  # noqa: S101 - `_subject` let nothing else through
    return Found(
        subject,
        side,
        evaluator.contrast(selected[0], selected[side]),
        baseline,
        unpaired=unpaired(matching.asked) if isinstance(evaluator, Pairable) else "",
    )


def _aggregates(evaluators: Sequence[Evaluator]) -> list[Aggregate]:
    return list(dict.fromkeys(item for evaluator in evaluators for item in evaluator.aggregates))


def _metrics(evaluators: Sequence[Evaluator], selected: Aggregated) -> dict[str, Metric]:
    return {evaluator.id: evaluator.conclude(selected) for evaluator in evaluators}
