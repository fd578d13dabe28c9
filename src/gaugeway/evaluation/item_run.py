"""The item-wise part of a run: plan → score in batches → keep each item → conclude from the items kept.

Memory is bounded by a batch, whatever the number of logs. What is kept is never done again, so a run that is taken
over goes on where the last one was; an item is written only by who holds the evaluation, and once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from gaugeway.core.errors import GaugewayError
from gaugeway.core.items import Counts, Item, ItemStatus, ItemStore, Pending
from gaugeway.core.judging import ModelScorer, daily_budget
from gaugeway.core.metrics import Direction
from gaugeway.core.model import Evaluation, Result
from gaugeway.core.ports import LogStore
from gaugeway.core.query import Slice, Where
from gaugeway.core.samples import ItemEvaluator, Mark, Sample, Scoring, Work
from gaugeway.core.sandbox import Sandbox
from gaugeway.core.snapshots import SnapshotStore
from gaugeway.evaluation.drawing import draw
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.scoring.marks import sample_of
from gaugeway.evaluation.scoring.wire import Scorers
from gaugeway.evaluation.threads import in_thread, in_thread_until

MAX_LOGS = 250_000
"""Logs that item-wise evaluators take in one evaluation."""
MAX_DRAWN = 4 * MAX_LOGS
"""Logs of a monitor's window that a sample is drawn from."""
BATCH_LOGS = 64
BATCH_BYTES = 8 * 1024 * 1024
"""Of bodies that are held at once; one log more than that may be held."""
JUDGED_AT_ONCE = 4
"""Logs that are before judges at a time: as many calls may have to be paid again after a death."""
PROGRESS_S = 1.0
"""Between writes of how far it is."""

DELETED = "the log was deleted before it was scored"


class ClaimLost(GaugewayError):
    """Somebody else runs, cancelled or deleted the evaluation: what this run does is not wanted any more."""


class TooMany(GaugewayError):
    """More logs than item-wise evaluators take."""


class Chosen(Struct, frozen=True):
    """An item-wise evaluator with the parameters that one of the evaluation's results asks for."""

    evaluator: ItemEvaluator
    parameters: dict[str, Any]
    judge: ModelScorer | None = None  # where it is models that are asked


class ItemParts(Struct, frozen=True):
    """What item-wise runs need beside the logs."""

    items: ItemStore
    open_scoring: Callable[[Scorers], Scoring]
    asking: Asking | None = None  # None: there are no judges here
    sandbox: Sandbox | None = None  # None: users' own Python is not run here


