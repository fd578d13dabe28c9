"""What a replay would cost, before anything is spent.

Of many items a sample is looked at (`pricing.py`); what it leaves open widens the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gaugeway.core.ports import LogSink, LogStore
from gaugeway.core.replays import Caller, Forecast, Replay
from gaugeway.core.samples import AnyEvaluator
from gaugeway.core.snapshots import SnapshotRef
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.judging.expecting import Pricing
from gaugeway.evaluation.predicting import Whole
from gaugeway.evaluation.replaying.pricing import SAMPLED, TrialPricing
from gaugeway.evaluation.replaying.selection import drawn, selected
from gaugeway.evaluation.threads import in_thread

FLUSH_S = 10.0


class ReplayForecaster:
    """Forecasts replays that have not been created."""

    def __init__(
        self,
        logs: LogStore,
        sink: LogSink,
        caller: Caller,
        *,
        pricing: Pricing | None = None,
        evaluators: Mapping[str, AnyEvaluator] | None = None,
        expected: Callable[[SnapshotRef, bytes], str | None] | None = None,
    ) -> None:
        """Without `pricing` there are no judges; `expected` is what a snapshot's item should have been answered."""
        self._logs = logs
        self._sink = sink
        self._pricing = TrialPricing(logs, caller, pricing, evaluators)
        self._expected = expected

    async def forecast(self, replay: Replay) -> Forecast:
        """What it would cost. Nothing is sent. LogsNotDurable where it could lack the newest logs."""
        if replay.snapshot is None:
            await until_durable(self._sink, FLUSH_S)
        found = await in_thread(selected, self._logs, replay)
        items = min(len(found), replay.max_items)
        sample = drawn(replay.id, found, min(SAMPLED, items))
        looked = await in_thread(self._pricing.look, replay, sample)
        scale = Whole(len(sample), items)

        def expected(log_id: bytes) -> str | None:
            if replay.snapshot is None or self._expected is None:
                return None
            return self._expected(replay.snapshot, log_id)

        return Forecast(
            items=items,
            sampled=len(sample),
            without_tokens=looked.without_tokens,
            candidates=await self._pricing.candidates(replay, looked, scale, items),
            judges=await self._pricing.judges(replay, looked, scale, expected),
        )
