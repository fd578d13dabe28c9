"""Shadows as the API shows them."""

from __future__ import annotations

from typing import Any

from gaugeway.core.comparisons import Side
from gaugeway.core.money import plain
from gaugeway.core.replays import ReplayCounts
from gaugeway.core.shadows import Shadow
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management.comparison_view import show_sides
from gaugeway.management.datasets import show_embedded
from gaugeway.management.parts import Call
from gaugeway.management.replay_view import LOGGED, show_candidate, show_counts, show_spent


def show(call: Call, shadow: Shadow) -> dict[str, Any]:
    """A shadow with what became of the requests, and the verdicts over what was compared so far."""
    counts = call.parts.shadows.counts(shadow)
    labels = [LOGGED, *(one.label for one in shadow.candidates)]
    sides = [Side(label=label) for label in labels]
    return {
        "id": shadow.id,
        "gateway_id": shadow.gateway_id,
        "name": shadow.name,
        "created_at": to_rfc3339(shadow.created_at),
        "modified_at": to_rfc3339(shadow.modified_at),
        "status": int(shadow.status),
        "status_description": shadow.status_description,
        "processed": shadow.processed,
        "dataset": None if shadow.dataset is None else show_embedded(shadow.dataset),
        "through": shadow.through,
        "candidates": [show_candidate(one) for one in shadow.candidates],
        "evaluation_type_ids": [one.evaluation_type_id for one in shadow.judged],
        "share": float(shadow.share),
        "daily_cap": plain(shadow.daily_cap),
        "max_items": shadow.max_items,
        "until": to_rfc3339(shadow.until),
        "concurrency": shadow.concurrency,
        "accept_unknown_cost": shadow.accept_unknown_cost,
        "paused_until": _time(shadow.paused_until),
        "stopped_at": _time(shadow.stopped_at),
        "today": show_spent(call, shadow.purse),
        "seen": counts.seen,
        "sampled": counts.sampled,
        "waiting": counts.waiting,
        "called": counts.called,
        "skipped": _show_reasons(counts.skipped),
        "missed": _show_reasons(counts.missed),
        "progress": [
            show_counts(label, counts.sides.get(side, ReplayCounts()), counts.called)
            for side, label in enumerate(labels)
        ],
        "compared_items": shadow.compared_items,
        "comparison": None if shadow.comparison is None else show_sides(sides, shadow.comparison),
    }


def _show_reasons(reasons: dict[str, int]) -> dict[str, Any]:
    return {"total": sum(reasons.values()), "reasons": reasons}


def _time(ms: int | None) -> str | None:
    return None if ms is None else to_rfc3339(ms)
