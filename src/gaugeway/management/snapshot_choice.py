"""A snapshot that is named where datasets are: what a caller may be about instead of live logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gaugeway.core.model import Gateway, SnapshotRef
from gaugeway.core.snapshots import Snapshot
from gaugeway.management.envelope import INVALID, ApiError
from gaugeway.management.parts import Call
from gaugeway.management.refusals import Refused


def chosen_snapshot(call: Call, gateway: Gateway, dataset_ids: Sequence[str], whose: str) -> Snapshot | None:
    """The snapshot that is named in place of datasets; None where none of the ids is a snapshot's.

    Refused where it is not ready, or not named alone. `whose`: such as "an evaluation".
    """
    for index, identifier in enumerate(dataset_ids):
        snapshot = call.parts.snapshots.get(gateway.scope, identifier)
        if snapshot is None:
            continue
        path = ("body", "dataset_ids", index)
        if len(dataset_ids) > 1:
            message = f"This is a snapshot, and {whose} is about one snapshot or about datasets: name it alone"
            raise Refused([ApiError(400, INVALID, message, path)])
        if not snapshot.is_ready:
            message = f"The snapshot '{snapshot.name}' is not ready: {snapshot.status_description}"
            raise Refused([ApiError(400, INVALID, message, path)])
        return snapshot
    return None


def show_reference(ref: SnapshotRef) -> dict[str, Any]:
    """Which snapshot something is about."""
    return {"id": ref.id, "dataset_id": ref.dataset_id, "name": ref.name, "hash": ref.hash, "items": ref.items}
