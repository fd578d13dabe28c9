"""What of a window's findings is new, and the notice that tells of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct, structs

from gaugeway.core.monitors import FAILURES, Check, Finding, Monitor, Window, as_told
from gaugeway.core.notices import Delivery, Event, Notice
from gaugeway.core.timestamps import to_rfc3339

_LEARNED_NOTHING = (
    Finding.FAILED,
    Finding.CAPPED,
    Finding.NO_BASELINE,
    Finding.NO_LOGS,
    Finding.NOT_ENOUGH_LOGS,
    Finding.NO_REFERENCE,
    Finding.NOT_COMPARED,
)
"""After these nobody knows whether what was worse still is."""


class Told(Struct, frozen=True):
    """What is to be written."""

    window: Window
    notices: list[Notice]
    raised: tuple[str, ...]


def tell(monitor: Monitor, window: Window, new_id: Callable[[], str], now_ms: int) -> Told:
    """One notice of everything that is worse, or failed, and was not before: each drop is told once."""
    before = frozenset(monitor.raised)
    found = {_key(one) for one in window.checks if _is_told(monitor, one)}
    kept = {_worse(one) for one in window.checks if one.finding in _LEARNED_NOTHING and _worse(one) in before}
    checks = tuple(structs.replace(one, raised=_key(one) in found - before) for one in window.checks)
    new = [one for one in checks if one.raised]
    raised = tuple(sorted(found | kept))
    window = structs.replace(window, checks=checks)
    if not new:
        return Told(window, [], raised)
    identifier = new_id()
    window = structs.replace(window, notice_id=identifier)
    is_alert = any(one.finding is Finding.WORSE for one in new)
    event = Event.ALERT if is_alert else Event.FAILURE
    notice = Notice(
        account_id=monitor.account_id,
        gateway_id=monitor.gateway_id,
        id=identifier,
        monitor_id=monitor.id,
        window_id=window.id,
        event=event,
        created_at=now_ms,
        body=_body(monitor, window, event, identifier, now_ms),
        state=Delivery.PENDING if monitor.webhook_url else Delivery.NOT_SENT,
        due_at=now_ms,
    )
    return Told(window, [notice], raised)


def _is_told(monitor: Monitor, check: Check) -> bool:
    """What is not told is not raised: who asks to be told of failures later is told of those that last."""
    return check.finding is Finding.WORSE or (monitor.notify_on_failure and check.finding in FAILURES)


def _key(check: Check) -> str:
    return f"{check.finding}:{check.type_id}"


def _worse(check: Check) -> str:
    return f"{Finding.WORSE}:{check.type_id}"


def _body(monitor: Monitor, window: Window, event: Event, identifier: str, now_ms: int) -> str:
    """What is sent: figures and names of the operator's, and nothing that a log says."""
    body = {
        "id": identifier,
        "type": event,
        "timestamp": to_rfc3339(now_ms),
        "data": {
            "account_id": monitor.account_id,
            "gateway_id": monitor.gateway_id,
            "monitor_id": monitor.id,
            "monitor": monitor.name,
            "window_id": window.id,
            "evaluation_id": window.evaluation_id,
            "after": to_rfc3339(window.after_ms),
            "until": to_rfc3339(window.until_ms),
            "total_logs": window.total_logs,
            "finding": window.finding,
            "alpha": window.alpha,
            "note": window.note,
            "checks": [as_told(one) for one in window.checks],
        },
    }
    return msgspec.json.encode(body).decode()
