"""One side of one item after the other: what was logged is sent to a candidate, and both answers are judged.

Everything is kept as soon as it is known: before a call that it is sent, after it what it came to, then its marks.
So whoever takes over pays again for nothing but the calls that were under way, and finds even those in the logs
where they had ended. A call is sent only while the purse has room for the most that it can cost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal

from msgspec import Struct, structs

from gaugeway.core.model import Bodies, Scope
from gaugeway.core.ports import LogSink, LogStore
from gaugeway.core.query import Slice, Where
from gaugeway.core.replays import Call, Called, Caller, ItemState, Reason, ReplayItem, Trial
from gaugeway.core.samples import AnyEvaluator, Mark, Scoring
from gaugeway.core.spending import NoRoom
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.replaying import endings
from gaugeway.evaluation.replaying.judging import Answer, Judging
from gaugeway.evaluation.replaying.requests import Unfaithful, call_of, read_logged
from gaugeway.evaluation.scoring.wire import Scorers
from gaugeway.evaluation.threads import in_thread

FLUSH_S = 10.0


class SideParts(Struct, frozen=True):
    """What is needed in this process."""

    logs: LogStore
    sink: LogSink
    caller: Caller
    evaluators: Mapping[str, AnyEvaluator]
    open_scoring: Callable[[Scorers], Scoring]
    asking: Asking | None = None


class Sides:
    """Those of one trial. `keep` writes what is known of one. Close it."""

    def __init__(self, trial: Trial, parts: SideParts, keep: Callable[[ReplayItem], Awaitable[None]]) -> None:
        self._trial = trial
        self._parts = parts
        self._keep = keep
        self._judging = Judging(trial, parts.evaluators, parts.open_scoring, parts.asking)
        self._under_way = 0
        self._settled = asyncio.Condition()
        self.full = ""
        """Why nothing more is sent: the purse had no room. "": it had."""

    def close(self) -> None:
        """End what is open beside the server."""
        self._judging.close()

    async def logged(self, log_id: bytes) -> Answer | None:
        """What was logged; None where it is gone."""
        return await in_thread(self._answer, self._trial.source, log_id)

    async def send(self, item: ReplayItem, logged: Answer, *, was_sent: bool) -> tuple[ReplayItem, Answer | None]:
        """The call's end, and its answer. `was_sent`: somebody may have sent it before, and died meanwhile."""
        candidate = self._trial.candidates[item.side - 1]
        try:
            call = call_of(read_logged(logged.record, logged.bodies), candidate)
        except Unfaithful as problem:
            return endings.ended(item, ItemState.SKIPPED, problem.reason, str(problem)), None
        metadata = self._trial.marks_of(logged.record.id, candidate)
        called = await self.found(metadata) if was_sent else None
        if called is None:
            if self.full:
                return endings.ended(item, ItemState.FAILED, Reason.CAP_REACHED, self.full), None
            priced = await self._parts.caller.at_most(self._trial.through_scope, call)
            if priced.cost is None and not self._trial.accept_unknown_cost:
                why = f"what it costs at most is not known: {priced.reason}"
                return endings.ended(item, ItemState.FAILED, Reason.COST_UNKNOWN, why), None
            item = structs.replace(item, resent=was_sent)
            await self._keep(item)
            try:
                called = await self._call(call, priced.cost or Decimal(0), metadata)
            except NoRoom as problem:
                # what comes later may be cheaper; to go on with that alone would be no fair sample
                self.full = self.full or str(problem)
                return endings.ended(item, ItemState.FAILED, Reason.CAP_REACHED, str(problem)), None
        now = endings.of_call(item, called)
        return now, None if called.record is None else Answer(called.record, called.bodies)

    async def found(self, metadata: Mapping[str, str]) -> Called | None:
        """A call that had ended well before its process died: it need not be paid again."""
        await self._parts.sink.flush(FLUSH_S)
        where = Where(entries=tuple(metadata.items()))
        scope = self._trial.through_scope
        records = await in_thread(self._parts.logs.page, scope, where, Slice(limit=20))
        for record in records:
            answer = await in_thread(self._answer, scope, record.id) if record.success else None
            if answer is not None and answer.bodies is not None:
                return Called(status=200, record=record, bodies=answer.bodies)
        return None

    async def judge(
        self, item: ReplayItem, logged: Answer | None, answer: Answer | None, expected: str | None = None
    ) -> None:
        """Keep the marks of an answer, and with them its end."""
        marks: tuple[Mark, ...] = ()
        if self._trial.judged:
            if item.side and answer is None and item.log_id is not None:
                answer = await in_thread(self._answer, self._trial.through_scope, item.log_id)
            missing = logged is None or (item.side > 0 and answer is None)
            if missing or logged is None:
                marks = (Mark(note="its log was deleted before it was judged"),) * len(self._trial.judged)
            else:
                marks = await self._judging.marks(logged, answer if item.side else None, expected)
        await self._keep(structs.replace(item, state=ItemState.REPLAYED, marks=marks))

    async def _call(self, call: Call, most: Decimal, metadata: Mapping[str, str]) -> Called:
        """Send it once the purse has room: what others have reserved is mostly given back when they end. NoRoom."""
        while True:
            self._under_way += 1
            try:
                return await self._parts.caller.call(
                    self._trial.through_scope, call, self._trial.purse, most, metadata
                )
            except NoRoom:
                if self._under_way == 1:
                    raise
            finally:
                self._under_way -= 1
                async with self._settled:
                    self._settled.notify_all()
            async with self._settled:
                if self._under_way:
                    await self._settled.wait()

    def _answer(self, scope: Scope, log_id: bytes) -> Answer | None:
        record = self._parts.logs.get(scope, log_id)
        if record is None:
            return None
        return Answer(record, self._parts.logs.bodies(scope, log_id) or Bodies())
