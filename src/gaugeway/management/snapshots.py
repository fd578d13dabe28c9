"""Snapshots: frozen, hashed versions of datasets. All of it is ours; docs/datasets.md says what they are for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec import structs
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gaugeway.core import ids
from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Gateway
from gaugeway.core.query import parse_grouping
from gaugeway.core.snapshots import (
    FROZEN,
    MAX_ITEMS,
    Recipe,
    Redaction,
    Sampling,
    Snapshot,
    SnapshotStatus,
    Split,
)
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.datasets import find_dataset, show_embedded
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller, NamedGateway
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body, Name

router = APIRouter(prefix="/gateways/{gateway_id}/datasets/{dataset_id}/snapshots", tags=["Snapshots"])

Seed = Annotated[int, Field(ge=0, le=2**53)]
Size = Annotated[int, Field(ge=1, le=MAX_ITEMS)]
PartName = Annotated[str, Field(min_length=1, max_length=64)]


class SamplingBody(Body):
    """A sample: `size` in all, each stratum by its share, or `per_group` of each."""

    seed: Seed = 0
    size: Size | None = None
    per_group: Size | None = None
    by: str | None = Field(None, description="What parts items into strata: model, provider or metadata.KEY.")

    def to_sampling(self) -> Sampling:
        """Checked; BadInput."""
        path = ("body", "sample")
        if (self.size is None) == (self.per_group is None):
            raise BadInput("Expected either size or per_group", path)
        if self.per_group is not None and self.by is None:
            raise BadInput("Required with per_group", (*path, "by"))
        by = "" if self.by is None else str(parse_grouping(self.by, (*path, "by")))
        return Sampling(seed=self.seed, size=self.size, per_group=self.per_group, by=by)


class SplitBody(Body):
    """One part of a split by a seeded hash of the request: an item is in the same part in every snapshot."""

    part: PartName
    shares: Annotated[dict[PartName, Annotated[int, Field(ge=1, le=10_000)]], Field(min_length=2, max_length=20)]
    seed: Seed = 0

    def to_split(self) -> Split:
        """Checked; BadInput."""
        if self.part not in self.shares:
            raise BadInput("This part has no share", ("body", "split", "part"))
        return Split(part=self.part, shares=self.shares, seed=self.seed)


class RedactionBody(Body):
    """What is taken out: personal data of a `kind`, or what a `pattern` (RE2) matches."""

    kind: Annotated[str, Field(max_length=64)] = ""
    pattern: Annotated[str, Field(max_length=2000)] = ""
    replacement: Annotated[str, Field(max_length=200)] = ""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None


class SnapshotBody(Body):
    """The body of POST."""

    name: Name
    deduplicate: bool = Field(False, description="Of logs with equal requests only the oldest becomes an item.")
    sample: SamplingBody | None = None
    split: SplitBody | None = None
    redact: Annotated[list[RedactionBody], Field(max_length=50)] = Field(default_factory=list)
    import_format: Literal["plain", "evals", "chat"] | None = Field(
        None, description="Takes its items from outside (POST …/items, then …/seal) and not from logs."
    )

    def to_recipe(self, call: Call) -> Recipe:
        """Checked; BadInput."""
        redactions = tuple(
            Redaction(kind=one.kind, pattern=one.pattern, replacement=one.replacement, region=one.region or "")
            for one in self.redact
        )
        call.parts.interchange.check(redactions, ("body", "redact"))
        if self.import_format is not None:
            for name in ("deduplicate", "sample", "split", "redact"):
                if getattr(self, name):
                    raise BadInput("What is imported is taken as it is: leave this out", ("body", name))
        return Recipe(
            deduplicate=self.deduplicate,
            sampling=None if self.sample is None else self.sample.to_sampling(),
            split=None if self.split is None else self.split.to_split(),
            redact=redactions,
        )


def show(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as the API shows it."""
    recipe = snapshot.recipe
    return {
        "id": snapshot.id,
        "gateway_id": snapshot.gateway_id,
        "dataset_id": snapshot.dataset.id,
        "name": snapshot.name,
        "created_at": to_rfc3339(snapshot.created_at),
        "modified_at": to_rfc3339(snapshot.modified_at),
        "status": snapshot.status.value,
        "status_description": snapshot.status_description,
        "hash": snapshot.hash or None,
        "items": snapshot.items,
        "erased": snapshot.holes,
        "expected": snapshot.expected,
        "expected_version": snapshot.expected_version,
        "expected_hash": snapshot.expected_hash or None,
        "import_format": snapshot.imported or None,
        "deduplicate": recipe.deduplicate,
        "sample": None if recipe.sampling is None else structs.asdict(recipe.sampling),
        "split": None if recipe.split is None else structs.asdict(recipe.split),
        "redact": [structs.asdict(one) for one in recipe.redact],
        "tally": structs.asdict(snapshot.tally),
        "dataset": show_embedded(snapshot.dataset),
    }


