"""What people say of a queue's logs, one by one, and what that shows (an extension; docs/annotation.md)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.annotations import Agreement, Annotation, AnnotationQueue, Calibration, Estimate, QueueItem
from gaugeway.core.errors import BadInput
from gaugeway.core.model import LogRecord, ResultStatus
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.annotation_queues import NamedQueue, log_id_of, show_progress
from gaugeway.management.log_view import show as show_log
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Query
from gaugeway.management.vote_view import show_estimate

router = APIRouter(prefix="/gateways/{gateway_id}/annotation-queues/{queue_id}", tags=["Annotation"])

Annotator = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f/]+$")]


class NextBody(Body):
    """The body of POST next."""

    annotator: Annotator = Field(description="Who asks. Any name; it is the same person as long as it is the same.")


class AnnotationBody(Body):
    """The body of PUT: it replaces what the annotator said before."""

    label: str | None = Field(
        description="One of the queue's labels; null: it cannot be judged, and the note says why."
    )
    note: Annotated[str, Field(max_length=4096)] = ""


class ItemList(Paged):
    """The query of a list of items."""


class CalibrationQuery(Query):
    """The query of a calibration."""

    evaluation_id: str
    evaluation_type_id: str
    threshold: float = Field(1.0, description="A score at or above it is the judge's 'good'.")


@router.post("/next", summary="Get the next item to annotate", dependencies=[NO_QUERY])
def next_item(call: Caller, queue: NamedQueue, body: NextBody) -> Response:
    """Hands an item out for ten minutes; asking again hands out the same one. Null where nothing is left to do.

    It does not show what others said.
    """
    item = _next(call, queue, body.annotator)
    progress = show_progress(call.parts.annotations.progress(queue))
    return envelope.result({"item": item, "progress": progress})


@router.get("/items", summary="List a queue's items")
def list_items(call: Caller, queue: NamedQueue, query: Annotated[ItemList, InQuery()]) -> Response:
    """In the order in which they are handed out, with all that was said of each."""
    part = call.parts.annotations.items(queue, offset=query.offset, limit=query.per_page)
    shown = [_show_item(call, queue, item) for item in part.items]
    return envelope.page(shown, query.info(len(shown), part.total))


@router.put("/items/{log_id}/annotations/{annotator}", summary="Annotate an item", dependencies=[NO_QUERY])
def annotate(call: Caller, queue: NamedQueue, log_id: str, annotator: Annotator, body: AnnotationBody) -> Response:
    """Keeps one annotator's label. Items that were not handed out can be annotated as well."""
    if body.label is not None and body.label not in queue.labels:
        raise BadInput(f"Expected one of the labels {', '.join(queue.labels)}, or null", ("body", "label"))
    if body.label is None and not body.note.strip():
        raise BadInput("Without a label, say in the note why it cannot be judged", ("body", "note"))
    annotation = Annotation(
        log_id=log_id_of(log_id),
        annotator=annotator,
        label=body.label,
        note=body.note,
        created_at=call.parts.clock.now_ms(),
    )
    call.parts.annotations.put(queue, annotation)
    return envelope.result(_show_annotation(annotation))


@router.delete(
    "/items/{log_id}/annotations/{annotator}", summary="Take an annotation back", dependencies=[NO_QUERY]
)
def take_back(call: Caller, queue: NamedQueue, log_id: str, annotator: Annotator) -> Response:
    """As if it had not been said; the item is the next one that the annotator is asked about."""
    return envelope.result(_show_annotation(call.parts.annotations.remove(queue, log_id_of(log_id), annotator)))


@router.get("/agreement", summary="Get how annotators agree", dependencies=[NO_QUERY])
async def get_agreement(call: Caller, queue: NamedQueue) -> Response:
    """Krippendorff's alpha over all annotators, and Cohen's kappa of each two."""
    return envelope.result(_show_agreement(await asyncio.to_thread(call.parts.panel.agreement, queue)))


