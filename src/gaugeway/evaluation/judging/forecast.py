"""What an evaluation's judging would cost, before anything is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gaugeway.core.judging import Forecast, JudgeFailed, ModelScorer
from gaugeway.core.model import Evaluation
from gaugeway.core.ports import LogSink, LogStore
from gaugeway.core.query import Slice
from gaugeway.core.samples import NotApplicable, Sample, Work
from gaugeway.core.snapshots import SnapshotStore
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.item_run import MAX_LOGS
from gaugeway.evaluation.judging.expecting import Pricing, Tally
from gaugeway.evaluation.predicting import Whole
from gaugeway.evaluation.scoring.marks import sample_of
from gaugeway.evaluation.selection import select
from gaugeway.evaluation.threads import in_thread

SAMPLED = 200
"""Logs that are looked at; of more, evenly spread ones stand for the others."""
FLUSH_S = 10.0


class Forecaster:
    """Forecasts evaluations that have not been created."""

    def __init__(
        self, logs: LogStore, sink: LogSink, pricing: Pricing, snapshots: SnapshotStore | None = None
    ) -> None:
        self._logs = logs
        self._snapshots = snapshots
        self._sink = sink
        self._pricing = pricing

    async def forecast(
        self, evaluation: Evaluation, scorers: Mapping[int, ModelScorer]
    ) -> tuple[int, list[Forecast]]:
        """How many logs it would select, and a forecast for each scorer by its result's position.

        Raises Unselectable, LogsNotDurable, and JudgeFailed where a price is not known.
        """
        if evaluation.snapshot is None:
            await until_durable(self._sink, FLUSH_S)
        where = select(evaluation)
        oldest_first = Slice(limit=MAX_LOGS, descending=False)
        log_ids = await in_thread(self._logs.ids, evaluation.source, where, oldest_first)
        sampled = log_ids[:: max(1, -(-len(log_ids) // SAMPLED))]
        found = [
            await self._of_scorer(evaluation, at, scorer, sampled, len(log_ids)) for at, scorer in scorers.items()
        ]
        return len(log_ids), found

    async def _of_scorer(
        self, evaluation: Evaluation, position: int, scorer: ModelScorer, log_ids: Sequence[bytes], logs: int
    ) -> Forecast:
        tally = Tally(self._pricing, evaluation.account_id, scorer)
        for log_id in log_ids:
            sample = await in_thread(self._sample, evaluation, log_id)
            try:
                if sample is not None:
                    await tally.add(sample)
            except NotApplicable:
                continue
        told = tally.forecast(position, Whole(len(log_ids), logs))
        if told.unknown:
            raise JudgeFailed(told.unknown)
        return told

    def _sample(self, evaluation: Evaluation, log_id: bytes) -> Sample | None:
        record = self._logs.get(evaluation.source, log_id)
        if record is None:
            return None
        ref = evaluation.snapshot
        expected = None if ref is None or self._snapshots is None else self._snapshots.expected(ref, log_id)
        work = Work(record, self._logs.bodies(evaluation.source, log_id), expected, ())
        return sample_of(work, reads_bodies=True)
