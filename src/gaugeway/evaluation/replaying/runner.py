"""Takes replays from their queue and sees them to their end, however often their holder changes."""

from __future__ import annotations

from msgspec import structs

from gaugeway.core.errors import BadInput
from gaugeway.core.ports import Clock
from gaugeway.core.replays import Replay, ReplayStatus
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.item_run import ClaimLost, TooMany
from gaugeway.evaluation.leased import STANDARD, Held, Leased, Pace
from gaugeway.evaluation.replaying.run import ReplayParts, ReplayRun
from gaugeway.evaluation.threads import in_thread

AT_ONCE = 2
"""Replays that one process runs at a time."""


class ReplayRunner(Leased[Replay]):
    """Runs replays, a few at a time, until cancelled."""

    NAME = "replay"

    def __init__(self, parts: ReplayParts, clock: Clock, owner: str, pace: Pace = STANDARD) -> None:
        super().__init__(parts.store, clock, owner, AT_ONCE, pace)
        self._parts = parts

    async def work(self, held: Held[Replay]) -> None:
        """See Leased."""
        run = ReplayRun(held.job, held.owner, self._parts)
        held.when_lost = run.abandon
        await self._tell(held, structs.replace(held.job, status=ReplayStatus.RUNNING, status_description="running"))
        await until_durable(self._parts.sides.sink, self._pace.flush_timeout_s)
        await self._tell(held, await self._computed(held, run))

    def put_back(self, held: Held[Replay], why: str) -> bool:
        """See Leased."""
        words = f"queued again: {why}"
        return self._save(held, structs.replace(held.job, status=ReplayStatus.QUEUED, status_description=words))

    def give_up(self, held: Held[Replay], why: str) -> None:
        """See Leased."""
        self._save(held, _failed(held.job, why))

    async def _computed(self, held: Held[Replay], run: ReplayRun) -> Replay:
        """The replay, ended."""

        async def tell(selected: int, planned: int) -> None:
            await self._tell(held, structs.replace(held.job, selected=selected, total_items=planned))

        try:
            comparison = await run.run(tell)
        except (TooMany, BadInput) as problem:
            return _failed(held.job, str(problem))
        return structs.replace(
            held.job,
            status=ReplayStatus.COMPLETED,
            status_description="completed" if held.job.total_items else "completed: no log matches the dataset",
            comparison=comparison,
        )

    async def _tell(self, held: Held[Replay], replay: Replay) -> None:
        """Write how it stands; ClaimLost."""
        if not await in_thread(self._save, held, replay):
            raise ClaimLost
        held.job = replay

    def _save(self, held: Held[Replay], replay: Replay) -> bool:
        saved = structs.replace(replay, modified_at=max(replay.modified_at, self._clock.now_ms()))
        return self._parts.store.save(saved, held.owner)


def _failed(replay: Replay, why: str) -> Replay:
    return structs.replace(replay, status=ReplayStatus.FAILED, status_description=f"failed: {why}")