@router.get("", summary="List a dataset's snapshots")
def list_snapshots(
    call: Caller, gateway: NamedGateway, dataset_id: str, query: Annotated[Paged, InQuery()]
) -> Response:
    """Newest first; also those of a dataset that was deleted."""
    part = call.parts.snapshots.list(
        gateway.scope, dataset_id=dataset_id, offset=query.offset, limit=query.per_page
    )
    return envelope.page([show(item) for item in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Freeze a dataset", dependencies=[NO_QUERY])
def create_snapshot(call: Caller, gateway: NamedGateway, dataset_id: str, body: SnapshotBody) -> Response:
    """Answers at once; `status` tells when it is ready. It has the logs created up to now, as they are then."""
    dataset = find_dataset(call, gateway, dataset_id)
    identifier = call.parts.new_id()
    # Ids never go back, clocks may: logs answered before this moment must not lie behind it.
    now = max(call.parts.clock.now_ms(), ids.time_ms(ids.from_text(identifier) or bytes(16)))
    snapshot = Snapshot(
        account_id=gateway.account_id,
        gateway_id=gateway.id,
        id=identifier,
        name=body.name,
        dataset=dataset,
        created_at=now,
        modified_at=now,
        recipe=body.to_recipe(call),
    )
    if body.import_format is not None:
        snapshot = structs.replace(
            snapshot,
            status=SnapshotStatus.OPEN,
            status_description="open: items can be added, until it is sealed",
            imported=body.import_format,
            frozen=FROZEN + identifier,
        )
    try:
        call.parts.snapshots.create(snapshot)
    except Conflict as problem:
        raise Conflict(f"This dataset has a snapshot named '{body.name}' already", ("body", "name")) from problem
    call.parts.on_snapshot_changed()
    return envelope.result(show(snapshot))


@router.get("/{snapshot_id}", summary="Get a snapshot", dependencies=[NO_QUERY])
def get_snapshot(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str) -> Response:
    """One snapshot."""
    return envelope.result(show(find(call, gateway, dataset_id, snapshot_id)))


@router.delete("/{snapshot_id}", summary="Delete a snapshot", dependencies=[NO_QUERY])
async def delete_snapshot(call: Caller, gateway: NamedGateway, dataset_id: str, snapshot_id: str) -> Response:
    """Deletes it with its items. Evaluations keep their figures."""
    snapshot = await run_in_threadpool(_delete, call, gateway, dataset_id, snapshot_id)
    call.parts.on_snapshot_changed()
    return envelope.result(show(snapshot))


def _delete(call: Call, gateway: Gateway, dataset_id: str, snapshot_id: str) -> Snapshot:
    find(call, gateway, dataset_id, snapshot_id)
    snapshot = call.parts.snapshots.delete(gateway.scope, snapshot_id)
    if snapshot.frozen:
        call.parts.logs.delete_scope(snapshot.source)
    return snapshot


def find(call: Call, gateway: Gateway, dataset_id: str, snapshot_id: str) -> Snapshot:
    """NotFound where the dataset has none of that id, or never had."""
    snapshot = call.parts.snapshots.get(gateway.scope, snapshot_id)
    if snapshot is None or snapshot.dataset.id != dataset_id:
        raise NotFound(f"there is no snapshot {snapshot_id!r} of this dataset")
    return snapshot


def find_ready(call: Call, gateway: Gateway, dataset_id: str, snapshot_id: str) -> Snapshot:
    """The same; Conflict where it is not ready."""
    snapshot = find(call, gateway, dataset_id, snapshot_id)
    if not snapshot.is_ready:
        message = f"The snapshot is not ready: {snapshot.status_description}"
        raise Conflict(message, ("params", "snapshot_id"))
    return snapshot
