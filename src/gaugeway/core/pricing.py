"""What a request cost, or why that is not known. In exact decimals, never guessed and never quietly zero.

The first of these that applies:

1. Answered from the cache, or never sent to a provider (refused, rate or spend limited, blocked): 0.
2. `cf-aig-custom-cost`: the total it names, or its rates times the tokens the provider reported.
3. A request that reads (GET, HEAD, OPTIONS, DELETE): unknown. Reading a stored answer shows its figures again,
   and to price them again would count them twice.
4. What the provider itself says it charged (OpenRouter, Perplexity, xAI).
5. The tokens the provider reported times its public price on the request's day (`price_list`).

Everything else is unknown, and the reason says why. In particular a failed request without reported usage is
unknown and not 0: most providers do not bill a request they answer with an error, but none promises it for
each kind of error, and a 0 would pull down the average cost of an answer; what is unknown is left out of it, and
counted. A failed request with usage costs what was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from gaugeway.core.model import CustomCost, LogRecord, Outcome, Usage
from gaugeway.core.money import PICO
from gaugeway.core.price_list import PriceList, version

__all__ = ["PriceBook", "Priced", "version"]

MAX_COST = Decimal(9_000_000)
"""Dollars. More does not fit the unit costs are kept in, and is no request's cost."""

_ZERO = Decimal(0)
_TURNED_AWAY = frozenset({Outcome.REFUSED, Outcome.RATE_LIMITED, Outcome.SPEND_LIMITED, Outcome.BLOCKED})
_READING = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
_CUSTOM_PREFIX = "custom-"
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


class PriceBook:
    """Prices records. `price_ids` maps a provider's slug to its id in genai-prices; None: it has no public prices.

    Not for several threads at once. Price data is loaded with the first record that needs it (0.3 s, 25 MB).
    """

    def __init__(self, price_ids: Mapping[str, str | None]) -> None:
        self._price_ids = dict(price_ids)
        self._list = PriceList()

    def price(self, record: LogRecord) -> Priced:
        """What the record's request cost. Never raises; some 5 microseconds once a model has been seen."""
        if record.outcome is Outcome.CACHED or _was_never_sent(record):
            return Priced(_ZERO)
        usage = record.usage
        if record.custom_cost is not None:
            return _by_custom_cost(record.custom_cost, record)
        if record.method in _READING:
            return Priced(reason=f"{record.method} requests read what others were billed for")
        price_id = self._price_ids.get(record.provider)
        if price_id is None:
            return _without_prices(record)
        if usage.reported_cost is not None:
            return _rounded(usage.reported_cost)
        if _is_empty(usage):
            return Priced(reason=_why_no_usage(record))
        cost, reason = self._list.cost(
            price_id,
            record.response_model or record.model,
            record.created_at,
            usage,
            has_output=record.model_type != "embeddings",
        )
        return Priced(reason=reason) if cost is None else _rounded(cost)

    def saved(self, record: LogRecord) -> Decimal | None:
        """What a cached answer would have cost by today's prices, from the usage it had when it was new.

        None where that is not known, or the answer is not a cached one.
        """
        if record.usage_saved is None:
            return None
        asked = replace(record, outcome=Outcome.SUCCESS, usage=record.usage_saved, usage_saved=None)
        return self.price(asked).cost


def _was_never_sent(record: LogRecord) -> bool:
    return record.outcome in _TURNED_AWAY and all(attempt.status_code is None for attempt in record.attempts)


def _without_prices(record: LogRecord) -> Priced:
    if record.provider.startswith(_CUSTOM_PREFIX):
        return Priced(reason="custom provider without a price: send cf-aig-custom-cost")
    return Priced(reason=f"no prices are known for the provider {record.provider!r}: send cf-aig-custom-cost")


def _is_empty(usage: Usage) -> bool:
    return usage.tokens_in is None and usage.tokens_out is None and not usage.other_units


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
    status = next((attempt.status_code for attempt in reversed(record.attempts)), None)
    if status is None:
        return "the provider gave no answer, so whether it charges is not known"
    return f"the provider answered {status} and reported no usage"


def _by_custom_cost(rates: CustomCost, record: LogRecord) -> Priced:
    if rates.total_cost is not None:
        return _rounded(rates.total_cost, custom=True)
    usage = record.usage
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


def _rounded(cost: Decimal, *, custom: bool = False) -> Priced:
    """The cost to the 10^-12 dollars that are kept, half to even; but what is not 0 does not become 0."""
    if cost.is_nan() or not 0 <= cost <= MAX_COST:
        return Priced(reason=f"{str(cost)[:40]} dollars is no possible cost", custom=custom)
    return Priced(cost.quantize(PICO) or (PICO if cost else _ZERO), custom=custom)
