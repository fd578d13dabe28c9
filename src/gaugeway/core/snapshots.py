"""Snapshots of datasets: what a dataset selected at one moment, frozen, and what each item should be answered.

The frozen logs are logs like any other, in a log store, under a scope of their own (`Snapshot.source`): whoever
reads logs reads frozen ones by the same methods. Kept beside them, in the SnapshotStore, are each item's hash,
which stays when the item has to be erased, and its expected answers, which do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, BinaryIO, Protocol

from msgspec import Struct

from gaugeway.core.errors import Path
from gaugeway.core.model import Bodies, Dataset, LogRecord, Scope, SnapshotRef
from gaugeway.core.ports.common import Page

MAX_ITEMS = 100_000
"""Items of one snapshot."""
MAX_EXPECTED = 100_000
"""Characters of an expected answer."""
PLAIN, EVALS, CHAT = FORMATS = ("plain", "evals", "chat")
"""What items can be exported and imported as, a line each: all there is of them, or as OpenAI's evals take them
({"input": [...], "ideal": ...}), or its fine-tuning ({"messages": [...]})."""
PARQUET = "parquet"
"""The plain format as typed columns of a Parquet file, a row each."""
FROZEN = "snapshot/"
"""How the gateway id of a frozen scope begins; no gateway's own can, as it has no slash."""


class SnapshotStatus(StrEnum):
    """How far a snapshot is."""

    QUEUED = "queued"
    RUNNING = "running"
    OPEN = "open"  # items are being added from outside, until it is sealed
    READY = "ready"
    FAILED = "failed"


class Sampling(Struct, frozen=True, kw_only=True):
    """Some of the items, the same ones for the same seed."""

    seed: int = 0
    size: int | None = None  # how many in all; of several strata each gets its share
    per_group: int | None = None  # how many of each stratum, instead
    by: str = ""  # what parts them into strata (query.Grouping); "": one stratum


class Split(Struct, frozen=True, kw_only=True):
    """One of several parts. Which one an item is in depends on the seed and its request alone: it never moves."""

    part: str
    shares: dict[str, int]  # of each part, in whole parts of their sum
    seed: int = 0


class Redaction(Struct, frozen=True, kw_only=True):
    """What is taken out of an item's text before it is kept: personal data of a kind, or what a pattern matches."""

    kind: str = ""
    pattern: str = ""
    replacement: str = ""  # "": the rule's own, e.g. [email]
    region: str = ""  # of phone numbers without a country code


class Recipe(Struct, frozen=True, kw_only=True):
    """How a snapshot is made of what its dataset selects."""

    deduplicate: bool = False  # of equal requests the oldest
    sampling: Sampling | None = None
    split: Split | None = None
    redact: tuple[Redaction, ...] = ()


class Tally(Struct, frozen=True, kw_only=True):
    """What became of the logs that a snapshot was made of."""

    selected: int = 0  # by the dataset's filters
    duplicates: int = 0  # left out, as their request was there already
    other_parts: int = 0  # in another part of the split
    not_sampled: int = 0
    redacted: int = 0  # items in which something was replaced
    bodies_dropped: int = 0  # bodies that could not be redacted for certain, and are not kept
    gone: int = 0  # logs that were deleted before they could be frozen
    lost: int = 0  # logs of the gateway that could never be kept, and might have been selected


class Snapshot(Struct, frozen=True, kw_only=True):
    """A frozen dataset."""

    account_id: str
    gateway_id: str
    id: str  # UUIDv7 text
    name: str
    dataset: Dataset  # as it was when the snapshot was asked for
    created_at: int  # also its end: logs created up to this moment count
    modified_at: int
    status: SnapshotStatus = SnapshotStatus.QUEUED
    status_description: str = "queued"
    recipe: Recipe = Recipe()
    tally: Tally = Tally()
    frozen: str = ""  # the gateway id of its frozen logs' scope; "": nothing is kept yet
    items: int = 0  # holes too
    holes: int = 0  # items that were erased
    hash: str = ""  # over the items' hashes, hexadecimal; "" until it is ready
    imported: str = ""  # the format (FORMATS) that its items come in from outside; "": they are of logs
    expected: int = 0  # items that have an expected answer
    expected_version: int = 0  # counts the changes of expected answers
    expected_hash: str = ""  # over the items' expected answers at that version; "": there never was one

    @property
    def scope(self) -> Scope:
        """The gateway it belongs to."""
        return Scope(self.account_id, self.gateway_id)

    @property
    def source(self) -> Scope:
        """Where its frozen logs are, in the log store."""
        return Scope(self.account_id, self.frozen)

    @property
    def is_measured(self) -> bool:
        """Whether its items have the columns of real requests: costs, durations, outcomes."""
        return self.imported in ("", PLAIN)

    @property
    def is_ready(self) -> bool:
        """Whether it is whole, and will not change any more but for holes and expected answers."""
        return self.status is SnapshotStatus.READY


class SnapshotItem(Struct, frozen=True, kw_only=True):
    """What is known of an item beside its frozen log."""

    log_id: bytes  # of the log it was made of, and its own in `Snapshot.source`
    hash: str  # of its content (core/snapshot_hashes.py); stays when it is erased
    erased: bool = False  # a hole: its log, bodies and expected answers are gone
    expected: str | None = None  # the answer it should have had


