"""Export and import of snapshots: JSON Lines in pages and pieces, Parquet as one file. All of it is ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from gaugeway.core import ids
from gaugeway.core.erasing import drop, drop_strays
from gaugeway.core.errors import BadInput, GaugewayError, Path
from gaugeway.core.model import Logged, Scope
from gaugeway.core.ports import Retention
from gaugeway.core.snapshot_hashes import canonical, content, item_hash
from gaugeway.core.snapshots import PARQUET, PLAIN, Snapshot, SnapshotItem, SnapshotStatus
from gaugeway.management import envelope
from gaugeway.management.parts import Call, Caller, NamedGateway, Parts
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.snapshot_items import ONCE, LogId, after_of, next_of
from gaugeway.management.snapshots import find, find_ready, show
from gaugeway.management.validation import Body, Query

router = APIRouter(
    prefix="/gateways/{gateway_id}/datasets/{dataset_id}/snapshots/{snapshot_id}", tags=["Snapshots"]
)

EXPORT_BYTES = 8 * 1024 * 1024
"""After which an export's page ends; one item more than that may be in it."""
MAX_UNPACKED = 512 * 1024 * 1024
"""Bytes of what is in a Parquet file."""
PARQUET_TYPE = "application/vnd.apache.parquet"
_UNSEEN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

Line = dict[str, Any]


class ExportCut(GaugewayError):
    """A file that was begun cannot be ended: its answer is cut."""


class Export(Query):
    """The query of an export."""

    format: Literal["plain", "evals", "chat", "parquet"] = "plain"
    after: LogId | None = Field(None, description="What gaugeway-next of the page before said.")
    limit: int = Field(1000, ge=1, le=1000)


class NewItems(Body):
    """Lines of a file in the snapshot's import_format, each as the object that it is."""

    items: Annotated[list[Line], Field(min_length=1, max_length=ONCE)]


@router.get("/export", summary="Export a snapshot's items")
def export(
    call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, query: Annotated[Export, InQuery()]
) -> Response:
    """A page of JSON Lines; with `format=parquet` one file with all items.

    `gaugeway-next` says what comes after a page; without it, this was the last page. `gaugeway-left-out` counts the
    items that cannot be in this format.
    """
    snapshot = find_ready(call, gateway, dataset_id, snapshot_id)
    if query.format == PARQUET:
        return _parquet(call, snapshot, query)
    parts, lines, left_out, size = call.parts, list[bytes](), 0, 0
    items = parts.snapshots.items(snapshot, after_of(query.after), query.limit)
    last = next_of(items, query.limit)
    for at, item in enumerate(items, 1):
        line = _line(parts, snapshot, item, query.format)
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
        **_UNSEEN,
        **({} if last is None else {"gaugeway-next": last}),
    }
    return Response(b"".join(lines), headers=headers, media_type="application/x-ndjson")


def _parquet(call: Call, snapshot: Snapshot, query: Export) -> Response:
    """All items, as they are read. Where that fails half way the connection is cut, and the file has no footer."""
    for name in sorted(query.model_fields_set - {"format"}):
        raise BadInput("A Parquet file has all items: leave this out", ("query", name))
    try:
        call.parts.parquet.require()
    except BadInput as problem:
        raise BadInput(problem.message, ("query", "format")) from problem
    told = {"id": snapshot.id, "name": snapshot.name, "hash": snapshot.hash, "items": snapshot.items}
    told |= {"expected_version": snapshot.expected_version, "expected_hash": snapshot.expected_hash or None}
    notes = {"gaugeway": "1", "gaugeway.snapshot": msgspec.json.encode(told).decode()}
    pieces = call.parts.parquet.write(_lines(call.parts, snapshot), notes)
    name = f'attachment; filename="{snapshot.id}.parquet"'
    headers = {**_UNSEEN, "gaugeway-left-out": "0", "content-disposition": name}
    return StreamingResponse(pieces, headers=headers, media_type=PARQUET_TYPE)


def _lines(parts: Parts, snapshot: Snapshot) -> Iterator[Line]:
    after, number = b"", 0
    while items := parts.snapshots.items(snapshot, after, 100):
        for item in items:
            line = _line(parts, snapshot, item, PLAIN)
            if isinstance(line, dict):  # in the plain format each item is a line
                number += 1
                yield line
        after = items[-1].log_id
    if number != snapshot.items:
        raise ExportCut("the snapshot was deleted while it was exported")


