"""Shadows as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gaugeway.core.comparisons import Side
from gaugeway.core.money import plain
from gaugeway.core.replays import ReplayCounts
from gaugeway.core.shadows import DayForecast, Shadow
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management.comparison_view import show_sides
from gaugeway.management.datasets import show_embedded
from gaugeway.management.parts import Call
from gaugeway.management.replay_view import (
    LOGGED,
    show_candidate,
    show_counts,
    show_forecast_of,
    show_judges,
    show_spent,
    total,
)

ASSUMES = (
    "days like those looked at, and answers as long as the logged ones; high and low are a 95 % interval under that"
    " assumption"
)


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
        "forecast": None if shadow.forecast is None else show_forecast(shadow.forecast, shadow),
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


def show_forecast(forecast: DayForecast, shadow: Shadow) -> dict[str, Any]:
    """Dollars of a day as decimal texts; null where nobody knows, and `unknown` or `note` says why."""
    expected = [one.expected for one in forecast.candidates]
    high = [one.high for one in forecast.candidates]
    return {
        "days": forecast.days,
        "logs": forecast.logs,
        "daily_items": round(forecast.daily_items, 3),
        "sampled": forecast.sampled,
        "without_tokens": forecast.without_tokens,
        "candidates": [show_forecast_of(one) for one in forecast.candidates],
        "expected_cost": total(expected),
        "low": total([one.low for one in forecast.candidates]),
        "high": total(high),
        "worst_case_cost": total([one.worst_case for one in forecast.candidates]),
        **show_judges(forecast.judges, shadow),
        "daily_cap": plain(shadow.daily_cap),
        "within_cap": _within(expected, high, shadow.daily_cap) if forecast.logs else "unknown",
        "assumes": ASSUMES,
        "note": forecast.note or None,
    }


def _within(expected: Sequence[Decimal | None], high: Sequence[Decimal | None], cap: Decimal) -> str:
    """Whether a day stays within the cap. Never "certainly": nobody knows how many requests will come."""
    known = [one for one in expected if one is not None]
    if len(known) < len(expected):
        return "unknown"
    if sum(known, Decimal(0)) > cap:
        return "no"
    ends = [one for one in high if one is not None]
    return "probably" if len(ends) == len(high) and sum(ends, Decimal(0)) <= cap else "perhaps"


def _show_reasons(reasons: dict[str, int]) -> dict[str, Any]:
    return {"total": sum(reasons.values()), "reasons": reasons}


def _time(ms: int | None) -> str | None:
    return None if ms is None else to_rfc3339(ms)
