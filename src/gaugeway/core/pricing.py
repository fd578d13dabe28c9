"""What a request cost, or why that is not known. In exact decimals, never guessed and never quietly zero.

The first of these that applies:

1. Answered from the cache, or never sent to a provider (refused, rate or spend limited, blocked): 0.
2. `cf-aig-custom-cost`: the total it names, or its rates times the tokens the provider reported.
3. A request that reads (GET, HEAD, OPTIONS, DELETE): unknown. Reading a stored answer shows its figures again,
   and to price them again would count them twice.
4. The account's own price for the model (`price_rules`).
5. What the provider itself says it charged (OpenRouter, Perplexity, xAI).
6. The tokens the provider reported times its public price on the request's day (`price_list`).

Everything else is unknown, and the reason says why. In particular a failed request without reported usage is
unknown and not 0: most providers do not bill a request they answer with an error, but none promises it for
each kind of error, and a 0 would pull down the average cost of an answer; what is unknown is left out of it, and
counted. A failed request with usage costs what was used.

To the answer's cost comes that of failed attempts before it whose answers reported usage. Attempts that gave no
answer may have been billed too; they are marked (`Attempt.may_be_billed`), and not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from msgspec import Struct
from msgspec.structs import replace

from gaugeway.core.model import Attempt, CustomCost, LogRecord, Outcome, Scope, Usage
from gaugeway.core.money import PICO
from gaugeway.core.price_data import version
from gaugeway.core.price_list import PriceList
from gaugeway.core.price_rules import FindRules, PriceRule, names_of, rule_for
from gaugeway.core.provider import Asked
from gaugeway.core.worst_case import TOKEN_KINDS, Bound, bound_of

__all__ = ["PriceBook", "Priced", "version"]

MAX_COST = Decimal(9_000_000)
"""Dollars. More does not fit the unit costs are kept in, and is no request's cost."""

_ZERO = Decimal(0)
_SEND_RATES = "give it a price by a cost rule, or with cf-aig-custom-cost"
_SEND_TOTAL = 'send cf-aig-custom-cost: {"total_cost": …}'
_TURNED_AWAY = frozenset({Outcome.REFUSED, Outcome.RATE_LIMITED, Outcome.SPEND_LIMITED, Outcome.BLOCKED})
_READING = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_CUSTOM_PREFIX = "custom-"
_UNKNOWN = "unknown"
CUSTOM_COST = "cf-aig-custom-cost"
REALTIME = "realtime"
"""The kind of a WebSocket session, which begins with a GET and is billed all the same."""
NO_TOKENS = "the provider counted no tokens at all, as if nothing had been used"
_NO_USAGE = {
    Outcome.TIMEOUT: "the provider did not answer in time, so what it used is not known",
    Outcome.STREAM_CUT: "the stream broke off before the provider reported its usage",
    Outcome.CLIENT_GONE: "the client left before the provider reported its usage",
    Outcome.INTERNAL_ERROR: "the gateway failed before it had read the provider's usage",
}


class Priced(Struct, frozen=True):
    """A cost in dollars, to the 10^-12, or the reason why there is none."""

    cost: Decimal | None = None
    reason: str | None = None
    custom: bool = False  # by the client's own rates
    by: str | None = None  # whose prices: `genai-prices 0.2.3`, `rule <id>`, `cf-aig-custom-cost`, `provider`


