"""Answers what annotations show, from what is kept."""

from __future__ import annotations

from gaugeway.core.annotations import Agreement, AnnotationQueue, AnnotationStore, Calibration
from gaugeway.core.errors import BadInput
from gaugeway.core.items import ItemStatus, ItemStore
from gaugeway.core.model import Evaluation
from gaugeway.evaluation.annotating.agreement import agreement_of
from gaugeway.evaluation.annotating.calibration import calibrate

MAX_SCORES = 250_000


class StoredPanel:
    """A Panel over the stores. From any thread."""

    def __init__(self, annotations: AnnotationStore, items: ItemStore) -> None:
        self._annotations = annotations
        self._items = items

    def agreement(self, queue: AnnotationQueue) -> Agreement:
        """See Panel."""
        return agreement_of(queue, self._annotations.annotations(queue))

    def calibration(
        self, queue: AnnotationQueue, evaluation: Evaluation, position: int, threshold: float
    ) -> Calibration:
        """See Panel."""
        if not queue.positive:
            raise BadInput("The queue says of none of its labels that it is good: see positive_labels", ())
        page = self._items.page(
            evaluation,
            position=position,
            status=ItemStatus.SCORED,
            worst_first=False,
            offset=0,
            limit=MAX_SCORES,
        )
        scores = {item.log_id: item.score for item in page.items if item.score is not None}
        return calibrate(queue, self._annotations.annotations(queue), scores, threshold)