class SnapshotStore(Protocol):
    """Snapshots, their items' hashes and expected answers, and the queue of those to be made.

    Whoever makes one is its `owner` until the lease ends; writes of one who lost it are refused (False).
    """

    def create(self, snapshot: Snapshot) -> None:
        """NotFound without its gateway, Conflict where its dataset has one of that name. If queued, claimable."""
        ...

    def get(self, scope: Scope, snapshot_id: str) -> Snapshot | None: ...
    def list(self, scope: Scope, *, dataset_id: str | None, offset: int, limit: int) -> Page[Snapshot]:
        """Newest first; of one dataset, or of all."""
        ...

    def delete(self, scope: Scope, snapshot_id: str) -> Snapshot:
        """The snapshot that was; NotFound. Its frozen logs are the log store's to delete (`delete_scope`)."""
        ...

    def frozen(self) -> set[Scope]:
        """Every scope that a snapshot has frozen logs in, or is making them in."""
        ...

    def claim(self, owner: str, frozen: str, now_ms: int, lease_ms: int) -> Snapshot | None:
        """The oldest that waits, or whose maker is gone, now made by `owner` into the empty scope `frozen`.

        What an earlier maker has kept of its items is forgotten.
        """
        ...

    def renew(self, snapshot: Snapshot, owner: str, now_ms: int, lease_ms: int) -> bool:
        """Hold on to it for that long from now (0: let go at once); False where it was lost or deleted."""
        ...

    def put(self, snapshot: Snapshot, owner: str, items: Sequence[SnapshotItem]) -> bool:
        """Keep items, all or none."""
        ...

    def save(self, snapshot: Snapshot, owner: str) -> bool:
        """Keep what became of it; READY or FAILED ends the hold. READY: hash and counts are filled in."""
        ...

    def add(self, scope: Scope, snapshot_id: str, items: Sequence[SnapshotItem], now_ms: int) -> Snapshot:
        """Add items to one that is open; NotFound, Conflict where it is not open or would have too many."""
        ...

    def seal(self, scope: Scope, snapshot_id: str, now_ms: int) -> Snapshot:
        """Make an open one READY: hash and counts are filled in. NotFound, Conflict where it is not open."""
        ...

    def items(self, snapshot: Snapshot, after: bytes, limit: int) -> Sequence[SnapshotItem]:
        """The next items after that log id, by id, with their expected answers at `snapshot.expected_version`."""
        ...

    def item(self, snapshot: Snapshot, log_id: bytes) -> SnapshotItem | None:
        """One of them."""
        ...

    def expected(self, ref: SnapshotRef, log_id: bytes) -> str | None:
        """An item's expected answer at the ref's version."""
        ...

    def expect(
        self, scope: Scope, snapshot_id: str, answers: Sequence[tuple[bytes, str | None]], now_ms: int
    ) -> Snapshot:
        """Give items expected answers (None: none any more), as one new version; all or none.

        NotFound, Conflict where it is not ready or open; BadInput with the path (index,) where an item is not there
        or erased.
        """
        ...

    def erase(self, scope: Scope, snapshot_id: str, log_ids: Sequence[bytes], now_ms: int) -> Snapshot:
        """Make holes of items: their hashes stay, their expected answers of all versions go. NotFound.

        Ids that are none of its items are passed over. The frozen logs are the log store's to delete; until
        `erased` is told, `to_erase` says that they have to be.
        """
        ...

    def to_erase(self) -> Sequence[Snapshot]:
        """Those of which somebody has begun to erase items, and perhaps never ended."""
        ...

    def holes(self, snapshot: Snapshot) -> Sequence[bytes]:
        """The log ids of its erased items."""
        ...

    def erased(self, snapshot: Snapshot) -> None:
        """The frozen logs of all holes are gone."""
        ...


class Imported(Struct, frozen=True, kw_only=True):
    """An item from outside."""

    record: LogRecord
    bodies: Bodies
    expected: str | None = None


class Interchange(Protocol):
    """Items as lines of files, and back."""

    def line(self, form: str, item: SnapshotItem, record: LogRecord, bodies: Bodies | None) -> dict[str, Any] | str:
        """The item in one of FORMATS; a text says why it cannot be in it."""
        ...

    def read(self, form: str, line: dict[str, Any], scope: Scope, log_id: bytes) -> Imported | None:
        """A line as a log of that scope and id; None for a hole. BadInput with the path within the line."""
        ...

    def answer(self, record: LogRecord, bodies: Bodies | None) -> str:
        """What a log's model answered, as text. BadInput that says why it cannot be told."""
        ...

    def check(self, redactions: Sequence[Redaction], path: Path) -> None:
        """BadInput, below the path, where a redaction cannot be applied."""
        ...


class ParquetFiles(Protocol):
    """Lines of the plain format as Parquet files. BadInput from all methods where its library is not installed."""

    def require(self) -> None:
        """BadInput where it is not installed, which says what to install."""
        ...

    def write(self, lines: Iterable[dict[str, Any]], notes: Mapping[str, str]) -> Iterator[bytes]:
        """A file in pieces, as the lines come; the notes stand in its footer."""
        ...

    def read(self, source: BinaryIO, max_bytes: int | None = None) -> Iterator[list[dict[str, Any]]]:
        """The lines of a file that has a descriptor and can be sought in, some at a time, in their order.

        BadInput where it is no such file, has columns that are not known, or is beyond what a file may be
        (MAX_ITEMS rows; `max_bytes` of content). Lines that were given before that are as they are in the file.
        """
        ...


def reference(snapshot: Snapshot) -> SnapshotRef:
    """What an evaluation keeps of a snapshot."""
    return SnapshotRef(
        id=snapshot.id,
        name=snapshot.name,
        dataset_id=snapshot.dataset.id,
        hash=snapshot.hash,
        items=snapshot.items,
        frozen=snapshot.frozen,
        expected_version=snapshot.expected_version,
        expected_hash=snapshot.expected_hash,
    )
