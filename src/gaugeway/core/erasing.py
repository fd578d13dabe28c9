"""What erasing an item means in two stores at once: first it is marked as a hole, then its frozen log goes.

So a crash in between leaves an item that is known to be erased and whose log is still to go; whoever makes
snapshots looks for those.
"""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.ports import LogStore
from gaugeway.core.query import Filter, Operator, Slice, Where
from gaugeway.core.snapshots import MAX_ITEMS, Snapshot, SnapshotStore

CHUNK = 500
"""Logs that are deleted by one call."""
MAX_THERE = 10 * MAX_ITEMS


def find_subject(logs: LogStore, snapshot: Snapshot, entries: Sequence[tuple[str, str]], limit: int) -> list[bytes]:
    """The ids of the frozen logs with all of these metadata entries."""
    return logs.ids(snapshot.source, Where(entries=tuple(entries)), Slice(limit=limit, descending=False))


def erase(
    snapshots: SnapshotStore, logs: LogStore, snapshot: Snapshot, log_ids: Sequence[bytes], now_ms: int
) -> Snapshot:
    """Make holes of items, and delete their frozen logs; NotFound where the snapshot is gone."""
    holed = snapshots.erase(snapshot.scope, snapshot.id, log_ids, now_ms)
    finish_erasing(snapshots, logs, holed)
    return holed


def finish_erasing(snapshots: SnapshotStore, logs: LogStore, snapshot: Snapshot) -> None:
    """Delete the frozen logs of all its holes, as far as they are still there."""
    drop(logs, snapshot, snapshots.holes(snapshot))
    snapshots.erased(snapshot)


def drop_strays(snapshots: SnapshotStore, logs: LogStore, snapshot: Snapshot) -> None:
    """Delete frozen logs that are none of its items: a death between the two stores left them."""
    there = logs.ids(snapshot.source, Where(), Slice(limit=MAX_THERE, descending=False))
    items: set[bytes] = set()
    after = b""
    while page := snapshots.items(snapshot, after, CHUNK):
        items.update(item.log_id for item in page)
        after = page[-1].log_id
    drop(logs, snapshot, [log_id for log_id in there if log_id not in items])


def drop(logs: LogStore, snapshot: Snapshot, log_ids: Sequence[bytes]) -> None:
    """Delete frozen logs of these ids."""
    for begin in range(0, len(log_ids), CHUNK):
        these = Filter("id", Operator.EQ, tuple(log_ids[begin : begin + CHUNK]))
        logs.delete(snapshot.source, Where(alternatives=((these,),)), Slice(limit=CHUNK))
