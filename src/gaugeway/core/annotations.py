"""Annotation: people mark a queue of logs. What is asked, what was marked, where it is kept, what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from gaugeway.core.estimates import Estimate, Measure
from gaugeway.core.model import Evaluation, Scope, SnapshotRef
from gaugeway.core.ports import Page

MAX_ITEMS = 10_000
"""Logs of one queue: more than people will ever look at."""
MAX_ANNOTATORS = 20
"""Who may annotate one item."""
HOLD_MS = 10 * 60 * 1000
"""How long an item that was handed out is kept from others; whoever asks again goes on with it."""


class AnnotationQueue(Struct, frozen=True, kw_only=True):
    """Some logs for people to mark, chosen when it was made."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str  # unique within its gateway
    instructions: str  # what annotators are asked, in the words of whoever made it
    labels: tuple[str, ...]  # in their order, lowest first where there is one
    positive: tuple[str, ...]  # those of the labels that mean "good": what a judge is held against
    measure: Measure
    annotators_per_item: int
    dataset_names: tuple[str, ...]  # where the logs are from
    seed: int  # of the draw
    created_at: int
    snapshot: SnapshotRef | None = None  # whose items are labelled; None: logs of the gateway
    holes: int = 0  # of the snapshot's items when it was drawn: erased, so that nobody can look at them

    @property
    def scope(self) -> Scope:
        """The gateway it is in."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def source(self) -> Scope:
        """Where its logs are: the gateway's, or a snapshot's frozen ones."""
        return self.scope if self.snapshot is None else Scope(self.account_id, self.snapshot.frozen)


class Annotation(Struct, frozen=True, kw_only=True):
    """What one annotator said of one log."""

    log_id: bytes
    annotator: str
    label: str | None  # None: cannot be judged, and the note says why
    note: str
    created_at: int  # of its last change


class QueueItem(Struct, frozen=True, kw_only=True):
    """A log of a queue with all that was said of it."""

    log_id: bytes
    gone: bool  # the log was deleted before enough annotators had seen it
    annotations: tuple[Annotation, ...]


class Progress(Struct, frozen=True, kw_only=True):
    """How far a queue is."""

    items: int
    complete: int  # items that as many annotators have seen as were wanted
    begun: int  # others that somebody has seen
    gone: int  # others whose log was deleted
    annotators: dict[str, int]  # how many items each of them has seen


class AnnotationStore(Protocol):
    """Annotation queues, their items and what was said. They go with their gateway."""

    def create(self, queue: AnnotationQueue, log_ids: Sequence[bytes]) -> None:
        """NotFound without its gateway, Conflict where that has one of the name. Items keep the given order."""
        ...

    def get(self, scope: Scope, queue_id: str) -> AnnotationQueue | None: ...
    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[AnnotationQueue]:
        """Newest first."""
        ...

    def delete(self, scope: Scope, queue_id: str) -> AnnotationQueue:
        """The queue that was, with all that was said in it; NotFound."""
        ...

    def next(self, queue: AnnotationQueue, annotator: str, now_ms: int) -> bytes | None:
        """An item for this annotator, who holds it for HOLD_MS: the one already held, else the first in need.

        An item is in need while those who have seen it and those who hold it are fewer than wanted.
        """
        ...

    def put(self, queue: AnnotationQueue, annotation: Annotation) -> None:
        """Keep it, in place of what the annotator said of the log before.

        NotFound where the log is no item of the queue, Conflict where MAX_ANNOTATORS others have seen it.
        """
        ...

    def remove(self, queue: AnnotationQueue, log_id: bytes, annotator: str) -> Annotation:
        """Take back what was said; NotFound. The annotator holds the item as from when it was said."""
        ...

    def mark_gone(self, queue: AnnotationQueue, log_id: bytes) -> None:
        """The log is deleted: nobody is asked about it any more. What was said of it stays."""
        ...

    def progress(self, queue: AnnotationQueue) -> Progress: ...
    def items(self, queue: AnnotationQueue, *, offset: int, limit: int) -> Page[QueueItem]:
        """In the queue's order."""
        ...

    def annotations(self, queue: AnnotationQueue) -> Sequence[Annotation]:
        """All of them, by item and annotator."""
        ...


class PairAgreement(Struct, frozen=True, kw_only=True):
    """How two annotators agree on the items that both have marked."""

    annotators: tuple[str, str]
    agreement: Estimate  # the share of items with the same label
    kappa: Estimate  # Cohen's, which takes off what chance would give


class Agreement(Struct, frozen=True, kw_only=True):
    """How far annotators agree."""

    marked: int  # items with a label
    shared: int  # items with labels of two or more annotators
    unjudged: int  # times that somebody could not judge
    labels: dict[str, int]  # how often each was given
    alpha: Estimate  # Krippendorff's, over all annotators, by the queue's measure
    pairs: tuple[PairAgreement, ...]
    disputed: tuple[bytes, ...]  # logs with different labels, those furthest apart first


class Calibration(Struct, frozen=True, kw_only=True):
    """A judge (an evaluation type's scores) held against people, who are taken to be right."""

    threshold: float  # a score at or above it is the judge's "good"
    both_good: int
    judge_only: int  # the judge says good, people do not
    people_only: int
    both_bad: int
    tied: int  # items on which people are of two minds: held against nothing
    unscored: int  # items that people marked and the judge has no score of
    agreement: Estimate
    kappa: Estimate
    sensitivity: Estimate  # of what people call good, the share that the judge does
    specificity: Estimate  # of what people call not good, the share that the judge does
    judged: Estimate  # the judge's share of good over all its scores
    corrected: Estimate  # that share with the judge's errors taken off


class Panel(Protocol):
    """What annotations show."""

    def agreement(self, queue: AnnotationQueue) -> Agreement: ...
    def calibration(
        self, queue: AnnotationQueue, evaluation: Evaluation, position: int, threshold: float
    ) -> Calibration:
        """One of the evaluation's results held against the queue's labels; BadInput where that cannot be."""
        ...
