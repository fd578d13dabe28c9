"""Items of snapshots: looking at them, expected answers, erasing, export and import. All of it is ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.erasing import drop_strays, erase, find_subject
from gaugeway.core.errors import BadInput, NotFound, Path
from gaugeway.core.model import Gateway, Logged, LogRecord, Scope
from gaugeway.core.ports import Retention
from gaugeway.core.snapshot_hashes import canonical, content, item_hash
from gaugeway.core.snapshots import MAX_EXPECTED, MAX_ITEMS, PLAIN, Snapshot, SnapshotItem, SnapshotStatus
from gaugeway.management import envelope
from gaugeway.management.log_view import show as show_log
from gaugeway.management.log_view import show_detail
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.snapshots import find, find_ready, show
from gaugeway.management.validation import Body, Query

router = APIRouter(
    prefix="/gateways/{gateway_id}/datasets/{dataset_id}/snapshots/{snapshot_id}", tags=["Snapshots"]
)

EXPORT_BYTES = 8 * 1024 * 1024
"""After which an export's page ends; one item more than that may be in it."""
ONCE = 1000
"""Items that one request names at most."""

LogId = Annotated[str, Field(max_length=36)]


class ItemList(Query):
    """The query of a list of items."""

    after: LogId | None = Field(None, description="The log id that the page begins after: the last one's.")
    limit: int = Field(20, ge=1, le=100)


class Export(Query):
    """The query of an export."""

    format: Literal["plain", "evals", "chat"] = "plain"
    after: LogId | None = Field(None, description="What gaugeway-next of the page before said.")
    limit: int = Field(1000, ge=1, le=1000)


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


class NewItems(Body):
    """Lines of a file in the snapshot's import_format, each as the object that it is."""

    items: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=ONCE)]


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
    items = call.parts.snapshots.items(snapshot, _after(query.after), query.limit)
    shown = [_show_item(item, call.parts.logs.get(snapshot.source, item.log_id)) for item in items]
    info = {"count": len(shown), "total_count": snapshot.items, "next": _next(items, query.limit)}
    return envelope.page(shown, info)


def _show_item(item: SnapshotItem, record: LogRecord | None) -> dict[str, Any]:
    shown = {
        "log_id": ids.to_text(item.log_id),
        "hash": item.hash,
        "erased": item.erased,
        "expected": item.expected,
    }
    return {**shown, "log": None if record is None or item.erased else show_log(record)}


def _after(text: str | None) -> bytes:
    if text is None:
        return b""
    found = ids.from_text(text)
    if found is None:
        raise BadInput("Expected a log id", ("query", "after"))
    return found


def _next(items: Sequence[SnapshotItem], limit: int) -> str | None:
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


@router.get("/export", summary="Export a snapshot's items")
def export(
    call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, query: Annotated[Export, InQuery()]
) -> Response:
    """A page of JSON Lines. `gaugeway-next` says what comes after it; without it, this was the last page.

    `gaugeway-left-out` counts the items that cannot be in this format.
    """
    snapshot = find_ready(call, gateway, dataset_id, snapshot_id)
    parts, lines, left_out, size = call.parts, list[bytes](), 0, 0
    items = parts.snapshots.items(snapshot, _after(query.after), query.limit)
    last = _next(items, query.limit)
    for at, item in enumerate(items, 1):
        line = _line(call, snapshot, item, query.format)
        if isinstance(line, str):
            left_out += 1
        else:
            lines.append(canonical(line) + b"\n")
            size += len(lines[-1])
        if size > EXPORT_BYTES and at < len(items):
            last = ids.to_text(item.log_id)
            break
    headers = {
        "gaugeway-left-out": str(left_out),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        **({} if last is None else {"gaugeway-next": last}),
    }
    return Response(b"".join(lines), headers=headers, media_type="application/x-ndjson")


def _line(call: Call, snapshot: Snapshot, item: SnapshotItem, form: str) -> dict[str, Any] | str:
    logs = call.parts.logs
    record = None if item.erased else logs.get(snapshot.source, item.log_id)
    if record is None:
        hole = {"log_id": ids.to_text(item.log_id), "hash": item.hash, "erased": True}
        return hole if form == PLAIN else "it was erased"
    bodies = logs.bodies(snapshot.source, item.log_id)
    return call.parts.interchange.line(form, item, record, bodies)


@router.post("/items", summary="Import items", dependencies=[NO_QUERY])
def add_items(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, body: NewItems) -> Response:
    """Adds lines of a file to a snapshot that was made with an import_format; all of them, or none."""
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    if snapshot.status is not SnapshotStatus.OPEN:
        raise BadInput(f"It is {snapshot.status}: items cannot be added", ("params", "snapshot_id"))
    parts, found, items, holes = call.parts, list[Logged](), list[SnapshotItem](), 0
    for at, line in enumerate(body.items):
        log_id = ids.from_text(parts.new_id()) or bytes(16)
        try:
            read = parts.interchange.read(snapshot.imported, line, snapshot.source, log_id)
        except BadInput as problem:
            raise BadInput(problem.message, ("body", "items", at, *problem.path)) from problem
        if read is None:
            holes += 1
            continue
        found.append(Logged(read.record, read.bodies))
        digest = item_hash(content(read.record, read.bodies))
        items.append(SnapshotItem(log_id=log_id, hash=digest, expected=read.expected))
    parts.logs.append(found, _keep_all)
    after = parts.snapshots.add(gateway.scope, snapshot_id, items, parts.clock.now_ms())
    return envelope.result({**show(after), "added": len(items), "skipped_erased": holes})


@router.post("/seal", summary="Seal an imported snapshot", dependencies=[NO_QUERY])
def seal(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str) -> Response:
    """Ends the import: the snapshot is ready and has its hash."""
    snapshot, parts = find(call, gateway, dataset_id, snapshot_id), call.parts
    if snapshot.status is SnapshotStatus.OPEN:
        drop_strays(parts.snapshots, parts.logs, snapshot)
    return envelope.result(show(parts.snapshots.seal(gateway.scope, snapshot_id, parts.clock.now_ms())))


def _keep_all(_scope: Scope) -> Retention:
    return Retention(None, None)
