"""Intervals where logs come in clusters (a user's requests are alike), and therefore say less than their number."""

from __future__ import annotations

from msgspec import Struct, structs

from gaugeway.core.aggregates import Aggregated, Op
from gaugeway.core.metrics import Metric
from gaugeway.core.model import Evaluation, Result, Scope
from gaugeway.core.ports import Evaluator, LogStore
from gaugeway.core.query import Where, parse_grouping
from gaugeway.evaluation.figures.contrast import Divisible
from gaugeway.evaluation.statistics.clustered import MIN_CLUSTERS, Cluster, clustered_interval
from gaugeway.evaluation.statistics.decimals import interval

MAX_CLUSTERS = 200_000


class Clusters(Struct, frozen=True):
    """The logs of an evaluation by cluster."""

    by: str
    figures: dict[str | None, Aggregated] | None  # None: there are more than MAX_CLUSTERS


def gather(logs: LogStore, scope: Scope, where: Where, evaluation: Evaluation, wanted: list[Evaluator]) -> Clusters:
    """What the evaluators need of each cluster. `evaluation.cluster_by` is not empty."""
    by = parse_grouping(evaluation.cluster_by, ())
    aggregates = [
        item
        for evaluator in wanted
        if isinstance(evaluator, Divisible)
        for item in evaluator.aggregates
        if item.op is not Op.DISTRIBUTION
    ]
    return Clusters(str(by), logs.aggregate_by(scope, where, list(dict.fromkeys(aggregates)), by, MAX_CLUSTERS))


def clustered(metric: Metric, evaluator: Evaluator, clusters: Clusters) -> Metric:
    """The metric with the interval that the clusters allow, or why there is none. Never the one of single logs."""
    if metric.value is None:
        return metric
    if not isinstance(evaluator, Divisible):
        return _without(metric, f"an interval of this figure by clusters of {clusters.by} is not known")
    if clusters.figures is None:
        return _without(metric, f"there are more than {MAX_CLUSTERS} clusters of {clusters.by}")
    found = {name: Cluster(*evaluator.quotient(one)) for name, one in clusters.figures.items()}
    found = {name: one for name, one in found.items() if one.divisor}
    if None in found:
        return _without(metric, f"some logs have no {clusters.by}, so their cluster is not known")
    if len(found) < MIN_CLUSTERS:
        return _without(metric, f"{len(found)} clusters of {clusters.by} are too few: it takes {MIN_CLUSTERS}")
    ends = clustered_interval(list(found.values()))
    if ends is None:
        return _without(metric, f"all clusters of {clusters.by} have the same figure")
    low, high = (max(ends[0], 0.0), min(ends[1], 100.0)) if evaluator.unit == "%" else ends
    return structs.replace(metric, interval=interval(low, high, f"clustered t by {clusters.by}"))


def unclustered(result: Result, cluster_by: str) -> Result:
    """A result of single logs' scores: its interval takes no account of clusters, so it must not be shown."""
    if not cluster_by or not result.low:
        return result
    note = f"an interval of this figure by clusters of {cluster_by} is not known"
    return structs.replace(result, low="", high="", interval_method="", interval_note=note)


def _without(metric: Metric, why: str) -> Metric:
    return structs.replace(metric, interval=None, no_interval=why)
