"""Comparisons of what evaluations found log by log: their kept scores, paired where the logs are of one item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gaugeway.core.comparisons import Question, Side, Subject
from gaugeway.core.errors import BadInput
from gaugeway.core.items import Counts, ItemStatus, ItemStore
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import Evaluation, ResultStatus
from gaugeway.core.ports import LogStore
from gaugeway.core.query import Grouping, Where
from gaugeway.core.samples import PASS, Figure, ItemEvaluator
from gaugeway.evaluation.comparing.pairing import EVENT_ID, MAX_ITEMS, Matched, paired, unpaired
from gaugeway.evaluation.comparing.verdicts import Found
from gaugeway.evaluation.figures.contrast import Contrast
from gaugeway.evaluation.figures.marks import marks_apart, paired_means, paired_shares, shares_apart
from gaugeway.evaluation.item_figures import figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

ID = Grouping("id")
_COMPLETED = (
    ResultStatus.COMPLETED,
    ResultStatus.COMPLETED_WITHOUT_LOGS,
)  # else a part of the scores passes for all


class Scored:
    """One evaluation type's scores on all sides, each of which is an evaluation that has them."""

    def __init__(
        self,
        *,
        items: ItemStore,
        logs: LogStore,
        question: Question,
        wheres: Sequence[Where],
        type_id: str,
        evaluator: ItemEvaluator,
    ) -> None:
        if evaluator.direction is Direction.NEITHER:
            raise BadInput(f"'{evaluator.id}' describes and does not judge: it cannot be compared", _PATH)
        self._logs = logs
        self._question = question
        self._wheres = wheres
        self._evaluator = evaluator
        self.subject = Subject(type_id=type_id, unit=evaluator.unit, direction=evaluator.direction)
        self._scores = [self._read(items, *pair) for pair in zip(question.sides, wheres, strict=True)]
        self._names: dict[int, dict[str, list[float]] | None] = {}

    def metric(self, side: int) -> Metric:
        """The side's figure over the logs that have a score."""
        scores = list(self._scores[side].values())
        return figure(self._evaluator.figure, scores, Counts(scored=len(scores)), len(scores))

    def found(self, side: int) -> Found:
        """The side against the baseline."""
        value = self.metric(0).value
        baseline = None if value is None else float(value)
        matched = self._match(side)
        if matched is not None:
            return Found(self.subject, side, matched.contrast, baseline, matched.pairs)
        why = unpaired(self._question.pair_by)
        return Found(self.subject, side, self._apart(side), baseline, unpaired=why)

    def _read(self, items: ItemStore, side: Side, where: Where) -> dict[bytes, float]:
        """The scores by log: of the evaluations' logs, those that meet the side's other conditions."""
        if side.evaluation is None:
            raise BadInput(
                f"'{side.label}' is no completed evaluation of '{self.subject.type_id}', which needs one", _PATH
            )
        scores: dict[bytes, float] = {}
        for evaluation in side.evaluations:
            scores |= self._read_one(items, side.label, evaluation)
        if len(scores) > MAX_ITEMS:
            raise self._too_many(side.label)
        if not (side.filters or side.entries or side.dataset):
            return scores
        chosen = self._logs.items(side.source(self._question.scope), where, (), ID, MAX_ITEMS)
        if chosen is None:
            raise BadInput(f"'{side.label}' has more than {MAX_ITEMS} logs: too many to find their scores", _PATH)
        return {log_id: scores[log_id] for _, log_id, *_ in chosen if log_id in scores}

    def _read_one(self, items: ItemStore, label: str, evaluation: Evaluation) -> dict[bytes, float]:
        type_id = self.subject.type_id
        positions = [
            position
            for position, result in enumerate(evaluation.results)
            if result.evaluation_type_id == type_id and result.status in _COMPLETED
        ]
        if not positions:
            raise BadInput(f"'{label}' is no completed evaluation of '{type_id}', which needs one", _PATH)
        page = items.page(
            evaluation,
            position=positions[0],
            status=ItemStatus.SCORED,
            worst_first=False,
            offset=0,
            limit=MAX_ITEMS + 1,
        )
        if len(page.items) > MAX_ITEMS:
            raise self._too_many(label)
        return {item.log_id: item.score for item in page.items if item.score is not None}

    def _too_many(self, label: str) -> BadInput:
        return BadInput(f"'{label}' has more than {MAX_ITEMS} scores of '{self.subject.type_id}': too many", _PATH)

    def _apart(self, side: int) -> Contrast | None:
        first, second = (_array(self._scores[place]) for place in (0, side))
        if not len(first) or not len(second):
            return None
        if self._evaluator.figure is Figure.SHARE:
            (k1, n1), (k2, n2) = ((int((one == PASS).sum()), len(one)) for one in (first, second))
            return shares_apart(k1, n1, k2, n2)
        return marks_apart(first, second)

    def _match(self, side: int) -> Matched | None:
        by = self._question.pair_by or (EVENT_ID if self._question.find_pairs else None)
        if by is None:
            return None
        first, second = self._named(0, by), self._named(side, by)
        compare = paired_shares if self._evaluator.figure is Figure.SHARE else paired_means
        return paired(first, second, compare, by, asked=self._question.pair_by is not None)

    def _named(self, side: int, by: Grouping) -> dict[str, list[float]] | None:
        """The scores by what their items are called; of logs that are gone it is not known any more."""
        if side not in self._names:
            source = self._question.sides[side].source(self._question.scope)
            rows = self._logs.items(source, self._wheres[side], (), by, MAX_ITEMS)
            named: dict[str, list[float]] = {}
            for name, log_id, *_ in rows or ():
                score = self._scores[side].get(log_id)
                if score is not None:
                    named.setdefault(str(name), []).append(score)
            self._names[side] = named or None
        return self._names[side]


_PATH = ("body", "evaluation_type_ids")


def _array(scores: dict[bytes, float]) -> NDArray[Any]:
    import numpy as np

    return np.array(list(scores.values()), dtype=float)
