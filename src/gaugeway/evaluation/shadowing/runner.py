"""Takes shadows from their queue and keeps at them until they end, however often their holder changes."""

from __future__ import annotations

from msgspec import structs

from gaugeway.core.errors import BadInput
from gaugeway.core.replays import ReplayStatus
from gaugeway.core.shadows import MAX_ACTIVE, Shadow
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.leased import Held, Leased, Pace
from gaugeway.evaluation.shadowing.run import RUNNING, ShadowParts, ShadowRun
from gaugeway.evaluation.threads import in_thread

PATIENT = Pace(patience_s=86_400.0)
"""A shadow goes on for days: a full disk or a lost recorder for an hour does not end it."""


class ShadowRunner(Leased[Shadow]):
    """Runs all shadows that nobody else runs, until cancelled."""

    NAME = "shadow"

    def __init__(self, parts: ShadowParts, owner: str, pace: Pace = PATIENT) -> None:
        super().__init__(parts.store, parts.clock, owner, MAX_ACTIVE, pace)
        self._parts = parts

    async def work(self, held: Held[Shadow]) -> None:
        """See Leased."""

        async def tell(shadow: Shadow) -> None:
            await self._tell(held, shadow)

        try:
            if held.job.stopped_at is None:
                words = RUNNING if held.job.paused_until is None else held.job.status_description
                await tell(structs.replace(held.job, status=ReplayStatus.RUNNING, status_description=words))
            run = ShadowRun(held.job, held.owner, self._parts, tell, lambda: self.went_well(held))
            held.when_lost = run.abandon
            await run.run()
        except BadInput as problem:
            await tell(_failed(held.job, str(problem)))
            return
        ended = run.concluded
        why = "it was stopped" if ended.stopped_at is not None else _why_ended(ended)
        await tell(
            structs.replace(
                ended, status=ReplayStatus.COMPLETED, status_description=f"completed: {why}", paused_until=None
            )
        )

    def put_back(self, held: Held[Shadow], why: str) -> bool:
        """See Leased."""
        changed = structs.replace(held.job, status=ReplayStatus.QUEUED)
        if held.job.paused_until is None:  # else it says until when
            changed = structs.replace(changed, status_description=f"queued again: {why}")
        return self._save(held, changed)

    def give_up(self, held: Held[Shadow], why: str) -> None:
        """See Leased."""
        self._save(held, _failed(held.job, why))

    async def _tell(self, held: Held[Shadow], shadow: Shadow) -> None:
        """Write how it stands; ClaimLost."""
        if not await in_thread(self._save, held, shadow):
            raise ClaimLost
        held.job = shadow

    def _save(self, held: Held[Shadow], shadow: Shadow) -> bool:
        saved = structs.replace(shadow, modified_at=max(shadow.modified_at, self._clock.now_ms()))
        return self._parts.store.save(saved, held.owner)


def _why_ended(shadow: Shadow) -> str:
    return f"its time, or its {shadow.max_items} requests, are over"


def _failed(shadow: Shadow, why: str) -> Shadow:
    return structs.replace(shadow, status=ReplayStatus.FAILED, status_description=f"failed: {why}")