class PriceBook:
    """Prices records. `price_ids` maps a provider's slug to its id in genai-prices; None: it has no public prices.

    Not for several threads at once. Price data is loaded with the first record that needs it (0.3 s, 25 MB).
    """

    def __init__(self, price_ids: Mapping[str, str | None], find_rules: FindRules = lambda _account_id: ()) -> None:
        self._price_ids = dict(price_ids)
        self._find_rules = find_rules
        self._list = PriceList()

    def price(self, record: LogRecord) -> Priced:
        """What the record's request cost, all attempts together. Never raises.

        Some 5 microseconds once a model has been seen.
        """
        priced = self.price_answer(record)
        if len(record.attempts) < 2 or priced.cost is None:
            return priced
        cost = priced.cost
        for number, attempt in enumerate(record.attempts, 1):
            if attempt.usage is not None:
                more = self.price_attempt(record, attempt)
                if more.cost is None:
                    return Priced(reason=f"attempt {number}: {more.reason}", custom=priced.custom)
                cost += more.cost
        return priced if cost == priced.cost else replace(priced, cost=cost)

    def price_attempt(self, record: LogRecord, attempt: Attempt) -> Priced:
        """What a failed attempt cost that reported usage. A request's total is told once, with its answer."""
        said = attempt.custom_cost
        if attempt.usage is None or (said is not None and said.total_cost is not None):
            return Priced(_ZERO)
        alone = replace(
            record,
            provider=attempt.provider,
            model=attempt.model,
            response_model=None,
            usage=attempt.usage,
            custom_cost=said,
            outcome=Outcome.UPSTREAM_ERROR,
            attempts=(attempt,),
            route=None,
        )
        return self.price_answer(alone)

    def price_answer(self, record: LogRecord) -> Priced:
        """What the answer that the request got cost, without failed attempts before it. Never raises."""
        if record.outcome is Outcome.CACHED or _was_never_sent(record):
            return Priced(_ZERO)
        usage = record.usage
        if record.custom_cost is not None:
            return _by_custom_cost(record.custom_cost, record)
        if is_read_only(record.method) and record.model_type != REALTIME:
            return Priced(reason=f"{record.method} requests read what others were billed for")
        provider = _billed_by(record)
        rule = self._own_price(record.scope, provider, names_of(record), record.created_at)
        if rule is not None:
            return _by_rule(rule, record)
        price_id = self._price_ids.get(provider)
        if price_id is None:
            return _without_prices(provider)
        if usage.reported_cost is not None:
            return _rounded(usage.reported_cost, by="provider")
        if usage.doubt is not None:
            return Priced(reason=usage.doubt)
        if _is_empty(usage):
            return Priced(reason=_why_no_usage(record))
        doubt = _doubt_of(record)
        if doubt is not None:
            return Priced(reason=doubt)
        cost, reason = self._list.cost(
            price_id,
            record.response_model or record.model,
            record.created_at,
            usage,
            has_output=record.model_type != "embeddings",
        )
        return Priced(reason=reason) if cost is None else _rounded(cost, by=version())

    def at_most(
        self,
        scope: Scope,
        provider: str,
        asked: Asked,
        body: bytes,
        *,
        at_ms: int,
        custom_cost: CustomCost | None,
        bound: Bound | None = None,
    ) -> Priced:
        """What a request can cost at most, before it is sent; else why that cannot be said, and what to do.

        `bound` is what it is known to be within, where that does not stand in its body. Not in the cost are fees
        for tools that the provider runs itself, which nothing bounds.
        """
        if custom_cost is not None and custom_cost.total_cost is not None:
            return _rounded_up(custom_cost.total_cost)
        if bound is None and asked.model_type not in TOKEN_KINDS:
            return Priced(reason=f"what it costs cannot be told beforehand: {_SEND_TOTAL}")
        bound = bound or bound_of(body, asked.model_type)
        if bound is None:
            return Priced(reason=f"its body is not plain JSON with each key once: mend it, or {_SEND_TOTAL}")
        if custom_cost is not None:
            return _at_most_by_rates(custom_cost, bound)
        rule = self._own_price(scope, provider, (asked.model,), at_ms)
        price_id = self._price_ids.get(provider)
        if rule is not None:
            cost, reason = rule.pricing.at_most(bound)
        elif price_id is None or asked.unlisted is not None:
            beyond = "" if asked.unlisted is None else f" with {asked.unlisted}"
            return Priced(reason=f"no price is known for it{beyond}: {_SEND_RATES}")
        else:
            cost, reason = self._list.at_most(price_id, asked.model, at_ms, bound)
        return Priced(reason=f"{reason}: {_SEND_RATES}") if cost is None else _rounded_up(cost)

    def _own_price(self, scope: Scope, provider: str, models: tuple[str, ...], at_ms: int) -> PriceRule | None:
        rules = self._find_rules(scope.account_id)
        return rule_for(rules, provider, models, scope.gateway_id, at_ms) if rules else None

    def saved(self, record: LogRecord) -> Decimal | None:
        """What a cached answer would have cost by today's prices, from the usage it had when it was new.

        None where that is not known, or the answer is not a cached one.
        """
        if record.usage_saved is None:
            return None
        asked = replace(record, outcome=Outcome.SUCCESS, usage=record.usage_saved, usage_saved=None)
        return self.price(asked).cost


def _by_rule(rule: PriceRule, record: LogRecord) -> Priced:
    usage = record.usage
    if usage.doubt is not None:
        return Priced(reason=usage.doubt)
    if _is_empty(usage):
        return Priced(reason=_why_no_usage(record))
    doubt = _doubt_of(record)
    if doubt is not None:
        return Priced(reason=doubt)
    if usage.tokens_out is None and record.model_type == "embeddings":
        usage = replace(usage, tokens_out=0)
    cost, reason = rule.pricing.cost(usage)
    return Priced(reason=reason) if cost is None else _rounded(cost, by=f"rule {rule.id}")


def _at_most_by_rates(rates: CustomCost, bound: Bound) -> Priced:
    given = (rates.per_token_in, rates.per_cache_read_token, rates.per_cache_write_token)
    into = max((rate for rate in given if rate is not None), default=_ZERO)
    out = rates.per_token_out or _ZERO
    if (bound.tokens_in is None and into) or (bound.tokens_out is None and out):
        missing = "its input refers to more than its body holds" if bound.tokens_in is None else "send max_tokens"
        return Priced(reason=f"its tokens cannot be told beforehand ({missing}): {_SEND_TOTAL}")
    return _rounded_up((bound.tokens_in or 0) * into + (bound.tokens_out or 0) * bound.answers * out)


