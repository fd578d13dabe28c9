"""What a replay would cost, before anything is spent.

From the tokens that were logged and the candidate's price. What is not known is how long the candidate's answers
will be: the forecast supposes them to be like the logged ones, item by item drawn from their distribution, and says
what twice as long would cost. Of many items a sample is looked at; what it leaves open widens the interval.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct, structs

from gaugeway.core.judging import Forecast as JudgeForecast
from gaugeway.core.judging import ModelScorer
from gaugeway.core.model import LogRecord, Usage
from gaugeway.core.money import PICO
from gaugeway.core.ports import LogSink, LogStore
from gaugeway.core.replays import Call, Caller, Candidate, CandidateForecast, Forecast, Reason, Replay
from gaugeway.core.samples import AnyEvaluator, NotApplicable, Sample, Work
from gaugeway.core.snapshots import SnapshotRef
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.judging.expecting import Pricing, Tally
from gaugeway.evaluation.predicting import Costs, dollars, predicted, spread
from gaugeway.evaluation.replaying.judging import AGAINST_LOGGED, configured
from gaugeway.evaluation.replaying.requests import Logged, Unfaithful, call_of, read_logged
from gaugeway.evaluation.replaying.selection import drawn, selected
from gaugeway.evaluation.scoring.marks import sample_of
from gaugeway.evaluation.threads import in_thread

SAMPLED = 300
"""Logged requests whose bodies are looked at."""
FLUSH_S = 10.0
NO_TOKENS = "no log that can be replayed has known tokens"


class _Seen(Struct, frozen=True):
    """One sampled log."""

    record: LogRecord | None
    logged: Logged | None
    problem: Unfaithful | None


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
        self._caller = caller
        self._pricing = pricing
        self._evaluators = evaluators or {}
        self._expected = expected

    async def forecast(self, replay: Replay) -> Forecast:
        """What it would cost. Nothing is sent. LogsNotDurable where it could lack the newest logs."""
        if replay.snapshot is None:
            await until_durable(self._sink, FLUSH_S)
        found = await in_thread(selected, self._logs, replay)
        items = min(len(found), replay.max_items)
        sample = drawn(replay.id, found, min(SAMPLED, items))
        seen = await in_thread(self._look, replay, sample)
        tokens = [
            (one.record.usage.tokens_in, one.record.usage.tokens_out)
            for one in seen
            if one.record is not None and one.logged is not None
        ]
        known = [(into, out) for into, out in tokens if into is not None and out is not None]
        candidates = [await self._of(replay, one, seen, known, items) for one in replay.candidates]
        return Forecast(
            items=items,
            sampled=len(seen),
            without_tokens=len(tokens) - len(known),
            candidates=tuple(candidates),
            judges=tuple([await self._of_judge(replay, at, one, seen, items) for at, one in self._judges(replay)]),
        )

    def _judges(self, replay: Replay) -> list[tuple[int, ModelScorer]]:
        """The evaluators that ask models. Those that cannot work fail when they run, and cost nothing."""
        if self._pricing is None:
            return []
        scorers = [configured(self._evaluators.get(one.evaluator_id), one.parameters) for one in replay.judged]
        return [(at, one) for at, one in enumerate(scorers) if isinstance(one, ModelScorer)]

    async def _of_judge(
        self, replay: Replay, position: int, scorer: ModelScorer, seen: Sequence[_Seen], items: int
    ) -> JudgeForecast:
        """What judging both answers of each item would cost; the logged one stands for the candidates'."""
        if self._pricing is None:
            raise ValueError("a replay without judges")
        against_logged = replay.judged[position].evaluator_id == AGAINST_LOGGED
        tally = Tally(self._pricing, replay.account_id, scorer)
        for one in seen:
            if one.record is None:
                continue
            answers = len(replay.candidates) if one.logged is not None else 0
            times = answers if against_logged else answers + 1
            sample = await in_thread(self._sample, replay, one.record, against_logged=against_logged)
            try:
                if times and sample is not None:
                    await tally.add(sample, times, first_is_itself=not against_logged)
            except NotApplicable:
                continue
        return tally.forecast(position, len(seen), items)

    def _sample(self, replay: Replay, record: LogRecord, *, against_logged: bool) -> Sample | None:
        """The logged answer as a judge would see it; None where there is none to compare with."""
        bodies = self._logs.bodies(replay.source, record.id)
        snapshot = replay.snapshot
        expected = None
        if snapshot is not None and self._expected is not None:
            expected = self._expected(snapshot, record.id)
        sample = sample_of(Work(record, bodies, expected, ()), reads_bodies=True)
        if not against_logged:
            return sample
        answer = sample.conversation.answer
        return None if answer is None else structs.replace(sample, expected=answer.text)

    def _look(self, replay: Replay, log_ids: Sequence[bytes]) -> list[_Seen]:
        seen: list[_Seen] = []
        for log_id in log_ids:
            record = self._logs.get(replay.source, log_id)
            if record is None:
                seen.append(_Seen(None, None, Unfaithful(Reason.DELETED, "the log was deleted")))
                continue
            try:
                logged = read_logged(record, self._logs.bodies(replay.source, log_id))
                seen.append(_Seen(record, logged, None))
            except Unfaithful as problem:
                seen.append(_Seen(record, None, problem))
        return seen

    async def _of(
        self,
        replay: Replay,
        candidate: Candidate,
        seen: Sequence[_Seen],
        known: Sequence[tuple[int, int]],
        items: int,
    ) -> CandidateForecast:
        share = items / max(1, len(seen))
        skipped = Counter(one.problem.reason.value for one in seen if one.problem is not None)
        replayable = [one for one in seen if one.logged is not None]
        calls = [(one, call_of(one.logged, candidate)) for one in replayable if one.logged is not None]
        worst, unknown = Decimal(0), ""
        for _, call in calls:
            priced = await self._caller.at_most(replay.through_scope, call)
            unknown = unknown or ("" if priced.cost is not None else priced.reason or "not known")
            worst += priced.cost or Decimal(0)
        costs = doubled = None
        if calls and known:
            costs = await self._priced(replay, calls, known, 1)
            doubled = await self._priced(replay, calls, known, 2)
        elif calls:
            unknown = unknown or NO_TOKENS
        expected = low = high = twice = None
        if costs is not None and doubled is not None:
            expected, low, high = predicted(costs, len(seen), items)
            twice = predicted(doubled, len(seen), items)[0]
        elif not calls:
            expected = low = high = twice = 0.0
        return CandidateForecast(
            label=candidate.label,
            expected=dollars(expected),
            low=dollars(low),
            high=dollars(high),
            twice_as_long=dollars(twice),
            worst_case=None if unknown else (worst * Decimal(repr(share))).quantize(PICO, rounding=ROUND_CEILING),
            replayable=round(len(replayable) * share),
            skipped={reason: round(number * share) for reason, number in sorted(skipped.items())},
            unknown=unknown,
        )

    async def _priced(
        self, replay: Replay, calls: Sequence[tuple[_Seen, Call]], known: Sequence[tuple[int, int]], times: int
    ) -> Costs | None:
        """The items' costs, whose answers are `times` as long as the logged ones; None where there is no price."""
        average = round(sum(into for into, _ in known) / len(known))
        each: list[float | None] = []
        lengths: list[float] = []
        for one, call in calls:
            await asyncio.sleep(0)  # requests have their turn
            usage = one.record.usage if one.record is not None else Usage()
            if usage.tokens_in is None or usage.tokens_out is None:
                each.append(None)
                continue
            cost = await self._cost(replay, call, usage.tokens_in, usage.tokens_out * times)
            length = await self._cost(replay, call, average, usage.tokens_out * times)
            if cost is None or length is None:
                return None
            each.append(cost)
            lengths.append(length)
        usual = sum(cost for cost in each if cost is not None) / len(lengths)
        return Costs([usual if cost is None else cost for cost in each], spread(lengths), len(lengths))

    async def _cost(self, replay: Replay, call: Call, tokens_in: int, tokens_out: int) -> float | None:
        priced = await self._caller.would_cost(replay.through_scope, call, tokens_in, tokens_out)
        return None if priced.cost is None else float(priced.cost)
