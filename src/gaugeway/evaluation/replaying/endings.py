"""What a call came to: an answer, or why there is none. And the figures of what was logged."""

from __future__ import annotations

from msgspec import structs

from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.replays import Called, ItemState, Reason, ReplayItem
from gaugeway.evaluation.scoring.marks import shortened

_FAILURES = {
    Outcome.UPSTREAM_ERROR: Reason.UPSTREAM_ERROR,
    Outcome.TIMEOUT: Reason.TIMEOUT,
    Outcome.STREAM_CUT: Reason.BROKEN_OFF,
    Outcome.INTERNAL_ERROR: Reason.BROKEN_OFF,
    Outcome.CLIENT_GONE: Reason.BROKEN_OFF,
}
IMPORTED = "imported"
"""The provider of a snapshot's items that came from a file, and that nobody has answered."""
NOT_THE_MODEL = (401, 403, 404, 408, 413, 429)
"""Statuses that say something of keys, quotas and names, and nothing of how well the model answers."""


def of_call(item: ReplayItem, called: Called) -> ReplayItem:
    """The item as the call leaves it: answered, skipped or failed."""
    record = called.record
    if called.untranslatable:
        note = f"the gateway cannot translate it for the candidate: {called.untranslatable}"
        return _ended(item, record, ItemState.SKIPPED, Reason.UNTRANSLATABLE, note)
    if record is None:
        note = f"the gateway answered {called.status} and left no log, so there are no figures"
        return _ended(item, None, ItemState.FAILED, Reason.NO_LOG, note)
    if record.success and not called.bodies.response_cut:
        answered = structs.replace(item, state=ItemState.ANSWERED, reason=None, note="", success=True)
        return _with_figures(answered, record)
    if record.success:
        note = "the answer is larger than a replay takes"
        return _ended(item, record, ItemState.FAILED, Reason.BROKEN_OFF, note)
    reason = _FAILURES.get(record.outcome, Reason.REFUSED)
    note = record.error or f"the gateway answered {called.status}"
    says_something = reason is not Reason.REFUSED and called.status not in NOT_THE_MODEL
    failed = _ended(item, record, ItemState.FAILED, reason, note)
    return structs.replace(failed, success=False if says_something else None)


def of_logged(item: ReplayItem, record: LogRecord) -> ReplayItem:
    """Side 0. What came from the cache cost nothing and took no time: that says nothing of the model."""
    if record.provider == IMPORTED:
        return structs.replace(
            item, state=ItemState.ANSWERED, log_id=record.id, note="imported: nothing of it was measured"
        )
    found = structs.replace(item, state=ItemState.ANSWERED, success=_went_well(record))
    if record.cached:
        return structs.replace(
            found,
            log_id=record.id,
            note="answered from the cache: its cost and duration are not compared",
            tokens_in=None,
            tokens_out=None,
        )
    return _with_figures(found, record)


def ended(item: ReplayItem, state: ItemState, reason: Reason, note: str) -> ReplayItem:
    """The item, skipped or failed before anything was sent."""
    return _ended(item, None, state, reason, note)


def _went_well(record: LogRecord) -> bool | None:
    """None where its end says nothing of the model: it never came to it, or the client left."""
    if record.success:
        return True
    if record.outcome not in _FAILURES or record.outcome is Outcome.CLIENT_GONE:
        return None
    return None if record.status_code in NOT_THE_MODEL else False


def _ended(item: ReplayItem, record: LogRecord | None, state: ItemState, reason: Reason, note: str) -> ReplayItem:
    changed = structs.replace(item, state=state, reason=reason, note=shortened(note))
    return changed if record is None else structs.replace(changed, log_id=record.id, cost=record.cost)


def _with_figures(item: ReplayItem, record: LogRecord) -> ReplayItem:
    return structs.replace(
        item,
        log_id=record.id,
        cost=record.cost,
        duration=record.duration if record.success else None,
        tokens_in=record.usage.tokens_in,
        tokens_out=record.usage.tokens_out,
    )
