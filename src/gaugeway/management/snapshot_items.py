"""Items of snapshots: looking at them, expected answers, erasing. All of it is ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.erasing import erase, find_subject
from gaugeway.core.errors import BadInput, NotFound, Path
from gaugeway.core.model import Bodies, Gateway, LogRecord
from gaugeway.core.snapshots import MAX_EXPECTED, MAX_ITEMS, SnapshotItem
from gaugeway.management import envelope
from gaugeway.management.log_bodies import give_back
from gaugeway.management.log_view import show as show_log
from gaugeway.management.log_view import show_detail
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.snapshots import find, find_ready, show
from gaugeway.management.validation import Body, Query

router = APIRouter(
    prefix="/gateways/{gateway_id}/datasets/{dataset_id}/snapshots/{snapshot_id}", tags=["Snapshots"]
)

ONCE = 1000
"""Items that one request names at most."""

LogId = Annotated[str, Field(max_length=36)]


class ItemList(Query):
    """The query of a list of items."""

    after: LogId | None = Field(None, description="The log id that the page begins after: the last one's.")
    limit: int = Field(20, ge=1, le=100)


class Answer(Body):
    """An item's expected answer: a text, what another log was answered, or null for none any more."""

    log_id: LogId
    expected: Annotated[str, Field(max_length=MAX_EXPECTED)] | None = None
    from_log_id: LogId | None = Field(None, description="A log of this gateway whose answer is the expected one.")


class Answers(Body):
    """The body of PUT …/expected."""

    answers: Annotated[list[Answer], Field(min_length=1, max_length=ONCE)]


class Erasure(Body):
    """Whose items are erased: those of these logs, or those with all of these metadata entries."""

    log_ids: Annotated[list[LogId], Field(max_length=ONCE)] = Field(default_factory=list)
    metadata: Annotated[dict[str, str], Field(max_length=20)] = Field(default_factory=dict)


@router.get("/items", summary="List a snapshot's items")
def list_items(
    call: Caller,
    gateway: NamedGateway,
    dataset_id: str,
    snapshot_id: str,
    query: Annotated[ItemList, InQuery()],
) -> Response:
    """In the order of their log ids. An erased item has its hash and nothing else."""
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    items = call.parts.snapshots.items(snapshot, after_of(query.after), query.limit)
    shown = [_show_item(item, call.parts.logs.get(snapshot.source, item.log_id)) for item in items]
    info = {"count": len(shown), "total_count": snapshot.items, "next": next_of(items, query.limit)}
    return envelope.page(shown, info)


def _show_item(item: SnapshotItem, record: LogRecord | None) -> dict[str, Any]:
    shown = {
        "log_id": ids.to_text(item.log_id),
        "hash": item.hash,
        "erased": item.erased,
        "expected": item.expected,
    }
    return {**shown, "log": None if record is None or item.erased else show_log(record)}


def after_of(text: str | None) -> bytes:
    """The log id that a page begins after; BadInput where it is none."""
    if text is None:
        return b""
    found = ids.from_text(text)
    if found is None:
        raise BadInput("Expected a log id", ("query", "after"))
    return found


def next_of(items: Sequence[SnapshotItem], limit: int) -> str | None:
    """What the next page begins after; None where there is none."""
    return ids.to_text(items[-1].log_id) if len(items) == limit else None


@router.get("/items/{log_id}", summary="Get a snapshot's item", dependencies=[NO_QUERY])
def get_item(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, log_id: str) -> Response:
    """One item with the beginnings of its bodies, as frozen."""
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    identifier = ids.from_text(log_id)
    item = None if identifier is None else call.parts.snapshots.item(snapshot, identifier)
    if item is None:
        raise NotFound(f"this snapshot has no item {log_id!r}")
    record = call.parts.logs.get(snapshot.source, item.log_id)
    shown = _show_item(item, record)
    if record is not None and not item.erased:
        bodies = call.parts.logs.bodies(snapshot.source, item.log_id)
        shown["log"] = show_detail(record, bodies)
    return envelope.result(shown)