def _rounded_up(cost: Decimal) -> Priced:
    if not 0 <= cost <= MAX_COST:
        return Priced(reason=f"it may cost {str(cost)[:40]} dollars, which is no request's cost")
    return Priced(cost.quantize(PICO, rounding=ROUND_CEILING))


def is_read_only(method: str) -> bool:
    """Whether a request reads what others were billed for, and costs nothing itself."""
    return method in _READING


def _was_never_sent(record: LogRecord) -> bool:
    return record.outcome in _TURNED_AWAY and all(
        attempt.status_code is None and not attempt.may_be_billed for attempt in record.attempts
    )


def _billed_by(record: LogRecord) -> str:
    """The provider whose figures the record has: its own, or the last of a dynamic route that all have failed."""
    if record.route is None or record.provider != _UNKNOWN or not record.attempts:
        return record.provider
    return record.attempts[-1].provider


def _without_prices(provider: str) -> Priced:
    if provider.startswith(_CUSTOM_PREFIX):
        return Priced(reason="custom provider without a price: give it a cost rule, or send cf-aig-custom-cost")
    return Priced(reason=f"no prices are known for the provider {provider!r}: send cf-aig-custom-cost")


def _is_empty(usage: Usage) -> bool:
    return usage.tokens_in is None and usage.tokens_out is None and not usage.other_units


def _doubt_of(record: LogRecord) -> str | None:
    """Why the tokens cannot be all that was used; None: they may be.

    No answer uses nothing at all, though some providers write 0 for what they do not know; an error may.
    """
    usage = record.usage
    if usage.reasoning_tokens and usage.tokens_out is not None and usage.reasoning_tokens > usage.tokens_out:
        return "the provider reported more reasoning tokens than output tokens"
    if record.outcome is Outcome.UPSTREAM_ERROR or record.model_type == REALTIME:
        return None
    return NO_TOKENS if usage.tokens_in == 0 and not usage.tokens_out and not usage.other_units else None


def _why_no_usage(record: LogRecord) -> str:
    if record.outcome in _NO_USAGE:
        return _NO_USAGE[record.outcome]
    if record.outcome is Outcome.SUCCESS:
        if (record.response_content_type or "").startswith("text/event-stream"):
            return (
                "the provider reported no usage in its stream"
                " (for OpenAI's chat completions ask for it: stream_options.include_usage)"
            )
        return "the provider reported no usage"
    last = record.attempts[-1] if record.attempts else None
    if last is not None and last.status_code is None and not any(one.may_be_billed for one in record.attempts):
        return "the provider was not reached"
    status = None if last is None else last.status_code
    if status is None:
        return "the provider gave no answer, so whether it charges is not known"
    return f"the provider answered {status} and reported no usage"


def _by_custom_cost(rates: CustomCost, record: LogRecord) -> Priced:
    if rates.total_cost is not None:
        return _rounded(rates.total_cost, custom=True)
    usage = record.usage
    if usage.doubt is not None:
        return Priced(reason=usage.doubt, custom=True)
    doubt = _doubt_of(record)
    if doubt is not None:
        return Priced(reason=doubt, custom=True)
    tokens_out = 0 if usage.tokens_out is None and record.model_type == "embeddings" else usage.tokens_out
    missing = [
        f"{rate} cannot be applied: the provider reported no {name} tokens"
        for rate, given, name, tokens in (
            ("per_token_in", rates.per_token_in, "input", usage.tokens_in),
            ("per_token_out", rates.per_token_out, "output", tokens_out),
        )
        if given is not None and tokens is None
    ] or [
        f"cf-aig-custom-cost names no {rate} for {tokens} {name} tokens"
        for rate, given, name, tokens in (
            ("per_token_in", rates.per_token_in, "input", usage.tokens_in),
            ("per_token_out", rates.per_token_out, "output", tokens_out),
        )
        if given is None and tokens
    ]
    if missing:
        return Priced(reason=missing[0], custom=True)
    cached, written = usage.cached_tokens_in or 0, usage.cache_write_tokens or 0
    fresh = (usage.tokens_in or 0) - cached - written
    if fresh < 0:
        return Priced(reason="the provider reported more cached tokens than input tokens", custom=True)
    into = rates.per_token_in or _ZERO
    read = into if rates.per_cache_read_token is None else rates.per_cache_read_token
    write = into if rates.per_cache_write_token is None else rates.per_cache_write_token
    try:
        cost = fresh * into + cached * read + written * write + (tokens_out or 0) * (rates.per_token_out or _ZERO)
    except ArithmeticError:
        return Priced(reason="cf-aig-custom-cost's rates are too large or too small to be used", custom=True)
    return _rounded(cost, custom=True)


def _rounded(cost: Decimal, *, custom: bool = False, by: str | None = None) -> Priced:
    """The cost to the 10^-12 dollars that are kept, half to even; but what is not 0 does not become 0."""
    if cost.is_nan() or not 0 <= cost <= MAX_COST:
        return Priced(reason=f"{str(cost)[:40]} dollars is no possible cost", custom=custom)
    by = CUSTOM_COST if custom else by
    return Priced(cost.quantize(PICO) or (PICO if cost else _ZERO), custom=custom, by=by)