def _line(parts: Parts, snapshot: Snapshot, item: SnapshotItem, form: str) -> Line | str:
    record = None if item.erased else parts.logs.get(snapshot.source, item.log_id)
    if record is None:
        hole = {"log_id": ids.to_text(item.log_id), "hash": item.hash, "erased": True}
        return hole if form == PLAIN else "it was erased"
    bodies = parts.logs.bodies(snapshot.source, item.log_id)
    return parts.interchange.line(form, item, record, bodies)


@router.post("/items", summary="Import items", dependencies=[NO_QUERY])
def add_items(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str, body: NewItems) -> Response:
    """Adds lines of a file to a snapshot that was made with an import_format; all of them, or none."""
    snapshot = _find_open(call, gateway, dataset_id, snapshot_id)
    importing = _Importing(call.parts, snapshot)
    importing.take(body.items, ("body", "items"))
    importing.write()
    return importing.conclude()


async def _body_of(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/items/parquet",
    summary="Import items of a Parquet file",
    dependencies=[NO_QUERY],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {PARQUET_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def add_file(
    call: Caller,
    gateway: NamedGateway,
    dataset_id: str,
    snapshot_id: str,
    body: Annotated[bytes, Depends(_body_of)],
) -> Response:
    """Adds the rows of a file, which is the body, to a snapshot whose import_format is plain; all, or none."""
    snapshot = _find_open(call, gateway, dataset_id, snapshot_id)
    if snapshot.imported != PLAIN:
        raise BadInput(
            f"Its import_format is {snapshot.imported}, and a file's is plain", ("params", "snapshot_id")
        )
    importing = _Importing(call.parts, snapshot)
    with TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        try:
            for lines in call.parts.parquet.read(file, MAX_UNPACKED):
                importing.take(lines, ("rows",))
                importing.write()
            return importing.conclude()
        except BaseException as problem:
            importing.undo()
            if isinstance(problem, BadInput):
                raise BadInput(problem.message, ("body", *problem.path)) from problem
            raise


def _find_open(call: Call, gateway: NamedGateway, dataset_id: str, snapshot_id: str) -> Snapshot:
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    if snapshot.status is not SnapshotStatus.OPEN:
        raise BadInput(f"It is {snapshot.status}: items cannot be added", ("params", "snapshot_id"))
    return snapshot


class _Importing:
    """Lines on their way into an open snapshot, whose items they become all at once."""

    def __init__(self, parts: Parts, snapshot: Snapshot) -> None:
        self._parts = parts
        self._snapshot = snapshot
        self._found: list[Logged] = []
        self._items: list[SnapshotItem] = []
        self._number = 0
        self._holes = 0

    def take(self, lines: Iterable[Line], path: Path) -> None:
        """Check the next lines; BadInput with the number of the one that is wrong."""
        parts, snapshot = self._parts, self._snapshot
        for line in lines:
            number, self._number = self._number, self._number + 1
            log_id = ids.from_text(parts.new_id()) or bytes(16)
            try:
                read = parts.interchange.read(snapshot.imported, line, snapshot.source, log_id)
            except BadInput as problem:
                raise BadInput(problem.message, (*path, number, *problem.path)) from problem
            if read is None:
                self._holes += 1
                continue
            self._found.append(Logged(read.record, read.bodies))
            digest = item_hash(content(read.record, read.bodies))
            self._items.append(SnapshotItem(log_id=log_id, hash=digest, expected=read.expected))

    def write(self) -> None:
        """Keep what was taken as frozen logs; they are no items yet."""
        self._parts.logs.append(self._found, _keep_all)
        self._found = []

    def conclude(self) -> Response:
        """Make items of them."""
        snapshot, parts = self._snapshot, self._parts
        after = parts.snapshots.add(snapshot.scope, snapshot.id, self._items, parts.clock.now_ms())
        return envelope.result({**show(after), "added": len(self._items), "skipped_erased": self._holes})

    def undo(self) -> None:
        """Take back what was written."""
        drop(self._parts.logs, self._snapshot, [item.log_id for item in self._items])


@router.post("/seal", summary="Seal an imported snapshot", dependencies=[NO_QUERY])
def seal(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str) -> Response:
    """Ends the import: the snapshot is ready and has its hash."""
    snapshot, parts = find(call, gateway, dataset_id, snapshot_id), call.parts
    if snapshot.status is SnapshotStatus.OPEN:
        drop_strays(parts.snapshots, parts.logs, snapshot)
    return envelope.result(show(parts.snapshots.seal(gateway.scope, snapshot_id, parts.clock.now_ms())))


def _keep_all(_scope: Scope) -> Retention:
    return Retention(None, None)
