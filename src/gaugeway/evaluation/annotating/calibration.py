"""How far a judge can be believed: its scores against people's labels, and its rate with its errors taken off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from gaugeway.core.annotations import Annotation, AnnotationQueue, Calibration, Estimate
from gaugeway.evaluation.annotating.agreement import kappa_of, share, share_alike
from gaugeway.evaluation.statistics.misclassified import Counted, corrected_rate

NO_OVERLAP = "no item has both a score of the judge and a majority of people's labels"
NO_POWER = (
    "as far as these items show, the judge is no better than chance (its sensitivity and specificity add up to"
    " 100 % or less), so nothing follows from its rate"
)
ONE_KIND = "people's labels are all of one kind, so how often the judge errs on the other kind is not known"


def calibrate(
    queue: AnnotationQueue, annotations: Sequence[Annotation], scores: Mapping[bytes, float], threshold: float
) -> Calibration:
    """The judge's scores, by log, held against the majority of the labels that people gave."""
    votes: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])  # not good, good
    for one in annotations:
        if one.label is not None:
            votes[one.log_id][one.label in queue.positive] += 1
    table = [[0, 0], [0, 0]]  # by the judge's word, by people's
    tied = unscored = 0
    for log_id, (bad, good) in votes.items():
        if bad == good:
            tied += 1
        elif log_id not in scores:
            unscored += 1
        else:
            table[scores[log_id] >= threshold][good > bad] += 1
    (both_bad, people_only), (judge_only, both_good) = table
    sensitivity = Counted(both_good, both_good + people_only)
    specificity = Counted(both_bad, both_bad + judge_only)
    said = Counted(sum(score >= threshold for score in scores.values()), len(scores))
    return Calibration(
        threshold=threshold,
        both_good=both_good,
        judge_only=judge_only,
        people_only=people_only,
        both_bad=both_bad,
        tied=tied,
        unscored=unscored,
        agreement=share_alike(table),
        kappa=kappa_of(table),
        sensitivity=share(*sensitivity, "people call no item good that the judge has a score of"),
        specificity=share(*specificity, "people call every item good that the judge has a score of"),
        judged=share(*said, "the judge has no score"),
        corrected=_corrected(said, sensitivity, specificity),
    )


def _corrected(said: Counted, sensitivity: Counted, specificity: Counted) -> Estimate:
    if not (sensitivity.n or specificity.n):
        return Estimate(value=None, n=said.n, note=NO_OVERLAP)
    if not (sensitivity.n and specificity.n):
        return Estimate(value=None, n=said.n, note=ONE_KIND)
    found = corrected_rate(said, sensitivity, specificity)
    if found is None:
        return Estimate(value=None, n=said.n, note=NO_POWER)
    value, low, high = found
    return Estimate(value=value, low=low, high=high, n=said.n, method="rogan-gladen, lang-reiczigel")
