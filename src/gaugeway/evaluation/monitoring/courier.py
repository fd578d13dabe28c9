"""Delivers notices: at least once each, with growing pauses between tries, until one was taken or patience ends."""

from __future__ import annotations

from msgspec import structs

from gaugeway.core.notices import (
    KEPT_TRIES,
    PATIENCE_MS,
    Delivery,
    Notice,
    NoticeStore,
    Notifier,
    Tried,
    retry_delay_ms,
)
from gaugeway.core.ports import Clock
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.leased import Held, Leased, Pace
from gaugeway.evaluation.threads import in_thread

PACE = Pace(at_once=8, poll_s=0.5)


class Courier(Leased[Notice]):
    """Delivers notices, several at a time, so that a receiver that hangs does not hold up the others."""

    NAME = "notice"

    def __init__(
        self, notices: NoticeStore, notifier: Notifier, clock: Clock, owner: str, pace: Pace = PACE
    ) -> None:
        super().__init__(notices, clock, owner, pace.at_once, pace)
        self._notices = notices
        self._notifier = notifier

    async def work(self, held: Held[Notice]) -> None:
        """See Leased. One try, and what came of it."""
        notice = held.job
        webhook = await in_thread(self._notices.webhook, notice)
        if webhook is None:
            gone = structs.replace(notice, state=Delivery.NOT_SENT)
            if not await in_thread(self._notices.save, gone, held.owner):
                raise ClaimLost
            return
        tried = await self._notifier.deliver(webhook, notice)
        if not await in_thread(self._notices.save, after(notice, tried, self._clock.now_ms()), held.owner):
            raise ClaimLost

    def put_back(self, held: Held[Notice], why: str) -> bool:
        """See Leased. It waits as it is."""
        del why
        return bool(held.job.id)

    def give_up(self, held: Held[Notice], why: str) -> None:
        """See Leased: it was not even tried. So is this a try that failed."""
        now_ms = self._clock.now_ms()
        failed = Tried(at=now_ms, duration_ms=0, error=why)
        self._notices.save(after(held.job, failed, now_ms), held.owner)


def after(notice: Notice, tried: Tried, now_ms: int) -> Notice:
    """The notice after a try."""
    tries = notice.tries + 1
    state = Delivery.PENDING
    if tried.delivered:
        state = Delivery.DELIVERED
    elif now_ms - notice.created_at >= PATIENCE_MS:
        state = Delivery.GIVEN_UP
    return structs.replace(
        notice,
        state=state,
        tries=tries,
        tried=(*notice.tried, tried)[-KEPT_TRIES:],
        due_at=now_ms + retry_delay_ms(tries),
    )
