"""What asking models would cost: over some logs, call by call, before anything is spent.

What a question costs depends on how long it is, which is counted by a rule of thumb, and on how long its verdict
will be: as the newest logged ones of that model and prompt were, or, before there are any, as long as one supposes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from statistics import fmean

from msgspec import Struct

from gaugeway.core.embeddings import EmbeddingScorer, EmbeddingSettings
from gaugeway.core.estimating import tokens_of
from gaugeway.core.judging import Forecast, JudgeFailed, JudgeScorer, JudgeSettings, ModelScorer, Question
from gaugeway.core.model import Scope
from gaugeway.core.money import PICO
from gaugeway.core.ports import LogStore
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.replays import Call, Caller
from gaugeway.core.samples import Sample
from gaugeway.evaluation.judging import asking, embedding
from gaugeway.evaluation.judging.asking import Asking
from gaugeway.evaluation.panels import JudgePanel
from gaugeway.evaluation.predicting import Costs, Scale, dollars, spread
from gaugeway.evaluation.threads import in_thread

VERDICT_TOKENS = 80
"""Tokens that a verdict is supposed to have before one is logged: a sentence or two, and the decision."""
PRICED_TOKENS = 1000
"""Tokens by which the price of one is told."""
LOOKED_AT = 500
"""The newest logs of the judges' gateway, among which verdicts are looked for."""

RULE_OF_THUMB = "tokens of questions are counted by a rule of thumb (4 letters each), whose error no interval knows"
AS_LOGGED = "verdicts as long as the newest logged ones"
SUPPOSED = f"verdicts of {VERDICT_TOKENS} tokens, because none of this model and prompt is logged yet"
NO_HISTORY = "no interval: how long verdicts are is not known before some are logged"
NO_SAMPLE = "no interval: every log was looked at"
ONE_ONLY = "no interval: a single one does not say how much they differ"


class _Asked(Struct, frozen=True):
    """One call that a scorer would make."""

    settings: JudgeSettings | EmbeddingSettings
    what: Question | str
    key: bytes  # under which its answer is kept, once it has one


class Pricing(Struct, frozen=True):
    """What forecasts of models need."""

    asking: Asking
    caller: Caller
    logs: LogStore


