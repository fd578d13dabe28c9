"""Replays as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from gaugeway.core import ids
from gaugeway.core.comparisons import Side
from gaugeway.core.judging import Forecast as JudgeForecast
from gaugeway.core.model import Bodies, Scope
from gaugeway.core.money import from_pico, plain
from gaugeway.core.replays import (
    Candidate,
    CandidateForecast,
    Forecast,
    Replay,
    ReplayCounts,
    ReplayItem,
    Trial,
)
from gaugeway.core.snapshots import SnapshotRef
from gaugeway.core.spending import Budget
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management.comparison_view import show_sides
from gaugeway.management.datasets import show_embedded
from gaugeway.management.judge_forecast_view import show_judge_forecast
from gaugeway.management.parts import Call
from gaugeway.management.vote_view import show_votes

LOGGED = "logged"
"""What the baseline is called."""
MAX_SHOWN_BODY = 200_000
"""Characters of a body that a list of items shows."""


def show(call: Call, replay: Replay) -> dict[str, Any]:
    """A replay with how far it is, and its verdicts once there are any."""
    counts = call.parts.replays.counts(replay)
    labels = [LOGGED, *(one.label for one in replay.candidates)]
    sides = [Side(label=label) for label in labels]
    return {
        "id": replay.id,
        "gateway_id": replay.gateway_id,
        "name": replay.name,
        "created_at": to_rfc3339(replay.created_at),
        "modified_at": to_rfc3339(replay.modified_at),
        "status": int(replay.status),
        "status_description": replay.status_description,
        "processed": replay.processed,
        "dataset": show_embedded(replay.dataset),
        "snapshot": None if replay.snapshot is None else _show_snapshot(replay.snapshot),
        "through": replay.through,
        "candidates": [show_candidate(one) for one in replay.candidates],
        "evaluation_type_ids": [one.evaluation_type_id for one in replay.judged],
        "max_cost": plain(replay.max_cost),
        "max_items": replay.max_items,
        "concurrency": replay.concurrency,
        "accept_unknown_cost": replay.accept_unknown_cost,
        **show_spent(call, replay.purse),
        "selected_logs": replay.selected,
        "total_items": replay.total_items,
        "progress": [
            show_counts(label, counts.get(side, ReplayCounts()), replay.total_items)
            for side, label in enumerate(labels)
        ],
        "forecast": None if replay.forecast is None else show_forecast(replay.forecast, replay),
        "comparison": None if replay.comparison is None else show_sides(sides, replay.comparison),
    }


def _show_snapshot(snapshot: SnapshotRef) -> dict[str, Any]:
    return {"id": snapshot.id, "name": snapshot.name, "hash": snapshot.hash, "items": snapshot.items}


def show_spent(call: Call, purse: Budget) -> dict[str, Any]:
    """What counts against the cap; what is reserved for calls whose process died stays reserved."""
    now = call.parts.clock.now_ms()
    [bucket] = call.parts.ledger.buckets(purse.scope, {purse.rule_id: purse}, now) or [None]
    if bucket is None:
        return {"spent": "0", "reserved": "0", "unsettled": "0"}
    return {
        "spent": plain(from_pico(bucket.spent)),
        "reserved": plain(from_pico(bucket.reserved)),
        "unsettled": plain(from_pico(bucket.unsettled)),
    }


def show_counts(label: str, counts: ReplayCounts, items: int) -> dict[str, Any]:
    """How many of a side's items ended how."""
    done = counts.replayed + counts.failed + counts.skipped
    return {
        "label": label,
        "replayed": counts.replayed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "under_way": counts.under_way,
        "pending": max(items - done - counts.under_way, 0),
        "maybe_paid_twice": counts.resent,
        "reasons": counts.reasons,
    }


def show_candidate(one: Candidate) -> dict[str, Any]:
    """As it was asked for."""
    rates = one.rates
    return {
        "label": one.label,
        "model": one.model or None,
        "system": one.system,
        "append_system": one.append_system,
        "parameters": one.parameters,
        "cost_per_token_in": _decimal(None if rates is None else rates.per_token_in),
        "cost_per_token_out": _decimal(None if rates is None else rates.per_token_out),
    }