@router.get("/calibration", summary="Hold a judge against people")
async def calibrate(call: Caller, queue: NamedQueue, query: Annotated[CalibrationQuery, InQuery()]) -> Response:
    """An evaluation's scores against what most people say, and the judge's rate with its errors taken off."""
    evaluation = await asyncio.to_thread(call.parts.evaluations.get, queue.scope, query.evaluation_id)
    if evaluation is None:
        raise BadInput("This gateway has no evaluation with that id", ("query", "evaluation_id"))
    if queue.snapshot is not None and (evaluation.snapshot is None or evaluation.snapshot.id != queue.snapshot.id):
        message = f"The labels are of items of the snapshot '{queue.snapshot.name}': name an evaluation of it"
        raise BadInput(message, ("query", "evaluation_id"))
    known = [result.evaluation_type_id for result in evaluation.results]
    if query.evaluation_type_id not in known:
        message = f"This evaluation has no such evaluation type; it has: {', '.join(known)}"
        raise BadInput(message, ("query", "evaluation_type_id"))
    position = known.index(query.evaluation_type_id)
    status = evaluation.results[position].status
    if status not in (ResultStatus.COMPLETED, ResultStatus.COMPLETED_WITHOUT_LOGS):
        state = status.name.lower()
        message = f"Only what has completed has all its scores; here '{query.evaluation_type_id}' is {state}"
        raise BadInput(message, ("query", "evaluation_id"))
    found = await asyncio.to_thread(call.parts.panel.calibration, queue, evaluation, position, query.threshold)
    return envelope.result(_show_calibration(found))


def _next(call: Call, queue: AnnotationQueue, annotator: str) -> dict[str, Any] | None:
    """The next item whose log is still there."""
    parts = call.parts
    while (log_id := parts.annotations.next(queue, annotator, parts.clock.now_ms())) is not None:
        log, digest = _frozen_or_live(call, queue, log_id)
        if log is not None:
            return {"log_id": ids.to_text(log_id), "hash": digest, "log": show_log(log)}
        parts.annotations.mark_gone(queue, log_id)
    return None


def _frozen_or_live(call: Call, queue: AnnotationQueue, log_id: bytes) -> tuple[LogRecord | None, str | None]:
    """A queue's log as whoever labels it sees it (None: it is gone), and its hash where it is a snapshot's item."""
    parts = call.parts
    if queue.snapshot is None:
        return parts.logs.get(queue.source, log_id), None
    snapshot = parts.snapshots.get(queue.scope, queue.snapshot.id)
    item = None if snapshot is None else parts.snapshots.item(snapshot, log_id)
    if item is None:  # the snapshot was deleted
        return None, None
    return None if item.erased else parts.logs.get(queue.source, log_id), item.hash


def _show_item(call: Call, queue: AnnotationQueue, item: QueueItem) -> dict[str, Any]:
    log, digest = _frozen_or_live(call, queue, item.log_id)
    return {
        "log_id": ids.to_text(item.log_id),
        "hash": digest,
        "log_deleted": log is None,
        "annotations": [_show_annotation(one) for one in item.annotations],
    }


def _show_annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "log_id": ids.to_text(annotation.log_id),
        "annotator": annotation.annotator,
        "label": annotation.label,
        "note": annotation.note,
        "created_at": to_rfc3339(annotation.created_at),
    }


def _show_agreement(found: Agreement) -> dict[str, Any]:
    return {
        "marked": found.marked,
        "shared": found.shared,
        "unjudged": found.unjudged,
        "labels": found.labels,
        "alpha": show_estimate(found.alpha),
        "pairs": [
            {
                "annotators": list(pair.annotators),
                "agreement": show_estimate(pair.agreement),
                "kappa": show_estimate(pair.kappa),
            }
            for pair in found.pairs
        ],
        "disputed": [ids.to_text(log_id) for log_id in found.disputed],
    }


def _show_calibration(found: Calibration) -> dict[str, Any]:
    return {
        name: show_estimate(value) if isinstance(value, Estimate) else value
        for name, value in msgspec.structs.asdict(found).items()
    }