class Tally:
    """One scorer's calls over sampled items, counted and priced item by item."""

    def __init__(self, pricing: Pricing, account_id: str, scorer: ModelScorer) -> None:
        self._pricing = pricing
        self._account_id = account_id
        self._scorer = scorer
        self._lengths: dict[tuple[str, str], Sequence[int]] = {}
        self._variances: list[float] = []  # of one call's cost over the lengths of verdicts
        self._each: list[float] = []
        self._calls = self._known = self._paid = 0
        self._worst = Decimal(0)
        self._unknown = ""

    async def add(self, sample: Sample, times: int = 1, *, first_is_itself: bool = True) -> None:
        """An item: this sample, and `times - 1` others that are like it. NotApplicable, and nothing counted.

        `first_is_itself`: whether the sample itself is one of those that are asked about: its answers may be kept.
        """
        asked = _asked_of(self._scorer, sample)
        cost = 0.0
        for one in asked:
            is_known = first_is_itself and await self._is_known(one)
            self._calls += times
            self._known += is_known
            self._paid += times - is_known
            cost += await self._price(one, times, times - is_known)
        self._each.append(cost)

    def forecast(self, position: int, scale: Scale) -> Forecast:
        """What all would cost that the sample stands for."""
        share = Decimal(repr(scale.items)) / max(1, scale.sampled)
        worst = (self._worst * share).quantize(PICO, rounding=ROUND_CEILING)
        expected, low, high, note = self._expected(scale)
        return Forecast(
            position=position,
            sampled=scale.sampled,
            calls=round(self._calls * share),
            known=round(self._known * share),
            expected=None if self._unknown else dollars(expected),
            low=None if self._unknown else dollars(low),
            high=None if self._unknown else dollars(high),
            worst_case=None if self._unknown else worst,
            cap=Decimal(repr(self._scorer.max_cost)),
            note=note,
            unknown=self._unknown,
        )

    def _expected(self, scale: Scale) -> tuple[float, float | None, float | None, str]:
        """Expected cost, the interval's ends or None, and what is supposed."""
        if not any(self._each):
            return 0.0, 0.0, 0.0, "nothing is to be paid for"
        histories = list(self._lengths.values())
        seen = min(map(len, histories), default=0)
        costs = Costs(self._each, fmean(self._variances or [0.0]), seen, self._paid / len(self._each))
        expected, low, high = scale.predict(costs)
        supposed = [] if not histories else [AS_LOGGED if seen else SUPPOSED]
        if histories and not seen:
            return expected, None, None, "; ".join([*supposed, NO_HISTORY, RULE_OF_THUMB])
        if low is None:
            return expected, None, None, "; ".join([*supposed, ONE_ONLY, RULE_OF_THUMB])
        if not histories and scale.sampled == scale.items:
            return expected, None, None, f"{NO_SAMPLE}; {RULE_OF_THUMB}"
        return expected, low, high, "; ".join([*supposed, RULE_OF_THUMB])

    async def _is_known(self, asked: _Asked) -> bool:
        return await in_thread(self._pricing.asking.verdicts.get, self._account_id, asked.key) is not None

    async def _price(self, asked: _Asked, times: int, paid: int) -> float:
        """What it is expected to cost, `paid` of the `times` that it is asked. 0 where nobody can tell."""
        try:
            self._worst += times * await self._at_most(asked)
            return paid * await self._likely(asked)
        except JudgeFailed as problem:
            self._unknown = self._unknown or str(problem)
            return 0.0

    async def _at_most(self, asked: _Asked) -> Decimal:
        match asked.settings, asked.what:
            case JudgeSettings() as settings, Question() as question:
                return await self._pricing.asking.judge.at_most(self._account_id, question, settings)
            case EmbeddingSettings() as settings, str() as text if self._pricing.asking.embedding is not None:
                return await self._pricing.asking.embedding.at_most(self._account_id, text, settings)
            case _:
                raise JudgeFailed("this server has no embeddings")

    async def _likely(self, asked: _Asked) -> float:
        settings = asked.settings
        if isinstance(asked.what, str):
            return await self._cost(settings, tokens_of(asked.what), 0)
        into = tokens_of(asked.what.system) + tokens_of(asked.what.user)
        lengths = await self._lengths_of(settings, asked.what.prompt)
        if not lengths:
            most = settings.max_tokens if isinstance(settings, JudgeSettings) else VERDICT_TOKENS
            return await self._cost(settings, into, min(VERDICT_TOKENS, most))
        bare = await self._cost(settings, into, 0)
        a_token = (await self._cost(settings, into, PRICED_TOKENS) - bare) / PRICED_TOKENS
        self._variances.append(a_token * a_token * spread(lengths))
        return bare + a_token * fmean(lengths)

    async def _cost(self, settings: JudgeSettings | EmbeddingSettings, into: int, out: int) -> float:
        endpoint = "embeddings" if isinstance(settings, EmbeddingSettings) else "chat/completions"
        call = Call(model=settings.model, endpoint=endpoint, body=b"", rates=settings.rates)
        scope = Scope(self._account_id, settings.gateway_id)
        priced = await self._pricing.caller.would_cost(scope, call, into, out)
        if priced.cost is None:
            raise JudgeFailed(f"what {settings.model} costs is not known ({priced.reason})")
        return float(priced.cost)

    async def _lengths_of(self, settings: JudgeSettings | EmbeddingSettings, prompt: str) -> Sequence[int]:
        """Tokens of the newest logged verdicts of that model by that prompt."""
        known = self._lengths.get((settings.model, prompt))
        if known is None:
            scope = Scope(self._account_id, settings.gateway_id)
            newest = await in_thread(self._pricing.logs.page, scope, EVERYTHING, Slice(limit=LOOKED_AT))
            model = settings.model.partition("/")[2]
            known = [
                record.usage.tokens_out
                for record in newest
                if record.success
                and not record.cached
                and record.model == model
                and (record.metadata or {}).get("judge") == prompt
                and record.usage.tokens_out is not None
            ]
            self._lengths[settings.model, prompt] = known
        return known


def _asked_of(scorer: ModelScorer, sample: Sample) -> list[_Asked]:
    """Every call about one sample; raises NotApplicable."""
    match scorer:
        case JudgeScorer():
            settings = scorer.settings
            return [
                _Asked(settings, question, asking.key_of(settings, question))
                for question in scorer.questions(sample)
            ]
        case JudgePanel():
            return [one for judge in scorer.judges for one in _asked_of(judge, sample)]
        case EmbeddingScorer():
            settings = scorer.settings
            texts = dict.fromkeys(scorer.texts(sample))
            return [_Asked(settings, text, embedding.key_of(settings, text)) for text in texts]
        case _:
            return []
