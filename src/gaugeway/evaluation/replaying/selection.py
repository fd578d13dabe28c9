"""Which logged requests a replay is about, and in what order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import structs

from gaugeway.core.comparisons import Side
from gaugeway.core.ports import LogStore
from gaugeway.core.query import EVERYTHING, Slice, Where
from gaugeway.core.replays import MAX_REPLAYED, Replay
from gaugeway.evaluation.selection import select_side

MAX_SELECTED = 250_000
"""Logs that a dataset may select, of which `max_items` are replayed."""


def where_of(replay: Replay) -> Where:
    """The dataset's logs, up to the replay's creation, or all that its snapshot has frozen.

    BadInput where the dataset cannot be read any more.
    """
    if replay.snapshot is not None:
        return EVERYTHING
    where = select_side(Side(label=replay.dataset.name, dataset=replay.dataset))
    return structs.replace(where, until_ms=replay.created_at)


def selected(logs: LogStore, replay: Replay) -> list[bytes]:
    """The ids of the logs selected, oldest first: one more than MAX_SELECTED where they are too many."""
    return logs.ids(replay.source, where_of(replay), Slice(limit=MAX_SELECTED + 1, descending=False))


def drawn(replay_id: str, log_ids: Sequence[bytes], most: int) -> list[bytes]:
    """Up to that many of them in an order drawn by lot, the same each time.

    So a replay of fewer, or one that ends early, has seen a fair sample and not the oldest ones.
    """

    def lot(log_id: bytes) -> bytes:
        return hashlib.blake2b(log_id, key=replay_id.encode()[:64], digest_size=16).digest()

    return sorted(log_ids, key=lot)[: min(most, MAX_REPLAYED)]