@router.get("/items/{log_id}/request", summary="Get an item's request body", dependencies=[NO_QUERY])
def get_request_body(
    call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, log_id: str
) -> Response:
    """The body as frozen, without an envelope."""
    record, bodies = _frozen(call, gateway, dataset_id, snapshot_id, log_id)
    if bodies.request is None:
        raise NotFound("this item has no request body")
    name = f"{ids.to_text(record.id)}-request"
    return give_back(bodies.request, record.request_content_type, name, complete=not bodies.request_cut)


@router.get("/items/{log_id}/response", summary="Get an item's response body", dependencies=[NO_QUERY])
def get_response_body(
    call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, log_id: str
) -> Response:
    """The body as frozen, without an envelope."""
    record, bodies = _frozen(call, gateway, dataset_id, snapshot_id, log_id)
    if bodies.response is None:
        raise NotFound("this item has no response body")
    name = f"{ids.to_text(record.id)}-response"
    return give_back(bodies.response, record.response_content_type, name, complete=not bodies.response_cut)


def _frozen(
    call: Call, gateway: Gateway, dataset_id: str, snapshot_id: str, log_id: str
) -> tuple[LogRecord, Bodies]:
    """An item's frozen log with its bodies; NotFound, also where it was erased."""
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    identifier = ids.from_text(log_id)
    item = None if identifier is None else call.parts.snapshots.item(snapshot, identifier)
    if item is None:
        raise NotFound(f"this snapshot has no item {log_id!r}")
    record = None if item.erased else call.parts.logs.get(snapshot.source, item.log_id)
    if record is None:
        raise NotFound("this item was erased")
    return record, call.parts.logs.bodies(snapshot.source, item.log_id) or Bodies()


@router.put("/expected", summary="Give items expected answers", dependencies=[NO_QUERY])
def expect(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, body: Answers) -> Response:
    """All of them as one new version; evaluations that were created before keep the version they had."""
    find_ready(call, gateway, dataset_id, snapshot_id)
    path: Path = ("body", "answers")
    answers = [
        (_log_id(one.log_id, (*path, at, "log_id")), _answer(call, gateway, one, (*path, at)))
        for at, one in enumerate(body.answers)
    ]
    try:
        snapshot = call.parts.snapshots.expect(gateway.scope, snapshot_id, answers, call.parts.clock.now_ms())
    except BadInput as problem:
        raise BadInput(problem.message, (*path, *problem.path, "log_id")) from problem
    return envelope.result(show(snapshot))


def _log_id(text: str, path: Path) -> bytes:
    found = ids.from_text(text)
    if found is None:
        raise BadInput("Expected a log id", path)
    return found


def _answer(call: Call, gateway: Gateway, one: Answer, path: Path) -> str | None:
    if one.from_log_id is None:
        if "expected" not in one.model_fields_set:
            raise BadInput("Required: a text, or null for none", (*path, "expected"))
        return one.expected
    path = (*path, "from_log_id")
    if one.expected is not None:
        raise BadInput("Send either expected or from_log_id", path)
    log_id, logs = _log_id(one.from_log_id, path), call.parts.logs
    record = logs.get(gateway.scope, log_id)
    if record is None:
        raise BadInput("This gateway has no log with that id", path)
    try:
        answer = call.parts.interchange.answer(record, logs.bodies(gateway.scope, log_id))
    except BadInput as problem:
        raise BadInput(problem.message, path) from problem
    if len(answer) > MAX_EXPECTED:
        raise BadInput(f"An expected answer has at most {MAX_EXPECTED} characters", path)
    return answer


@router.post("/erase", summary="Erase items", dependencies=[NO_QUERY])
def erase_items(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, body: Erasure) -> Response:
    """Their frozen logs, bodies and expected answers go; a hole with the item's hash stays, and is counted."""
    snapshot = find_ready(call, gateway, dataset_id, snapshot_id)
    if bool(body.log_ids) == bool(body.metadata):
        raise BadInput("Expected either log_ids or metadata", ("body",))
    parts = call.parts
    chosen = [_log_id(one, ("body", "log_ids", at)) for at, one in enumerate(body.log_ids)]
    if body.metadata:
        chosen = find_subject(parts.logs, snapshot, tuple(body.metadata.items()), MAX_ITEMS)
    before = snapshot.holes
    after = erase(parts.snapshots, parts.logs, snapshot, chosen, parts.clock.now_ms())
    return envelope.result({**show(after), "newly_erased": after.holes - before})
