"""Annotation queues: logs, or a snapshot's items, that people are to mark (an extension; docs/annotation.md)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from math import isfinite
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.annotations import MAX_ANNOTATORS, MAX_ITEMS, AnnotationQueue, Measure, Progress
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Dataset, Gateway
from gaugeway.core.query import Slice, Where, parse_all
from gaugeway.core.snapshots import MAX_ITEMS as SNAPSHOT_ITEMS
from gaugeway.core.snapshots import Snapshot, reference
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.envelope import INVALID, ApiError
from gaugeway.management.freshness import catch_up
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY, Refused
from gaugeway.management.snapshot_choice import chosen_snapshot, show_reference
from gaugeway.management.validation import Body, Identifier, Name

router = APIRouter(prefix="/gateways/{gateway_id}/annotation-queues", tags=["Annotation"])

MAX_DATASETS = 5
MAX_DRAWN_FROM = 250_000
"""Logs that a draw looks at; datasets that select more are to be narrowed."""
GOOD_OR_BAD = ("bad", "good")

Label = Annotated[str, Field(min_length=1, max_length=64)]


class QueueBody(Body):
    """The body of POST."""

    name: Name
    dataset_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_DATASETS)] = Field(
        description="Or, instead of datasets, the id of one snapshot of a dataset: its items are labelled."
    )
    instructions: Annotated[str, Field(max_length=4096)] = ""
    labels: Annotated[list[Label], Field(min_length=2, max_length=20)] = Field(
        default_factory=lambda: list(GOOD_OR_BAD)
    )
    positive_labels: list[Label] | None = Field(
        None, description="Those that mean good, which a judge is held against. Default: the last label."
    )
    measure: Measure = Field(
        Measure.NOMINAL,
        strict=False,
        description="What disagreement weighs: nominal (alike or not), ordinal (the labels' order counts),"
        " interval (labels are numbers, and their distance counts).",
    )
    annotators_per_item: Annotated[int, Field(ge=1, le=MAX_ANNOTATORS)] = 2
    size: Annotated[int, Field(ge=1, le=MAX_ITEMS)] = Field(100, description="Logs to draw, at random.")
    seed: Annotated[int, Field(ge=0, le=2**53)] = 0


class QueueList(Paged):
    """The query of a list of queues."""


@router.get("", summary="List annotation queues")
def list_queues(call: Caller, gateway: NamedGateway, query: Annotated[QueueList, InQuery()]) -> Response:
    """Newest first, each with how far it is."""
    part = call.parts.annotations.list(gateway.scope, offset=query.offset, limit=query.per_page)
    shown = [show(queue, call.parts.annotations.progress(queue)) for queue in part.items]
    return envelope.page(shown, query.info(len(shown), part.total))


@router.post("", summary="Create an annotation queue", dependencies=[NO_QUERY])
async def create_queue(call: Caller, gateway: NamedGateway, body: QueueBody) -> Response:
    """Draws logs of the datasets, or items of a snapshot, at random, once; what is logged later is not added."""
    messages = await catch_up(call.parts.sink)
    queue = await asyncio.to_thread(_create, call, gateway, body)
    progress = await asyncio.to_thread(call.parts.annotations.progress, queue)
    return envelope.result(show(queue, progress), messages)


def _named_queue(call: Caller, gateway: NamedGateway, queue_id: str) -> AnnotationQueue:
    queue = call.parts.annotations.get(gateway.scope, queue_id)
    if queue is None:
        raise NotFound(f"there is no annotation queue {queue_id!r}")
    return queue


NamedQueue = Annotated[AnnotationQueue, Depends(_named_queue)]
"""The queue that the path names; 404/7002 where the gateway has none of that id."""


@router.get("/{queue_id}", summary="Get an annotation queue", dependencies=[NO_QUERY])
def get_queue(call: Caller, queue: NamedQueue) -> Response:
    """One queue, with how far it is."""
    return envelope.result(show(queue, call.parts.annotations.progress(queue)))


@router.delete("/{queue_id}", summary="Delete an annotation queue", dependencies=[NO_QUERY])
def delete_queue(call: Caller, queue: NamedQueue) -> Response:
    """Deletes it with all that was said in it; the logs stay."""
    progress = call.parts.annotations.progress(queue)
    return envelope.result(show(call.parts.annotations.delete(queue.scope, queue.id), progress))


def show(queue: AnnotationQueue, progress: Progress) -> dict[str, Any]:
    """A queue as the API shows it."""
    return {
        "id": queue.id,
        "gateway_id": queue.gateway_id,
        "name": queue.name,
        "instructions": queue.instructions,
        "labels": list(queue.labels),
        "positive_labels": list(queue.positive),
        "measure": queue.measure.value,
        "annotators_per_item": queue.annotators_per_item,
        "datasets": list(queue.dataset_names),
        "snapshot": None if queue.snapshot is None else {**show_reference(queue.snapshot), "erased": queue.holes},
        "seed": queue.seed,
        "created_at": to_rfc3339(queue.created_at),
        "progress": show_progress(progress),
    }


def show_progress(progress: Progress) -> dict[str, Any]:
    """How far a queue is, as the API shows it."""
    return {
        "items": progress.items,
        "complete": progress.complete,
        "begun": progress.begun,
        "gone": progress.gone,
        "annotators": progress.annotators,
    }


def _create(call: Call, gateway: Gateway, body: QueueBody) -> AnnotationQueue:
    _check_labels(body)
    snapshot = chosen_snapshot(call, gateway, body.dataset_ids, "an annotation queue")
    if snapshot is None:
        datasets = _datasets(call, gateway, body.dataset_ids)
        log_ids, holes = _drawn(_logs_of(call, gateway, datasets), body), 0
    else:
        datasets = [snapshot.dataset]
        kept, holes = _items_of(call, snapshot)
        log_ids = _drawn(kept, body)
    positive = body.labels[-1:] if body.positive_labels is None else body.positive_labels
    queue = AnnotationQueue(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=call.parts.new_id(),
        name=body.name,
        instructions=body.instructions,
        labels=tuple(body.labels),
        positive=tuple(positive),
        measure=body.measure,
        annotators_per_item=body.annotators_per_item,
        dataset_names=tuple(dataset.name for dataset in datasets),
        seed=body.seed,
        created_at=call.parts.clock.now_ms(),
        snapshot=None if snapshot is None else reference(snapshot),
        holes=holes,
    )
    try:
        call.parts.annotations.create(queue, log_ids)
    except Conflict as problem:
        message = f"This gateway has an annotation queue named '{body.name}' already"
        raise Conflict(message, ("body", "name")) from problem
    return queue


def _drawn(found: Sequence[bytes], body: QueueBody) -> list[bytes]:
    """So many of them, in an order that is drawn too: who stops early has seen a fair part."""
    return random.Random(body.seed).sample(found, min(body.size, len(found)))  # noqa: S311  a draw, no secret


def _logs_of(call: Call, gateway: Gateway, datasets: Sequence[Dataset]) -> list[bytes]:
    where = Where(alternatives=tuple(parse_all(one.filters, ("filters",), for_dataset=True) for one in datasets))
    found = call.parts.logs.ids(gateway.scope, where, Slice(limit=MAX_DRAWN_FROM + 1, descending=False))
    if len(found) > MAX_DRAWN_FROM:
        raise BadInput(
            f"The datasets select more than {MAX_DRAWN_FROM} logs: narrow them, by time for instance", _DATASETS
        )
    if not found:
        raise BadInput("The datasets select no log now, so there is nothing to annotate", _DATASETS)
    return found


def _items_of(call: Call, snapshot: Snapshot) -> tuple[list[bytes], int]:
    """Its items that were not erased, and how many were."""
    erased = set(call.parts.snapshots.holes(snapshot))
    frozen = call.parts.logs.ids(snapshot.source, Where(), Slice(limit=SNAPSHOT_ITEMS, descending=False))
    kept = [log_id for log_id in frozen if log_id not in erased]
    if not kept:
        raise BadInput("The snapshot has no item that is not erased, so there is nothing to annotate", _DATASETS)
    return kept, len(erased)


_DATASETS = ("body", "dataset_ids")


def _datasets(call: Call, gateway: Gateway, dataset_ids: Sequence[str]) -> list[Dataset]:
    found: list[Dataset] = []
    wrong: list[ApiError] = []
    for index, dataset_id in enumerate(dataset_ids):
        dataset = call.parts.datasets.get(gateway.scope, dataset_id)
        if dataset is None:
            wrong.append(ApiError(400, INVALID, "This gateway has no dataset with that id", (*_DATASETS, index)))
        elif dataset_id in dataset_ids[:index]:
            wrong.append(ApiError(400, INVALID, "This dataset is named twice", (*_DATASETS, index)))
        else:
            found.append(dataset)
    if wrong:
        raise Refused(wrong)
    return found


def _check_labels(body: QueueBody) -> None:
    for index, label in enumerate(body.labels):
        if label in body.labels[:index]:
            raise BadInput("This label is named twice", ("body", "labels", index))
        if body.measure is Measure.INTERVAL and not _is_number(label):
            raise BadInput("With the measure 'interval' each label is a number, such as 1 or 2.5", _label(index))
    for index, label in enumerate(body.positive_labels or ()):
        if label not in body.labels:
            raise BadInput("This is none of the labels", ("body", "positive_labels", index))
    if body.positive_labels is not None and set(body.positive_labels) == set(body.labels):
        raise BadInput("If every label means good there is nothing to tell apart", ("body", "positive_labels"))


def _label(index: int) -> tuple[str | int, ...]:
    return ("body", "labels", index)


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def log_id_of(text: str) -> bytes:
    """The id of a log in a path; NotFound where it is none."""
    identifier = ids.from_text(text)
    if identifier is None:
        raise NotFound(f"there is no log {text!r}")
    return identifier