class ItemRun:
    """One run over one evaluation by its holder. `results` are those to be judged, by position."""

    def __init__(
        self,
        *,
        evaluation: Evaluation,
        owner: str,
        chosen: Mapping[int, Chosen],
        logs: LogStore,
        parts: ItemParts,
        snapshots: SnapshotStore | None = None,
        tell: Callable[[Mapping[int, Counts], int], Awaitable[bool]],
    ) -> None:
        self._evaluation = evaluation
        self._owner = owner
        self._chosen = chosen
        self._items = parts.items
        self._open_scoring = parts.open_scoring
        self._asking = parts.asking
        self._judges = {at: one.judge for at, one in chosen.items() if one.judge is not None}
        self._judging: asyncio.Future[list[None]] | None = None
        window = evaluation.window
        self._daily = None
        if window is not None and window.daily_max_cost is not None:
            self._daily = daily_budget(evaluation.scope, window.monitor_id, window.daily_max_cost)
        self._logs = logs
        self._snapshots = snapshots
        self._tell = tell
        self._counts: dict[int, Counts] = {}
        self._planned = 0
        self._scoring: Scoring | None = None
        self._abandoned = False

    async def run(self, where: Where) -> int:
        """Until every planned log has an item for each result; how many logs that are.

        ClaimLost where the evaluation was taken away, TooMany where it selects too much.
        """
        self._planned = await self._plan(where)
        self._counts = await in_thread(self._items.counts, self._evaluation)
        await self._tell_progress()
        self._scoring = scoring = self._open_scoring(
            {at: (one.evaluator.id, one.parameters) for at, one in self._chosen.items() if one.judge is None}
        )
        try:
            await self._score_all(scoring)
        except GaugewayError:
            if self._abandoned:
                raise ClaimLost from None
            raise
        finally:
            scoring.close()
        await self._tell_progress()
        return self._planned

    def abandon(self) -> None:
        """End soon with ClaimLost: nobody wants it any more."""
        self._abandoned = True
        if self._scoring is not None:
            self._scoring.close()
        if self._judging is not None:
            self._judging.cancel()

    async def _plan(self, where: Where) -> int:
        evaluation = self._evaluation
        planned = await in_thread(self._items.planned, evaluation)
        if planned:
            return planned
        most = MAX_LOGS if evaluation.window is None else MAX_DRAWN
        log_ids = await in_thread(self._logs.ids, evaluation.source, where, Slice(limit=most + 1, descending=False))
        if evaluation.window is not None and len(log_ids) <= most:
            log_ids = draw(log_ids, evaluation.window.share, evaluation.window.max_items)
        if len(log_ids) > MAX_LOGS:
            raise TooMany(
                f"the datasets select more than {MAX_LOGS} logs; narrow them for evaluators of single logs"
            )
        if not await in_thread(self._items.plan, evaluation, self._owner, log_ids):
            raise ClaimLost
        return await in_thread(self._items.planned, evaluation)

    async def _score_all(self, scoring: Scoring) -> None:
        after, told = b"", time.monotonic()
        size = JUDGED_AT_ONCE if self._judges else BATCH_LOGS
        while True:
            pending = await in_thread(self._items.pending, self._evaluation, list(self._chosen), after, size)
            if not pending:
                return
            found, taken = await in_thread_until(scoring.close, self._score_batch, scoring, pending)
            after = pending[taken - 1].log_id
            await self._keep(found)
            if self._judges:
                await self._judge(pending[:taken])
            if self._judges or time.monotonic() - told >= PROGRESS_S:
                await self._tell_progress()
                told = time.monotonic()

    async def _keep(self, found: Sequence[Item]) -> None:
        if not await in_thread(self._items.put, self._evaluation, self._owner, found):
            raise ClaimLost
        self._count(found)

    def _score_batch(self, scoring: Scoring, pending: Sequence[Pending]) -> tuple[list[Item], int]:
        """Items for the first of the pending logs, and for how many: as many as fit into memory."""
        found: list[Item] = []
        size = 0
        for taken, each in enumerate(pending, 1):
            positions = [at for at in each.positions if at not in self._judges]
            if not positions:
                continue
            work = self._work(each.log_id, positions)
            if work is None:
                found += [self._item(each.log_id, position, Mark(note=DELETED)) for position in positions]
                continue
            marks = scoring.score(work)
            found += [
                self._item(each.log_id, position, mark) for position, mark in zip(positions, marks, strict=True)
            ]
            size += 0 if work.bodies is None else len(work.bodies.request or b"") + len(work.bodies.response or b"")
            if size > BATCH_BYTES:
                return found, taken
        return found, len(pending)

    async def _judge(self, pending: Sequence[Pending]) -> None:
        """Put a few logs before the judges, at once, and keep what they say of each as soon as it is said."""
        asked = [asyncio.create_task(self._judge_log(each)) for each in pending]
        self._judging = asyncio.gather(*asked)
        try:
            await self._judging
        except asyncio.CancelledError:
            if self._abandoned:
                raise ClaimLost from None
            raise
        finally:
            for task in asked:
                task.cancel()
            await asyncio.wait(asked)

    async def _judge_log(self, pending: Pending) -> None:
        positions = [at for at in pending.positions if at in self._judges]
        work = await in_thread(self._work, pending.log_id, positions) if positions else None
        sample = None if work is None else await in_thread(sample_of, work, reads_bodies=True)
        for position in positions:
            mark = Mark(note=DELETED) if sample is None else await self._ask(sample, position)
            await self._keep([self._item(pending.log_id, position, mark)])

    async def _ask(self, sample: Sample, position: int) -> Mark:
        if self._asking is None:
            return Mark(failed=True, note="this server has no judges")
        evaluation = self._evaluation
        judge = self._judges[position]
        return await self._asking.mark(judge, sample, evaluation.account_id, evaluation.id, position, self._daily)

    def _work(self, log_id: bytes, positions: Sequence[int]) -> Work | None:
        """What is to be judged; None where the log is gone."""
        scope, ref = self._evaluation.source, self._evaluation.snapshot
        record = self._logs.get(scope, log_id)
        if record is None:
            return None
        wanted = any(self._chosen[position].evaluator.reads_bodies for position in positions)
        bodies = self._logs.bodies(scope, log_id) if wanted else None
        expected = None if ref is None or self._snapshots is None else self._snapshots.expected(ref, log_id)
        return Work(record, bodies, expected, tuple(positions))

    def _item(self, log_id: bytes, position: int, mark: Mark) -> Item:
        if mark.score is None:
            status = ItemStatus.FAILED if mark.failed else ItemStatus.SKIPPED
            return Item(log_id=log_id, position=position, status=status, note=mark.note, votes=mark.votes)
        sign = {Direction.HIGHER: -1.0, Direction.LOWER: 1.0, Direction.NEITHER: None}
        factor = sign[self._chosen[position].evaluator.direction]
        return Item(
            log_id=log_id,
            position=position,
            status=ItemStatus.SCORED,
            score=mark.score,
            badness=None if factor is None else factor * mark.score,
            note=mark.note,
            votes=mark.votes,
        )

    def _count(self, found: Sequence[Item]) -> None:
        for item in found:
            known = self._counts.get(item.position, Counts())
            name = item.status.name.lower()
            self._counts[item.position] = structs.replace(known, **{name: getattr(known, name) + 1})

    async def _tell_progress(self) -> None:
        if not await self._tell(self._counts, self._planned):
            raise ClaimLost


def with_progress(
    results: Sequence[Result], counts: Mapping[int, Counts], planned: int, positions: Sequence[int], now_ms: int
) -> list[Result]:
    """The results of an item-wise run, with how far it is."""
    told: list[Result] = list(results)
    for position in positions:
        known = counts.get(position, Counts())
        done = known.scored + known.failed + known.skipped
        told[position] = structs.replace(
            results[position],
            total_logs=known.scored,
            skipped=known.skipped,
            failed=known.failed,
            pending=planned - done,
            status_description=f"running: {done} of {planned} logs",
            modified_at=now_ms,
        )
    return told
