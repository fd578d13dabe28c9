"""How far annotators agree: in pairs by Cohen's kappa, all together by Krippendorff's alpha."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

from gaugeway.core.annotations import Agreement, Annotation, AnnotationQueue, Estimate, Measure, PairAgreement
from gaugeway.evaluation.alpha import NO_VARIETY, NOTHING_SHARED, alpha_of
from gaugeway.evaluation.statistics.kappa import cohen
from gaugeway.evaluation.statistics.krippendorff import distances
from gaugeway.evaluation.statistics.wilson import wilson

MAX_DISPUTED = 100
"""Items shown on which annotators differ."""
FULL = "they agree on every item, which leaves no spread to reckon an interval from"
ONE_LABEL = "no interval: one of the two gave all items the same label, which leaves no spread to reckon with"


def agreement_of(queue: AnnotationQueue, annotations: Sequence[Annotation]) -> Agreement:
    """Agreement over everything that was said in a queue."""
    place = {label: index for index, label in enumerate(queue.labels)}
    marks: dict[bytes, dict[str, int]] = defaultdict(dict)
    for one in annotations:
        if one.label is not None:
            marks[one.log_id][one.annotator] = place[one.label]
    given = Counter(label for item in marks.values() for label in item.values())
    return Agreement(
        marked=len(marks),
        shared=sum(len(item) >= 2 for item in marks.values()),
        unjudged=sum(one.label is None for one in annotations),
        labels={label: given[index] for label, index in place.items()},
        alpha=_alpha(queue, marks),
        pairs=tuple(_pairs(queue, marks)),
        disputed=_disputed(queue, marks, given),
    )


def _alpha(queue: AnnotationQueue, marks: Mapping[bytes, Mapping[str, int]]) -> Estimate:
    shared = [sorted(item.values()) for item in marks.values() if len(item) >= 2]
    return alpha_of(shared, numbers(queue), queue.measure)


def _pairs(queue: AnnotationQueue, marks: Mapping[bytes, Mapping[str, int]]) -> list[PairAgreement]:
    tables: dict[tuple[str, str], list[list[int]]] = {}
    size = len(queue.labels)
    for item in marks.values():
        for pair in combinations(sorted(item), 2):
            table = tables.setdefault(pair, [[0] * size for _ in range(size)])
            table[item[pair[0]]][item[pair[1]]] += 1
    return [
        PairAgreement(annotators=pair, agreement=share_alike(table), kappa=kappa_of(table))
        for pair, table in sorted(tables.items())
    ]


def share_alike(table: Sequence[Sequence[int]]) -> Estimate:
    """The share of items on the diagonal of a table by two labels."""
    return share(sum(table[index][index] for index in range(len(table))), sum(map(sum, table)))


def share(hits: int, n: int, nothing: str = "no item") -> Estimate:
    """A share with Wilson's interval."""
    if not n:
        return Estimate(value=None, note=nothing)
    low, high = wilson(hits, n)
    return Estimate(value=hits / n, low=low, high=high, n=n, method="wilson")


def kappa_of(table: Sequence[Sequence[int]]) -> Estimate:
    """Cohen's kappa of a table by two labels."""
    n = sum(map(sum, table))
    found = cohen(table)
    if found is None:
        return Estimate(value=None, n=n, note=NO_VARIETY if n else NOTHING_SHARED)
    if found.low is None:
        return Estimate(value=found.value, n=n, note=FULL if found.value == 1 else ONE_LABEL)
    return Estimate(value=found.value, low=found.low, high=found.high, n=n, method="asymptotic")


def numbers(queue: AnnotationQueue) -> list[float]:
    """The labels as numbers: what they say for the measure `interval`, else their places."""
    if queue.measure is Measure.INTERVAL:
        return [float(label) for label in queue.labels]
    return [float(index) for index in range(len(queue.labels))]


def _disputed(
    queue: AnnotationQueue, marks: Mapping[bytes, Mapping[str, int]], given: Mapping[int, int]
) -> tuple[bytes, ...]:
    import numpy as np

    counts = np.array([given.get(index, 0) for index in range(len(queue.labels))], dtype=float)
    apart = distances(numbers(queue), counts, queue.measure)
    worst = {
        log_id: max(float(apart[a, b]) for a, b in combinations(sorted(item.values()), 2))
        for log_id, item in marks.items()
        if len(set(item.values())) > 1
    }
    return tuple(sorted(worst, key=lambda log_id: (-worst[log_id], log_id))[:MAX_DISPUTED])