def show_forecast(forecast: Forecast, replay: Replay) -> dict[str, Any]:
    """Dollars as decimal texts; null where nobody knows, and `unknown` says why."""
    expected = [one.expected for one in forecast.candidates]
    worst = [one.worst_case for one in forecast.candidates]
    return {
        "total_items": forecast.items,
        "sampled": forecast.sampled,
        "without_tokens": forecast.without_tokens,
        "candidates": [show_forecast_of(one) for one in forecast.candidates],
        "expected_cost": total(expected),
        "worst_case_cost": total(worst),
        **show_judges(forecast.judges, replay),
        "max_cost": plain(replay.max_cost),
        "within_cap": _within(worst, expected, replay.max_cost),
        "assumes": "answers as long as the logged ones; high and low are a 95 % interval under that assumption",
    }


def show_judges(forecasts: Sequence[JudgeForecast], trial: Trial) -> dict[str, Any]:
    """What the evaluators that ask models would cost."""
    return {
        "judges": [show_judge_forecast(one, trial.judged[one.position].evaluation_type_id) for one in forecasts],
        "judges_expected_cost": total([one.expected for one in forecasts]) if forecasts else None,
        "judges_worst_case_cost": _judges_caps(trial),
    }


def _judges_caps(trial: Trial) -> str | None:
    """What the judges together never pass, each having a cap of its own; null where there is none."""
    caps = [Decimal(repr(one.parameters["max_cost"])) for one in trial.judged if "max_cost" in one.parameters]
    return plain(sum(caps, Decimal(0))) if caps else None


def _within(worst: list[Decimal | None], expected: list[Decimal | None], cap: Decimal) -> str:
    """Whether the cap will be reached."""
    if all(one is not None for one in worst) and sum(filter(None, worst), Decimal(0)) <= cap:
        return "certainly"
    if any(one is None for one in expected):
        return "unknown"
    return "probably" if sum(filter(None, expected), Decimal(0)) <= cap else "no"


def show_forecast_of(one: CandidateForecast) -> dict[str, Any]:
    """What one candidate would cost."""
    return {
        "label": one.label,
        "expected_cost": _decimal(one.expected),
        "low": _decimal(one.low),
        "high": _decimal(one.high),
        "twice_as_long_cost": _decimal(one.twice_as_long),
        "worst_case_cost": _decimal(one.worst_case),
        "replayable": one.replayable,
        "skipped": one.skipped,
        "unknown": one.unknown or None,
    }


def show_item(call: Call, trial: Trial, log_id: bytes, item: ReplayItem) -> dict[str, Any]:
    """One side of one item, with the answer as it was logged."""
    scope = trial.source if item.side == 0 else trial.through_scope
    return {
        "place": item.place,
        "side": item.side,
        "label": LOGGED if item.side == 0 else trial.candidates[item.side - 1].label,
        "logged_log_id": ids.to_text(log_id),
        "log_id": None if item.log_id is None else ids.to_text(item.log_id),
        "status": item.state.name.lower(),
        "reason": None if item.reason is None else item.reason.value,
        "note": item.note or None,
        "cost": _decimal(item.cost),
        "duration": item.duration,
        "tokens_in": item.tokens_in,
        "tokens_out": item.tokens_out,
        "success": item.success,
        "maybe_paid_twice": item.resent,
        "scores": [
            {
                "evaluation_type_id": judged.evaluation_type_id,
                "score": mark.score,
                "failed": mark.failed,
                "note": mark.note,
                "votes": show_votes(mark.votes),
            }
            for judged, mark in zip(trial.judged, item.marks, strict=False)
        ],
        **_show_answer(call, scope, item.log_id),
    }


def _show_answer(call: Call, scope: Scope, log_id: bytes | None) -> dict[str, Any]:
    if log_id is None:
        return {"log_deleted": None, "response": None}
    record = call.parts.logs.get(scope, log_id)
    bodies = (None if record is None else call.parts.logs.bodies(scope, log_id)) or Bodies()
    text = None if bodies.response is None else bodies.response.decode(errors="replace")[:MAX_SHOWN_BODY]
    return {"log_deleted": record is None, "response": text}


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


def total(amounts: list[Decimal | None]) -> str | None:
    """All together; null where one is not known."""
    known = [one for one in amounts if one is not None]
    return plain(sum(known, Decimal(0))) if len(known) == len(amounts) else None
