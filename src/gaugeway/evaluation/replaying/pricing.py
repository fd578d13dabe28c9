"""What sampled requests would cost at a trial's candidates, and to be judged: nothing is sent, nothing spent.

From the tokens that were logged and the candidate's price. What is not known is how long the candidate's answers
will be: they are supposed to be like the logged ones, item by item drawn from their distribution; and it is said
what twice as long would cost.
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
from gaugeway.core.ports import LogStore
from gaugeway.core.replays import Call, Caller, Candidate, CandidateForecast, Reason, Trial
from gaugeway.core.samples import AnyEvaluator, NotApplicable, Sample, Work
from gaugeway.evaluation.judging.expecting import Pricing, Tally
from gaugeway.evaluation.predicting import Costs, Scale, dollars, spread
from gaugeway.evaluation.replaying.judging import AGAINST_LOGGED, configured
from gaugeway.evaluation.replaying.requests import Logged, Unfaithful, call_of, read_logged
from gaugeway.evaluation.scoring.marks import sample_of
from gaugeway.evaluation.threads import in_thread

SAMPLED = 300
"""Logged requests whose bodies are looked at."""
NO_TOKENS = "no log that can be replayed has known tokens"


class Seen(Struct, frozen=True):
    """One sampled log."""

    record: LogRecord | None
    logged: Logged | None  # None: it cannot be sent
    reason: str = ""  # why not


class Looked(Struct, frozen=True):
    """All of them."""

    each: Sequence[Seen]

    @property
    def tokens(self) -> list[tuple[int | None, int | None]]:
        """In and out, of those that can be sent."""
        return [
            (one.record.usage.tokens_in, one.record.usage.tokens_out)
            for one in self.each
            if one.record is not None and one.logged is not None
        ]

    @property
    def known(self) -> list[tuple[int, int]]:
        """Of those, where both are known."""
        return [(into, out) for into, out in self.tokens if into is not None and out is not None]

    @property
    def without_tokens(self) -> int:
        """Those that can be sent, whose tokens were not logged."""
        return len(self.tokens) - len(self.known)


class TrialPricing:
    """Looks at logged requests, and prices them. Without `pricing` there are no judges."""

    def __init__(
        self,
        logs: LogStore,
        caller: Caller,
        pricing: Pricing | None = None,
        evaluators: Mapping[str, AnyEvaluator] | None = None,
    ) -> None:
        self._logs = logs
        self._caller = caller
        self._pricing = pricing
        self._evaluators = evaluators or {}

    def look(
        self, trial: Trial, log_ids: Sequence[bytes], unsuited: Callable[[LogRecord], str | None] = lambda _: None
    ) -> Looked:
        """Read the logs; `unsuited`: why one is not sent, whatever its bodies say. Blocks."""
        return Looked([self._look(trial, log_id, unsuited) for log_id in log_ids])

    def _look(self, trial: Trial, log_id: bytes, unsuited: Callable[[LogRecord], str | None]) -> Seen:
        record = self._logs.get(trial.source, log_id)
        if record is None:
            return Seen(None, None, Reason.DELETED)
        why = unsuited(record)
        if why is not None:
            return Seen(record, None, why)
        try:
            return Seen(record, read_logged(record, self._logs.bodies(trial.source, log_id)))
        except Unfaithful as problem:
            return Seen(record, None, problem.reason)

    async def candidates(
        self, trial: Trial, looked: Looked, scale: Scale, population: int
    ) -> tuple[CandidateForecast, ...]:
        """What each candidate costs. `population`: the logs that the looked-at ones were drawn from."""
        return tuple([await self._of(trial, one, looked, scale, population) for one in trial.candidates])

    async def judges(
        self,
        trial: Trial,
        looked: Looked,
        scale: Scale,
        expected: Callable[[bytes], str | None] = lambda _: None,
    ) -> tuple[JudgeForecast, ...]:
        """What each evaluator that asks models costs. Those that cannot work fail when they run, and cost nothing.

        `expected` is what a log's request should have been answered.
        """
        if self._pricing is None:
            return ()
        scorers = [configured(self._evaluators.get(one.evaluator_id), one.parameters) for one in trial.judged]
        found: list[JudgeForecast] = []
        for at, scorer in enumerate(scorers):
            if isinstance(scorer, ModelScorer):
                tally = Tally(self._pricing, trial.account_id, scorer)
                against_logged = trial.judged[at].evaluator_id == AGAINST_LOGGED
                await self._count(trial, tally, looked, expected, against_logged=against_logged)
                found.append(tally.forecast(at, scale))
        return tuple(found)

    async def _count(
        self,
        trial: Trial,
        tally: Tally,
        looked: Looked,
        expected: Callable[[bytes], str | None],
        *,
        against_logged: bool,
    ) -> None:
        """Judging both answers of each item; the logged one stands for the candidates'."""
        for one in looked.each:
            if one.record is None:
                continue
            answers = len(trial.candidates) if one.logged is not None else 0
            times = answers if against_logged else answers + 1
            sample = await in_thread(self._sample, trial, one.record, expected, against_logged=against_logged)
            try:
                if times and sample is not None:
                    await tally.add(sample, times, first_is_itself=not against_logged)
            except NotApplicable:
                continue

    def _sample(
        self, trial: Trial, record: LogRecord, expected: Callable[[bytes], str | None], *, against_logged: bool
    ) -> Sample | None:
        """The logged answer as a judge would see it; None where there is none to compare with."""
        bodies = self._logs.bodies(trial.source, record.id)
        sample = sample_of(Work(record, bodies, expected(record.id), ()), reads_bodies=True)
        if not against_logged:
            return sample
        answer = sample.conversation.answer
        return None if answer is None else structs.replace(sample, expected=answer.text)

    async def _of(
        self, trial: Trial, candidate: Candidate, looked: Looked, scale: Scale, population: int
    ) -> CandidateForecast:
        sampled, counted = max(1, len(looked.each)), population / max(1, len(looked.each))
        skipped = Counter(str(one.reason) for one in looked.each if one.logged is None)
        calls = [(one, call_of(one.logged, candidate)) for one in looked.each if one.logged is not None]
        worst, unpriced = Decimal(0), ""
        for _, call in calls:
            priced = await self._caller.at_most(trial.through_scope, call)
            unpriced = unpriced or ("" if priced.cost is not None else priced.reason or "not known")
            worst += priced.cost or Decimal(0)
        costs = doubled = None
        if calls and looked.known:
            costs = await self._priced(trial, calls, looked.known, 1)
            doubled = await self._priced(trial, calls, looked.known, 2)
        expected = low = high = twice = None
        if costs is not None and doubled is not None:
            expected, low, high = scale.predict(costs)
            twice = scale.predict(doubled)[0]
        elif not calls:
            expected = low = high = twice = 0.0
        share = Decimal(repr(scale.items)) / sampled
        return CandidateForecast(
            label=candidate.label,
            expected=dollars(expected),
            low=dollars(low),
            high=dollars(high),
            twice_as_long=dollars(twice),
            worst_case=None if unpriced else (worst * share).quantize(PICO, rounding=ROUND_CEILING),
            replayable=round(len(calls) * counted),
            skipped={reason: round(number * counted) for reason, number in sorted(skipped.items())},
            unknown=unpriced or (NO_TOKENS if calls and not looked.known else ""),
        )

    async def _priced(
        self, trial: Trial, calls: Sequence[tuple[Seen, Call]], known: Sequence[tuple[int, int]], times: int
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
            cost = await self._cost(trial, call, usage.tokens_in, usage.tokens_out * times)
            length = await self._cost(trial, call, average, usage.tokens_out * times)
            if cost is None or length is None:
                return None
            each.append(cost)
            lengths.append(length)
        usual = sum(cost for cost in each if cost is not None) / len(lengths)
        return Costs([usual if cost is None else cost for cost in each], spread(lengths), len(lengths))

    async def _cost(self, trial: Trial, call: Call, tokens_in: int, tokens_out: int) -> float | None:
        priced = await self._caller.would_cost(trial.through_scope, call, tokens_in, tokens_out)
        return None if priced.cost is None else float(priced.cost)
