"""One run over one replay by its holder: plan → send and judge, a few calls at a time → compare.

How a side comes to its end, and what is kept meanwhile: `sides.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from msgspec import Struct

from gaugeway.core.comparisons import Comparison
from gaugeway.core.errors import GaugewayError
from gaugeway.core.replays import ItemState, Reason, Replay, ReplayItem, ReplayStore, Unfinished
from gaugeway.core.snapshots import SnapshotRef
from gaugeway.evaluation.item_run import ClaimLost, TooMany
from gaugeway.evaluation.replaying import endings
from gaugeway.evaluation.replaying.judging import Answer
from gaugeway.evaluation.replaying.results import compare
from gaugeway.evaluation.replaying.selection import MAX_SELECTED, drawn, selected
from gaugeway.evaluation.replaying.sides import SideParts, Sides
from gaugeway.evaluation.threads import in_thread

BATCH = 256
"""Items that are looked up at once."""
GONE = "the log was deleted before it was replayed"


class ReplayParts(Struct, frozen=True):
    """What replays need in this process."""

    store: ReplayStore
    sides: SideParts
    expected: Callable[[SnapshotRef, bytes], str | None]  # what a snapshot's item should have been answered


class ReplayRun:
    """One run."""

    def __init__(self, replay: Replay, owner: str, parts: ReplayParts) -> None:
        self._replay = replay
        self._owner = owner
        self._parts = parts
        self._sides = Sides(replay, parts.sides, self._keep)
        self._working: asyncio.Future[list[None]] | None = None
        self._abandoned = False

    async def run(self, tell: Callable[[int, int], Awaitable[None]]) -> Comparison:
        """Until every side of every item has ended; then what comes of it. `tell` is told what is planned.

        ClaimLost where the replay was taken away, TooMany where its dataset selects too much.
        """
        try:
            selected_logs = await self._plan()
            await tell(selected_logs, await in_thread(self._parts.store.planned, self._replay))
            after = -1
            while batch := await in_thread(self._parts.store.unfinished, self._replay, after, BATCH):
                await self._take(batch)
                after = batch[-1].place
        except GaugewayError:
            if self._abandoned:
                raise ClaimLost from None
            raise
        finally:
            self._sides.close()
        return await in_thread(compare, self._parts.store, self._parts.sides.evaluators, self._replay)

    def abandon(self) -> None:
        """End soon with ClaimLost: nobody wants it any more."""
        self._abandoned = True
        self._sides.close()
        if self._working is not None:
            self._working.cancel()

    async def _plan(self) -> int:
        """How many logs are selected; the plan is kept by the first run."""
        store, replay = self._parts.store, self._replay
        if await in_thread(store.planned, replay):
            return replay.selected
        found = await in_thread(selected, self._parts.sides.logs, replay)
        if len(found) > MAX_SELECTED:
            raise TooMany(f"the dataset selects more than {MAX_SELECTED} logs: narrow it")
        places = await in_thread(drawn, replay.id, found, replay.max_items)
        if not await in_thread(store.plan, replay, self._owner, places):
            raise ClaimLost
        return len(found)

    async def _take(self, batch: list[Unfinished]) -> None:
        """All sides of these items, in their order, by as many workers as calls may be under way."""
        sides = iter([(item, side) for item in batch for side in range(len(self._replay.candidates) + 1)])
        workers = [asyncio.create_task(self._work(sides)) for _ in range(self._replay.concurrency)]
        self._working = asyncio.gather(*workers)
        try:
            await self._working
        except asyncio.CancelledError:
            if self._abandoned:
                raise ClaimLost from None
            raise
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)

    async def _work(self, sides: Iterator[tuple[Unfinished, int]]) -> None:
        for item, side in sides:
            known = item.sides.get(side)
            if known is None or not known.state.is_final:
                await self._side(item, side, known)

    async def _side(self, item: Unfinished, side: int, known: ReplayItem | None) -> None:
        """Bring one side to its end."""
        now = known or ReplayItem(place=item.place, side=side, state=ItemState.SENT)
        logged = await self._sides.logged(item.log_id)
        if logged is None and now.state is not ItemState.ANSWERED:
            await self._keep(endings.ended(now, ItemState.SKIPPED, Reason.DELETED, GONE))
            return
        if side == 0 and logged is not None:
            now = endings.of_logged(now, logged.record)
            await self._judge(now, logged, None)
            return
        answer: Answer | None = None
        if now.state is not ItemState.ANSWERED and logged is not None:
            now, answer = await self._sides.send(now, logged, was_sent=known is not None)
            await self._keep(now)
        if now.state is ItemState.ANSWERED:
            await self._judge(now, logged, answer)

    async def _judge(self, item: ReplayItem, logged: Answer | None, answer: Answer | None) -> None:
        expected = None
        snapshot = self._replay.snapshot
        if snapshot is not None and logged is not None and self._replay.judged:
            expected = await in_thread(self._parts.expected, snapshot, logged.record.id)
        await self._sides.judge(item, logged, answer, expected)

    async def _keep(self, item: ReplayItem) -> None:
        if not await in_thread(self._parts.store.put, self._replay, self._owner, [item]):
            raise ClaimLost
