"""Works monitors: a window that is due gets its evaluation; one whose evaluation has ended gets its findings.

Both are single writes by whoever holds the monitor, so a window is made and concluded once, whatever dies between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct, structs

from gaugeway.core import ids
from gaugeway.core.errors import Conflict
from gaugeway.core.model import Evaluation, Result, WatchedWindow
from gaugeway.core.monitors import (
    FARTHEST_MS,
    Check,
    Finding,
    Monitor,
    MonitorStore,
    Span,
    Window,
    first_due,
    span_at,
)
from gaugeway.core.ports import Clock, EvaluationStore
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.leased import STANDARD, Held, Leased, Pace
from gaugeway.evaluation.monitoring.checking import Checked, Checker
from gaugeway.evaluation.monitoring.telling import Told, tell
from gaugeway.evaluation.threads import in_thread


class WatchParts(Struct, frozen=True, kw_only=True):
    """What a watch needs."""

    monitors: MonitorStore
    evaluations: EvaluationStore
    checker: Checker
    clock: Clock
    new_id: Callable[[], str]  # UUIDv7 text
    on_evaluation_created: Callable[[], None] = lambda: None
    on_notice_created: Callable[[], None] = lambda: None


class Watch(Leased[Monitor]):
    """Works monitors, a few at a time, until cancelled."""

    NAME = "monitor"

    def __init__(self, parts: WatchParts, owner: str, pace: Pace = STANDARD) -> None:
        super().__init__(parts.monitors, parts.clock, owner, pace.at_once, pace)
        self._parts = parts

    async def work(self, held: Held[Monitor]) -> None:
        """See Leased."""
        if held.job.open_window:
            await self._conclude(held)
        else:
            await self._open(held)

    def put_back(self, held: Held[Monitor], why: str) -> bool:
        """See Leased. Nothing is written: it waits as it is."""
        del why
        return bool(held.job.id)

    def give_up(self, held: Held[Monitor], why: str) -> None:
        """See Leased. The window says so, and the next one comes in its time."""
        monitor, now_ms = held.job, self._parts.clock.now_ms()
        store = self._parts.monitors
        if monitor.open_window:
            window = store.window(monitor, monitor.open_window)
            closed = _closed(monitor, now_ms)
            if window is None:
                store.conclude(closed, held.owner, [], [])
                return
            told = self._told_failed(monitor, window, why, now_ms)
            store.conclude(structs.replace(closed, raised=told.raised), held.owner, [told.window], told.notices)
            self._parts.on_notice_created()
            return
        span = span_at(monitor, now_ms)
        if span is not None:
            told = self._told_failed(monitor, self._window(monitor, span, "", now_ms), why, now_ms)
            counted = structs.replace(_counted(monitor, span), raised=told.raised)
            store.open(counted, held.owner, told.window, None, told.notices)
            self._parts.on_notice_created()

    def _told_failed(self, monitor: Monitor, window: Window, why: str, now_ms: int) -> Told:
        return tell(monitor, _failed(monitor, window, why, now_ms), self._parts.new_id, now_ms)

    async def _open(self, held: Held[Monitor]) -> None:
        """Make the window that is due, and its evaluation; the evaluation waits until its logs are durable."""
        monitor, now_ms = held.job, self._parts.clock.now_ms()
        span = span_at(monitor, now_ms)
        if span is None:
            await self._begin_anew_or_wait(held, now_ms)
            return
        window = self._window(monitor, span, self._parts.new_id(), now_ms)
        name = f"{monitor.name[:200]} {to_rfc3339(span.until_ms)}"
        opened = structs.replace(
            _counted(monitor, span), open_window=window.id, open_evaluation=window.evaluation_id
        )
        evaluation = self._evaluation(monitor, window, name, now_ms)
        open_ = self._parts.monitors.open
        try:
            done = await in_thread(open_, opened, held.owner, window, evaluation)
        except Conflict:  # somebody has an evaluation of that name
            evaluation = structs.replace(evaluation, name=f"{name} {window.id}")
            done = await in_thread(open_, opened, held.owner, window, evaluation)
        if not done:
            raise ClaimLost
        self._parts.on_evaluation_created()

    async def _begin_anew_or_wait(self, held: Held[Monitor], now_ms: int) -> None:
        """Nothing has passed since the last window, or the clock was set back."""
        monitor = held.job
        due = monitor.counted_until + 1 if monitor.is_asked else first_due(monitor)
        if due <= now_ms + FARTHEST_MS:
            await self._write(held, structs.replace(monitor, due_at=due), [])
            return
        counted = to_rfc3339(monitor.counted_until)
        why = f"the clock was set back: logs were counted up to {counted}; from now on they are counted anew"
        span = Span(after_ms=now_ms, until_ms=now_ms, missed=0)
        told = self._told_failed(monitor, self._window(monitor, span, "", now_ms), why, now_ms)
        begun = structs.replace(_counted(monitor, span), raised=told.raised)
        if not await in_thread(self._parts.monitors.open, begun, held.owner, told.window, None, told.notices):
            raise ClaimLost
        self._parts.on_notice_created()

    async def _conclude(self, held: Held[Monitor]) -> None:
        """What the window says, once its evaluation has ended; with what is to be told, in one write."""
        parts, monitor = self._parts, held.job
        window = await in_thread(parts.monitors.window, monitor, monitor.open_window)
        if window is None:
            await self._write(held, _closed(monitor, parts.clock.now_ms()), [])
            return
        evaluation = await in_thread(parts.evaluations.get, monitor.scope, window.evaluation_id)
        checked = await in_thread(parts.checker.check, monitor, window, evaluation)
        now_ms = parts.clock.now_ms()
        told = tell(monitor, _concluded(window, checked, now_ms), parts.new_id, now_ms)
        closed = structs.replace(_closed(monitor, now_ms), raised=told.raised)
        windows = [told.window, *checked.recounted]
        if not await in_thread(parts.monitors.conclude, closed, held.owner, windows, told.notices):
            raise ClaimLost
        if told.notices:
            parts.on_notice_created()

    async def _write(self, held: Held[Monitor], monitor: Monitor, windows: Sequence[Window]) -> None:
        if not await in_thread(self._parts.monitors.conclude, monitor, held.owner, windows, []):
            raise ClaimLost

    def _window(self, monitor: Monitor, span: Span, evaluation_id: str, now_ms: int) -> Window:
        note = ""
        if span.missed:
            times = "one scheduled time was" if span.missed == 1 else f"{span.missed} scheduled times were"
            note = f"{times} missed: their logs are in this window"
        return Window(
            id=self._parts.new_id(),
            monitor_id=monitor.id,
            created_at=now_ms,
            after_ms=span.after_ms,
            until_ms=span.until_ms,
            revision=monitor.revision,
            evaluation_id=evaluation_id,
            asked=monitor.is_asked,
            missed=span.missed,
            note=note,
        )

    def _evaluation(self, monitor: Monitor, window: Window, name: str, now_ms: int) -> Evaluation:
        identifier = window.evaluation_id
        created = max(now_ms, ids.time_ms(ids.from_text(identifier) or bytes(16)))
        return Evaluation(
            account_id=monitor.account_id,
            gateway_id=monitor.gateway_id,
            id=identifier,
            name=name,
            created_at=created,
            modified_at=created,
            datasets=list(monitor.datasets),
            cluster_by=monitor.cluster_by,
            results=[
                Result(
                    id=self._parts.new_id(),
                    evaluation_id=identifier,
                    evaluation_type_id=one.evaluation_type_id,
                    created_at=created,
                    modified_at=created,
                    evaluator_id=one.evaluator_id,
                    parameters=one.parameters,
                )
                for one in monitor.types
            ],
            window=WatchedWindow(
                monitor_id=monitor.id,
                window_id=window.id,
                after_ms=window.after_ms,
                until_ms=window.until_ms,
                share=monitor.share,
                max_items=monitor.max_items,
                daily_max_cost=monitor.daily_max_cost,
            ),
        )


def _counted(monitor: Monitor, span: Span) -> Monitor:
    """It has a window up to there, and waits for the next one."""
    counted = structs.replace(monitor, counted_until=span.until_ms, is_asked=False)
    return structs.replace(counted, due_at=first_due(counted) if monitor.enabled else None)


def _closed(monitor: Monitor, now_ms: int) -> Monitor:
    """No window is under way."""
    due = monitor.due_at
    if monitor.is_asked and monitor.enabled:
        due = now_ms
    return structs.replace(monitor, open_window="", open_evaluation="", due_at=due)


def _concluded(window: Window, checked: Checked, now_ms: int) -> Window:
    return structs.replace(
        window,
        finding=checked.finding,
        checks=checked.checks,
        alpha=checked.alpha,
        reference=checked.reference,
        total_logs=checked.total_logs,
        note="; ".join(filter(None, (window.note, checked.note))),
        concluded_at=now_ms,
    )


def _failed(monitor: Monitor, window: Window, why: str, now_ms: int) -> Window:
    checks = tuple(
        Check(type_id=one.evaluation_type_id, finding=Finding.FAILED, words=why) for one in monitor.types
    )
    return structs.replace(window, finding=Finding.FAILED, checks=checks, concluded_at=now_ms)
