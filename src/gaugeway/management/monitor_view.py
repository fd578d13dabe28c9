"""Monitors, their windows and notices as the API shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from gaugeway.core.comparisons import Margin
from gaugeway.core.judging import daily_budget
from gaugeway.core.money import from_pico, plain
from gaugeway.core.monitors import Monitor, Window, alpha_of, as_told
from gaugeway.core.notices import Notice, Tried
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.management.datasets import show_embedded
from gaugeway.management.parts import Call
from gaugeway.management.upstream_headers import CONCEALED


def show(call: Call, monitor: Monitor, secret: str | None = None) -> dict[str, Any]:
    """A monitor with how far it is; the webhook's secret only where it was just set."""
    rule = monitor.rule
    return {
        "id": monitor.id,
        "gateway_id": monitor.gateway_id,
        "name": monitor.name,
        "created_at": to_rfc3339(monitor.created_at),
        "modified_at": to_rfc3339(monitor.modified_at),
        "enabled": monitor.enabled,
        "interval_minutes": monitor.interval_minutes,
        "settle_seconds": monitor.settle_seconds,
        "datasets": [show_embedded(one) for one in monitor.datasets],
        "evaluation_type_ids": [one.evaluation_type_id for one in monitor.types],
        "share": monitor.share,
        "max_items": monitor.max_items,
        "daily_max_cost": None if monitor.daily_max_cost is None else plain(monitor.daily_max_cost),
        "spent_today": _spent_today(call, monitor),
        "cluster_by": monitor.cluster_by or None,
        "reference_windows": rule.reference_windows,
        "baseline_evaluation_id": rule.baseline_id,
        "min_logs": rule.min_logs,
        "weekly_alpha": rule.weekly_alpha,
        "alpha": alpha_of(monitor),
        "margins": {type_id: _show_margin(margin) for type_id, margin in rule.margins.items()},
        "webhook": _show_webhook(call, monitor, secret),
        "notify_on_failure": monitor.notify_on_failure,
        "keep_windows": monitor.keep_windows,
        "counted_until": to_rfc3339(monitor.counted_until),
        "next_at": None if monitor.due_at is None else to_rfc3339(monitor.due_at),
        "open_window_id": monitor.open_window or None,
        "raised": list(monitor.raised),
    }


def _spent_today(call: Call, monitor: Monitor) -> str | None:
    """Dollars that its judges have spent in this day of UTC, what is under way included."""
    if monitor.daily_max_cost is None:
        return None
    budget = daily_budget(monitor.scope, monitor.id, monitor.daily_max_cost)
    known = call.parts.ledger.buckets(monitor.scope, {budget.rule_id: budget}, call.parts.clock.now_ms())
    return plain(sum((from_pico(one.spent + one.reserved + one.unsettled) for one in known), Decimal(0)))


def _show_margin(margin: Margin) -> dict[str, Any]:
    return {"amount": float(margin.amount), "unit": "percent" if margin.is_percent else "absolute"}


def _show_webhook(call: Call, monitor: Monitor, secret: str | None) -> dict[str, Any] | None:
    """The path of a webhook's URL is often what lets one write there, so only writers see it."""
    if not monitor.webhook_url:
        return None
    url = monitor.webhook_url
    if not call.may_write:
        split = urlsplit(url)
        url = f"{split.scheme}://{split.netloc}/{CONCEALED}"
    return {"url": url} | ({} if secret is None else {"secret": secret})


def show_window(window: Window) -> dict[str, Any]:
    """A window; `finding` null: its evaluation is under way."""
    return {
        "id": window.id,
        "monitor_id": window.monitor_id,
        "created_at": to_rfc3339(window.created_at),
        "after": to_rfc3339(window.after_ms),
        "until": to_rfc3339(window.until_ms),
        "asked": window.asked,
        "missed": window.missed,
        "evaluation_id": window.evaluation_id or None,
        "finding": window.finding,
        "checks": [as_told(one) for one in window.checks],
        "alpha": window.alpha,
        "reference_evaluation_ids": list(window.reference),
        "total_logs": window.total_logs,
        "late_logs": window.late_logs,
        "notice_id": window.notice_id or None,
        "note": window.note or None,
        "concluded_at": None if window.concluded_at is None else to_rfc3339(window.concluded_at),
    }


def show_notice(notice: Notice) -> dict[str, Any]:
    """A notice, what is sent, and the last tries at that."""
    return {
        "id": notice.id,
        "monitor_id": notice.monitor_id,
        "window_id": notice.window_id,
        "event": notice.event,
        "created_at": to_rfc3339(notice.created_at),
        "state": notice.state,
        "tries": notice.tries,
        "next_try_at": to_rfc3339(notice.due_at) if notice.state == "pending" else None,
        "tried": [_show_try(one) for one in notice.tried],
        "body": notice.body,
    }


def _show_try(tried: Tried) -> dict[str, Any]:
    return {
        "at": to_rfc3339(tried.at),
        "duration_ms": tried.duration_ms,
        "status_code": tried.status_code,
        "error": tried.error or None,
    }
