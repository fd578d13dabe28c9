"""A shadow by its holder: look → draw → send and judge, a few at a time → compare; until it ends.

It reads what the recorder has written, and sends through the data plane like any client. So there is nothing of it
in any request's way. A request that was drawn ends called, skipped or missed, with a reason; nothing is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from msgspec import Struct, structs

from gaugeway.core.errors import GaugewayError
from gaugeway.core.ports import Clock
from gaugeway.core.replays import ItemState, Reason, ReplayItem, Unfinished
from gaugeway.core.shadows import (
    DAY_S,
    MAX_CALLED,
    MAX_LAG_S,
    Drawn,
    Shadow,
    ShadowStore,
    Unshadowed,
)
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.replaying import endings
from gaugeway.evaluation.replaying.judging import Answer
from gaugeway.evaluation.replaying.requests import Unfaithful, read_logged
from gaugeway.evaluation.replaying.results import compare_items
from gaugeway.evaluation.replaying.sides import SideParts, Sides
from gaugeway.evaluation.shadowing.looking import LONGEST_MS, Looking, unsuited
from gaugeway.evaluation.threads import in_thread

FLUSH_S = 10.0
MAX_WAITING = 10_000
"""Drawn requests that wait: once there are so many, no more are drawn until some are gone."""
BATCH = 256
COMPARE_S = 30.0
"""Between two comparisons of a running shadow, which is also compared only once it has grown by a fifth."""
RUNNING = "running"
BLIND = "running: no request is seen that arrives before "
GONE = "the log was deleted before it was sent"
BROKEN_OFF = "the shadow was stopped while the call was under way: it may have been paid"
NOT_SENT = "the shadow was stopped before it was sent"


class ShadowParts(Struct, frozen=True):
    """What shadows need in this process."""

    store: ShadowStore
    sides: SideParts
    clock: Clock
    poll_s: float = 1.0  # between looks for what is new


class ShadowRun:
    """One run. `tell` writes how the shadow stands; `well` is called where all goes well."""

    def __init__(
        self,
        shadow: Shadow,
        owner: str,
        parts: ShadowParts,
        tell: Callable[[Shadow], Awaitable[None]],
        well: Callable[[], None],
    ) -> None:
        self._shadow = shadow
        self._owner = owner
        self._parts = parts
        self._store = parts.store
        self._tell = tell
        self._well = well
        self._looking = Looking(shadow, parts.sides.logs, parts.store)
        self._sides = Sides(shadow, parts.sides, self._keep)
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by place
        self._entering: set[int] = set()  # places of those under way of which it is open whether they are called
        self._called = 0
        self._compared_at: float | None = None
        self._abandoned = False

    async def run(self) -> None:
        """Until it ends. ClaimLost where it was taken away, BadInput where its dataset cannot be read."""
        try:
            if self._shadow.stopped_at is None:
                await self._go_on()
            await self._conclude()
        except (GaugewayError, asyncio.CancelledError):
            if self._abandoned:
                raise ClaimLost from None
            raise
        finally:
            self._sides.close()
            await self._break_off()

    def abandon(self) -> None:
        """End soon with ClaimLost: nobody wants it any more."""
        self._abandoned = True
        self._sides.close()
        for task in self._tasks.values():
            task.cancel()

    # --- while it runs ------------------------------------------------------------------------------------

    async def _go_on(self) -> None:
        self._called = (await in_thread(self._store.counts, self._shadow)).called
        if self._is_paused():
            self._sides.full = self._shadow.status_description
        await self._resume()
        next_look = asyncio.get_running_loop().time()
        while not await self._is_over():
            if asyncio.get_running_loop().time() >= next_look:
                await self._look()
                await self._end_pause()
                await self._compare_meanwhile()
                self._well()
                next_look = asyncio.get_running_loop().time() + self._parts.poll_s
            await self._take_up()
            await self._wait(next_look - asyncio.get_running_loop().time())

    async def _is_over(self) -> bool:
        """Whether nothing more is to be called."""
        if self._abandoned:
            raise ClaimLost
        if self._tasks:
            return False
        if self._called >= self._shadow.max_items:
            return True
        if self._parts.clock.now_ms() < self._shadow.until:
            return False
        if await in_thread(self._store.waiting, self._shadow, 1):
            return False
        return not await in_thread(self._looking.has_more, self._shadow.until)

    async def _look(self) -> None:
        """Draw from what is new, as far as there is room for what waits."""
        if len(await in_thread(self._store.waiting, self._shadow, MAX_WAITING)) >= MAX_WAITING:
            return
        now = self._parts.clock.now_ms()
        await self._say_if_blind(await in_thread(self._store.looked_until, self._shadow), now)
        spans = await in_thread(self._looking.due, now, self._shadow.until)
        if not spans:
            return
        looked = await in_thread(self._looking.look, spans, now)
        if not await in_thread(self._store.look, self._shadow, self._owner, looked):
            raise ClaimLost

    async def _say_if_blind(self, looked_until: int, now: int) -> None:
        """Where the clock was set back, what arrives now stands before what was looked at, and is not seen."""
        if self._shadow.paused_until is not None:
            return
        is_blind = looked_until > now + LONGEST_MS
        words = f"{BLIND}{to_rfc3339(looked_until)}: the clock was set back" if is_blind else RUNNING
        said = self._shadow.status_description
        if said != words and (is_blind or said.startswith(BLIND)):
            await self._say(structs.replace(self._shadow, status_description=words))

    async def _take_up(self) -> None:
        """Begin with as many of those that wait as there is room for."""
        left = self._shadow.max_items - self._called - len(self._entering)
        room = min(self._shadow.concurrency - len(self._tasks), left)
        if room <= 0:
            return
        under_way = len(self._tasks)
        for place, log_id in await in_thread(self._store.waiting, self._shadow, under_way + room):
            if place not in self._tasks and len(self._tasks) < under_way + room:
                self._entering.add(place)
                self._begin(place, self._item(place, log_id))

    def _begin(self, place: int, work: Awaitable[None]) -> None:
        self._tasks[place] = asyncio.ensure_future(work)  # pyright: ignore[reportArgumentType]

    async def _wait(self, most_s: float) -> None:
        """Until one of those under way has ended, or so long; what it raised goes through."""
        if not self._tasks:
            if most_s > 0 and not await in_thread(self._store.waiting, self._shadow, 1):
                await asyncio.sleep(most_s)
            return
        await asyncio.wait(self._tasks.values(), timeout=max(most_s, 0), return_when=asyncio.FIRST_COMPLETED)
        for place, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[place]
                task.result()

    async def _break_off(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    # --- one request --------------------------------------------------------------------------------------

    async def _item(self, place: int, log_id: bytes) -> None:
        """Bring a request that waits to its end."""
        logged = await self._sides.logged(log_id)
        why = self._why_not(logged)
        self._entering.discard(place)
        if why is not None:
            await self._end(place, *why)
        elif logged is not None:
            self._called += 1
            await self._call(place, logged, {})

    def _why_not(self, logged: Answer | None) -> tuple[Drawn, str] | None:
        """Why it is not sent; None: it is."""
        if logged is None:
            return Drawn.SKIPPED, Reason.DELETED
        record = logged.record
        why = unsuited(record)
        if why is not None:
            return Drawn.SKIPPED, why
        try:
            read_logged(record, logged.bodies)
        except Unfaithful as problem:
            return Drawn.SKIPPED, problem.reason
        if self._parts.clock.now_ms() > record.created_at + record.duration + MAX_LAG_S * 1000:
            return Drawn.MISSED, Unshadowed.BEHIND
        return (Drawn.MISSED, Unshadowed.CAP_REACHED) if self._sides.full else None

    async def _call(self, place: int, logged: Answer, known: Mapping[int, ReplayItem]) -> None:
        """Ask each candidate that has not answered, then judge what was logged."""
        for side in range(1, len(self._shadow.candidates) + 1):
            now = known.get(side)
            if now is not None and now.state.is_final:
                continue
            item = now or ReplayItem(place=place, side=side, state=ItemState.SENT)
            answer: Answer | None = None
            if item.state is not ItemState.ANSWERED:
                item, answer = await self._sides.send(item, logged, was_sent=now is not None)
                if item.reason is Reason.CAP_REACHED:
                    await self._pause()
                    if side == 1 and not known:  # nothing of it was sent
                        self._called -= 1
                        await self._end(place, Drawn.MISSED, Unshadowed.CAP_REACHED)
                        return
                await self._keep(item)
            if item.state is ItemState.ANSWERED:
                await self._sides.judge(item, logged, answer)
        first = endings.of_logged(ReplayItem(place=place, side=0, state=ItemState.SENT), logged.record)
        await self._sides.judge(first, logged, None)

    async def _resume(self) -> None:
        """Go on with what was under way when its process died."""
        after = -1
        while batch := await in_thread(self._store.unfinished, self._shadow, after, BATCH):
            for item in batch:
                while len(self._tasks) >= self._shadow.concurrency:
                    await self._wait(self._parts.poll_s)
                self._begin(item.place, self._again(item))
            after = batch[-1].place

    async def _again(self, item: Unfinished) -> None:
        logged = await self._sides.logged(item.log_id)
        if logged is None:
            await self._give_up(item, ItemState.SKIPPED, Reason.DELETED, GONE)
        else:
            await self._call(item.place, logged, item.sides)

    # --- the cap of the day -------------------------------------------------------------------------------

    def _is_paused(self) -> bool:
        """Until the end of the day in which the cap was reached; of no later one, where the clock was set back."""
        paused, now = self._shadow.paused_until, self._parts.clock.now_ms()
        return paused is not None and now < paused <= now + DAY_S * 1000

    async def _pause(self) -> None:
        """Send nothing more on this day of UTC: what is cheap enough for the rest would be no fair sample."""
        if self._is_paused():
            return
        day = DAY_S * 1000
        until = (self._parts.clock.now_ms() // day + 1) * day
        why = f"paused until {to_rfc3339(until)}: the daily cap is reached"
        await self._say(structs.replace(self._shadow, paused_until=until, status_description=why))

    async def _end_pause(self) -> None:
        if self._shadow.paused_until is not None and not self._is_paused():
            await self._say(structs.replace(self._shadow, paused_until=None, status_description=RUNNING))
            self._sides.full = ""

    # --- what comes of it ---------------------------------------------------------------------------------

    async def _compare_meanwhile(self) -> None:
        """Write provisional verdicts, from time to time."""
        done = self._called - len(self._tasks)
        now = asyncio.get_running_loop().time()
        if done < max(self._shadow.compared_items * 6 // 5, self._shadow.compared_items + 1):
            return
        if self._compared_at is not None and now - self._compared_at < COMPARE_S:
            return
        compared = await in_thread(self._compared)
        self._compared_at = asyncio.get_running_loop().time()
        # so that a pause that began meanwhile is not undone
        await self._say(
            structs.replace(self._shadow, comparison=compared.comparison, compared_items=compared.compared_items)
        )

    def _compared(self) -> Shadow:
        shadow = self._shadow
        sides = [
            [item for _, item in page.items]
            for side in range(len(shadow.candidates) + 1)
            for page in [self._store.items(shadow, side=side, state=None, offset=0, limit=MAX_CALLED)]
        ]
        comparison = compare_items(shadow, self._parts.sides.evaluators, sides)
        return structs.replace(shadow, comparison=comparison, compared_items=len(sides[0]))

    async def _conclude(self) -> None:
        """The end: nothing waits any more, nothing is under way, and the verdicts stand."""
        if self._shadow.stopped_at is not None:
            await until_durable(self._parts.sides.sink, FLUSH_S)
            while spans := await in_thread(self._looking.rest, self._shadow.ends_at):
                looked = await in_thread(self._looking.look, spans, self._parts.clock.now_ms(), for_good=True)
                if not await in_thread(self._store.look, self._shadow, self._owner, looked):
                    raise ClaimLost
        await self._end(None, Drawn.MISSED, Unshadowed.ENDED)
        after = -1
        while batch := await in_thread(self._store.unfinished, self._shadow, after, BATCH):
            for item in batch:
                await self._give_up(item, ItemState.FAILED, Reason.BROKEN_OFF, NOT_SENT)
            after = batch[-1].place
        self._shadow = await in_thread(self._compared)

    @property
    def concluded(self) -> Shadow:
        """How it stands, once it has ended."""
        return self._shadow

    async def _give_up(self, item: Unfinished, state: ItemState, reason: Reason, note: str) -> None:
        """Send nothing more of it; what had been answered is judged, and a call that had ended well counts."""
        logged = await self._sides.logged(item.log_id)
        for side in range(1, len(self._shadow.candidates) + 1):
            now = item.sides.get(side) or ReplayItem(place=item.place, side=side, state=state)
            if now.state.is_final and side in item.sides:
                continue
            answer: Answer | None = None
            if now.state is ItemState.SENT:
                candidate = self._shadow.candidates[side - 1]
                called = await self._sides.found(self._shadow.marks_of(item.log_id, candidate))
                if called is not None and called.record is not None:
                    now, answer = endings.of_call(now, called), Answer(called.record, called.bodies)
                else:
                    now = endings.ended(now, ItemState.FAILED, Reason.BROKEN_OFF, BROKEN_OFF)
            if now.state is ItemState.ANSWERED:
                await self._sides.judge(now, logged, answer)
            elif now.state is ItemState.FAILED and now.reason is not None:
                await self._keep(now)
            else:
                await self._keep(endings.ended(now, state, reason, note))
        first = ReplayItem(place=item.place, side=0, state=ItemState.SENT)
        if logged is None:
            await self._keep(endings.ended(first, ItemState.SKIPPED, Reason.DELETED, GONE))
        else:
            await self._sides.judge(endings.of_logged(first, logged.record), logged, None)

    async def _say(self, shadow: Shadow) -> None:
        self._shadow = shadow
        await self._tell(shadow)

    async def _end(self, place: int | None, how: Drawn, reason: str) -> None:
        if not await in_thread(self._store.end, self._shadow, self._owner, place, how, reason):
            raise ClaimLost

    async def _keep(self, item: ReplayItem) -> None:
        if not await in_thread(self._store.put, self._shadow, self._owner, [item]):
            raise ClaimLost
