"""A window against its reference where logs come in clusters: those of five users say less than those of a hundred.

Logs that are in no cluster by what is asked (without that metadata entry) are one cluster together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gaugeway.core.aggregates import Op
from gaugeway.core.comparisons import Side
from gaugeway.core.items import ItemStatus, ItemStore
from gaugeway.core.model import Evaluation
from gaugeway.core.ports import LogStore
from gaugeway.core.query import Grouping, parse_grouping
from gaugeway.core.samples import AnyEvaluator, ItemEvaluator
from gaugeway.evaluation.clustering import MAX_CLUSTERS
from gaugeway.evaluation.comparing.pairing import MAX_ITEMS
from gaugeway.evaluation.figures.contrast import Divisible
from gaugeway.evaluation.selection import select_side
from gaugeway.evaluation.statistics.clustered import MIN_CLUSTERS, Apart, Cluster, quotients_apart

Clusters = Mapping[str | None, Cluster]


class ByCluster:
    """Compares windows by clusters. Blocks."""

    def __init__(self, logs: LogStore, items: ItemStore) -> None:
        self._logs = logs
        self._items = items

    def apart(
        self, evaluator: AnyEvaluator, type_id: str, by: str, reference: Sequence[Evaluation], window: Evaluation
    ) -> Apart | str:
        """How far the window's figure is from the reference's, or why that cannot be known by clusters."""
        grouping = parse_grouping(by, ())
        sides: list[Clusters] = []
        for evaluations in (reference, (window,)):
            found = self._clusters(evaluator, type_id, grouping, evaluations)
            if found is None:
                return f"there are more than {MAX_CLUSTERS} clusters of {by}, or {MAX_ITEMS} logs"
            sides.append(found)
        numbers = [sum(one.divisor != 0 for one in side.values()) for side in sides]
        if min(numbers) < MIN_CLUSTERS:
            words = f"{numbers[0]} clusters of {by} in the reference and {numbers[1]} in the window are too few"
            return f"{words}: it takes {MIN_CLUSTERS}"
        return quotients_apart(*sides) or f"all clusters of {by} have the same figure"

    def _clusters(
        self, evaluator: AnyEvaluator, type_id: str, by: Grouping, evaluations: Sequence[Evaluation]
    ) -> Clusters | None:
        if isinstance(evaluator, ItemEvaluator):
            return self._of_scores(type_id, by, evaluations)
        if not isinstance(evaluator, Divisible):
            return {}
        side = Side(label="", evaluation=evaluations[0], pooled=tuple(evaluations[1:]))
        wanted = [one for one in evaluator.aggregates if one.op is not Op.DISTRIBUTION]
        where = select_side(side)
        groups = self._logs.aggregate_by(evaluations[0].source, where, wanted, by, MAX_CLUSTERS)
        return None if groups is None else {name: Cluster(*evaluator.quotient(one)) for name, one in groups.items()}

    def _of_scores(self, type_id: str, by: Grouping, evaluations: Sequence[Evaluation]) -> Clusters | None:
        """Sums and numbers of kept scores."""
        found: dict[str | None, Cluster] = {}
        for evaluation in evaluations:
            rows = self._logs.items(evaluation.source, select_side(_side(evaluation)), (), by, MAX_ITEMS)
            if rows is None:
                return None
            names = {log_id: str(name) for name, log_id, *_ in rows}
            for log_id, score in self._scores(evaluation, type_id):
                name = names.get(log_id)
                kept = found.get(name, Cluster(0.0, 0.0))
                found[name] = Cluster(kept.dividend + score, kept.divisor + 1)
        return found

    def _scores(self, evaluation: Evaluation, type_id: str) -> list[tuple[bytes, float]]:
        position = [result.evaluation_type_id for result in evaluation.results].index(type_id)
        page = self._items.page(
            evaluation,
            position=position,
            status=ItemStatus.SCORED,
            worst_first=False,
            offset=0,
            limit=MAX_ITEMS,
        )
        return [(item.log_id, item.score) for item in page.items if item.score is not None]


def is_comparable(evaluator: AnyEvaluator) -> bool:
    """Whether its figure is one that clusters can be told of."""
    return isinstance(evaluator, (ItemEvaluator, Divisible))


def _side(evaluation: Evaluation) -> Side:
    return Side(label="", evaluation=evaluation)
