"""A monitor over traffic of the past: the real watch, and a clock that is set window by window."""

from __future__ import annotations

import asyncio

from msgspec import structs

from gaugeway.core.model import Scope
from gaugeway.core.monitors import MINUTE_MS, Monitor, Rule, first_due
from gaugeway.core.replays import Judged
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.leased import Pace
from gaugeway.evaluation.monitoring.checking import Checker, CheckParts
from gaugeway.evaluation.monitoring.watch import Watch, WatchParts
from gaugeway.evaluation.runner import Runner
from gaugeway.stores import Stores
from support.laboratory import ReadySink, dataset, new_id

PACE = Pace(poll_s=0.01, retry_s=0.01)
WINDOW_S = 60


class SetClock:
    """Stands where it is set."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now


def watch_past(stores: Stores, monitor: Monitor, secret: str, until_ms: int) -> None:
    """Make the monitor, and every window of it that has ended by then."""
    stores.monitors.create(monitor, secret)
    asyncio.run(_watch(stores, monitor, until_ms))


def a_monitor(
    scope: Scope, name: str, types: tuple[str, ...], *, minutes: int, since_ms: int, webhook: str
) -> Monitor:
    """One that watches all logs of a gateway since some moment."""
    monitor = Monitor(
        account_id=scope.account_id,
        gateway_id=scope.gateway_id,
        id=new_id(since_ms),
        name=name,
        created_at=since_ms,
        modified_at=since_ms,
        enabled=True,
        interval_minutes=minutes,
        settle_seconds=0,
        datasets=(
            structs.replace(dataset(), name="all logs", account_id=scope.account_id, gateway_id=scope.gateway_id),
        ),
        types=tuple(Judged(evaluation_type_id=one, evaluator_id="") for one in types),
        rule=Rule(min_logs=20),
        webhook_url=webhook,
        counted_until=since_ms,
    )
    return structs.replace(monitor, due_at=first_due(monitor))


async def _watch(stores: Stores, monitor: Monitor, until_ms: int) -> None:
    clock = SetClock(monitor.counted_until)
    tasks = [asyncio.create_task(one.run_forever()) for one in (_watcher(stores, clock), _runner(stores, clock))]
    try:
        step = monitor.interval_minutes * MINUTE_MS
        for end in range((monitor.counted_until // step + 1) * step, until_ms, step):
            clock.now = end
            async with asyncio.timeout(WINDOW_S):
                while not _is_concluded(stores, monitor, end):
                    await asyncio.sleep(0.01)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _is_concluded(stores: Stores, monitor: Monitor, end: int) -> bool:
    found = stores.monitors.windows(monitor, offset=0, limit=1).items
    return bool(found) and found[0].until_ms == end and found[0].finding is not None


def _watcher(stores: Stores, clock: SetClock) -> Watch:
    evaluators = load()
    checker = Checker(
        CheckParts(
            monitors=stores.monitors,
            evaluations=stores.evaluations,
            logs=stores.logs,
            items=stores.items,
            analyst=LogAnalyst(stores.logs, evaluators, stores.items),
            evaluators=evaluators,
        )
    )
    parts = WatchParts(
        monitors=stores.monitors,
        evaluations=stores.evaluations,
        checker=checker,
        clock=clock,
        new_id=lambda: new_id(clock.now),
    )
    return Watch(parts, "the watch of the past", PACE)


def _runner(stores: Stores, clock: SetClock) -> Runner:
    return Runner(
        evaluations=stores.evaluations,
        logs=stores.logs,
        sink=ReadySink(),
        evaluators=load(),
        clock=clock,
        owner="the runner of the past",
        pace=PACE,
    )
