"""What a day of a shadow would cost, before anything is spent: from the gateway's logs of the last days.

How many requests a day has differs from day to day, which of them are drawn is by lot, and what a call costs
differs from call to call: all of it widens the interval. It supposes a day like those that were looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from heapq import nsmallest

from msgspec import Struct

from gaugeway.core import ids
from gaugeway.core.ports import Clock, LogSink, LogStore
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.replays import Caller
from gaugeway.core.samples import AnyEvaluator
from gaugeway.core.shadows import DAY_S, FORECAST_DAYS, DayForecast, Shadow
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.judging.expecting import Pricing
from gaugeway.evaluation.predicting import Daily
from gaugeway.evaluation.replaying.pricing import SAMPLED, TrialPricing
from gaugeway.evaluation.shadowing.looking import Filters, filters_of, pages, unsuited
from gaugeway.evaluation.threads import in_thread

FLUSH_S = 10.0
MOST_LOGS = 1_000_000
"""Logs that are counted one by one: once there are so many, no further day is looked at."""
YOUNG = "the gateway's logs are those of less than a day: a whole day may cost more"
ONE_DAY = "no interval: of a single day it is not known how much days differ"
NO_LOGS = "there are no logs to tell from"
_DAY_MS = DAY_S * 1000


class _Days(Struct, frozen=True):
    """What the last days had."""

    each: list[int]  # logs, the newest day first
    sample: list[bytes]
    note: str


class ShadowForecaster:
    """Forecasts shadows that have not been created. Without `pricing` there are no judges."""

    def __init__(
        self,
        logs: LogStore,
        sink: LogSink,
        caller: Caller,
        clock: Clock,
        *,
        pricing: Pricing | None = None,
        evaluators: Mapping[str, AnyEvaluator] | None = None,
    ) -> None:
        self._logs = logs
        self._sink = sink
        self._clock = clock
        self._pricing = TrialPricing(logs, caller, pricing, evaluators)

    async def forecast(self, shadow: Shadow) -> DayForecast:
        """What a day would cost. Nothing is sent. LogsNotDurable where it could lack the newest logs."""
        await until_durable(self._sink, FLUSH_S)
        days = await in_thread(self._days, shadow, self._clock.now_ms())
        looked = await in_thread(self._pricing.look, shadow, days.sample, unsuited)
        scale = Daily(len(days.sample), days.each, float(shadow.share) / 100)
        return DayForecast(
            days=len(days.each),
            logs=sum(days.each),
            daily_items=scale.items,
            sampled=len(days.sample),
            without_tokens=looked.without_tokens,
            candidates=await self._pricing.candidates(shadow, looked, scale, sum(days.each)),
            judges=await self._pricing.judges(shadow, looked, scale),
            note=days.note,
        )

    def _days(self, shadow: Shadow, now_ms: int) -> _Days:
        """As many whole days as there are logs of, the newest at least."""
        end_ms = now_ms + 1  # what arrived in this millisecond counts
        oldest = self._logs.ids(shadow.source, EVERYTHING, Slice(limit=1, descending=False))
        age = (end_ms - ids.time_ms(oldest[0])) // _DAY_MS if oldest else 0
        filters = filters_of(shadow)
        each: list[int] = []
        sample: list[tuple[bytes, bytes]] = []
        for day in range(min(max(age, 1), FORECAST_DAYS)):
            number, drawn = self._day(shadow, filters, end_ms - (day + 1) * _DAY_MS)
            if each and sum(each) + number > MOST_LOGS:
                break
            each.append(number)
            sample = nsmallest(SAMPLED, [*sample, *drawn])
        note = "" if len(each) > 1 else ONE_DAY if age else f"{YOUNG}; {ONE_DAY}"
        return _Days(each, [log_id for _, log_id in sample], note if oldest else NO_LOGS)

    def _day(self, shadow: Shadow, filters: Filters, low_ms: int) -> tuple[int, list[tuple[bytes, bytes]]]:
        """How many logs it has, and those of the lowest lots, with their lots."""
        number, drawn = 0, list[tuple[bytes, bytes]]()
        for found in pages(self._logs, shadow, filters, low_ms, low_ms + _DAY_MS):
            number += len(found)
            drawn = nsmallest(SAMPLED, [*drawn, *((_lot(shadow, one), one) for one in found)])
        return number, drawn


def _lot(shadow: Shadow, log_id: bytes) -> bytes:
    """A lot of its own: not the one by which the shadow draws."""
    return hashlib.blake2b(log_id, key=shadow.id.encode()[:64], digest_size=8, person=b"forecast").digest()
