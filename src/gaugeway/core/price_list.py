"""Public prices, from the data that the package genai-prices brings along: no network is used.

genai-prices' own calculation takes some 200 microseconds. Here a model's prices on one day are compiled once
into rates per bucket of tokens; they give the same amounts (a test compares them over every model of the data).
Requests that used more than plain tokens (audio, images, searches ...) take genai-prices' way.

How the data is to be read: a bucket without a price of its own (cached tokens, say) is charged like the one it is
part of. Where that is known not to hold the cost is unknown: audio tokens (except Google's, whose price pages list
each kind that differs) and cache writes for an hour. A kind that is part of no priced one is unknown too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gaugeway.core.model import Usage

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

MAX_REMEMBERED = 4096
"""Pairs of model and day whose rates are kept; beyond it they are forgotten and compiled again."""

_MILLION = 1_000_000
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = Decimal(0)
_STANDARD = frozenset({"default", "standard", "on_demand", "auto", "unspecified"})
"""Service tiers that mean the list price."""
_ALSO_STANDARD = frozenset({("groq", "flex")})
"""Tiers at the list price with one provider: console.groq.com/docs/flex-processing."""
_ONE_RATE_FOR_ALL_KINDS = frozenset({"google"})

Outcome = tuple[Decimal | None, str | None]


class _Rates(Struct, frozen=True, kw_only=True):
    """Dollars a token; None: no price of its own."""

    above: int  # the rates hold from this many input tokens on, exclusive; -1: from none
    into: Decimal | None
    out: Decimal | None
    cached: Decimal | None
    written: Decimal | None
    written_1h: Decimal | None
    per_request: Decimal


class _Plan(Struct, frozen=True, kw_only=True):
    """A model's prices during a part of a day."""

    tiers: tuple[_Rates, ...]  # by rising `above`
    keys: frozenset[str]  # genai-prices' names of the units that have a price


class _Listed(Struct, frozen=True, kw_only=True):
    """A model's prices on a day: `plans[i]` holds from `starts[i]` ms after midnight UTC."""

    model: Any
    provider: Any
    starts: list[int]
    plans: list[_Plan]
    context: dict[str, str]


class PriceList:
    """Prices by provider, model and day. Bounded; not for several threads at once."""

    def __init__(self, remember: int = MAX_REMEMBERED) -> None:
        self._limit = remember
        self._remembered: dict[tuple[str, str, int, tuple[tuple[str, str], ...]], _Listed | str] = {}

    def cost(self, price_id: str, model: str, at_ms: int, usage: Usage, *, has_output: bool = True) -> Outcome:
        """Dollars for the usage of a model at a time (Unix ms), or None and the reason.

        `has_output` false: the request produces no output tokens, so that none reported means none.
        """
        day, ms = divmod(at_ms, _DAY_MS)
        context = usage.price_context
        key = (price_id, model, day, tuple(context.items()) if context else ())
        listed = self._remembered.get(key)
        if listed is None:
            if len(self._remembered) >= self._limit:
                self._remembered.clear()
            listed = self._remembered[key] = _find(price_id, model, day, context or {})
        if isinstance(listed, str):
            return None, listed
        plan = listed.plans[bisect_right(listed.starts, ms) - 1] if len(listed.plans) > 1 else listed.plans[0]
        reason = _gap(plan, price_id, model, usage, has_output)
        if reason is not None:
            return None, reason
        if _is_plain(plan, usage):
            return _by_rates(plan, usage)
        return _by_package(listed, at_ms, usage)


def version() -> str:
    """Which edition of the price data is used, e.g. `genai-prices 0.2.3`."""
    return "genai-prices " + metadata.version("genai-prices")


def models(price_id: str | None) -> list[str]:
    """A provider's models that have a price, in the data's order; takes some 100 ms the first time."""
    from genai_prices.data_snapshot import get_snapshot

    return [
        model.id for provider in get_snapshot().providers if provider.id == price_id for model in provider.models
    ]


# --- find and compile


def _find(price_id: str, ref: str, day: int, context: Mapping[str, str]) -> _Listed | str:
    from genai_prices.data_snapshot import get_snapshot

    providers = get_snapshot().providers
    provider = next((provider for provider in providers if provider.id == price_id), None)
    if provider is None:
        return f"the price data ({version()}) has no provider {price_id!r}"
    if not ref:
        return f"neither the request nor {price_id}'s answer names a model"
    model = provider.find_model(ref, all_providers=providers)
    if model is None:
        return f"no price is known for {price_id}'s model {ref!r} ({version()})"
    try:
        midnight = _EPOCH + timedelta(days=day)
    except OverflowError:
        return "no price is known for a time after the year 9999"
    settled = _settle(context, price_id, provider, model, midnight)
    if isinstance(settled, str):
        return f"no price is known for {price_id}'s model {ref!r} with {settled} ({version()})"
    starts = _starts(model)
    plans = [_compile(model.get_prices(midnight + timedelta(milliseconds=ms), settled)) for ms in starts]
    return _Listed(model=model, provider=provider, starts=starts, plans=plans, context=settled)


def _settle(
    context: Mapping[str, str], price_id: str, provider: Provider, model: ModelInfo, at: datetime
) -> dict[str, str] | str:
    """The part of the context that changes the model's price; a text names what no price is known for."""
    own = any(model is one for one in provider.models)
    settled: dict[str, str] = {}
    for name, value in context.items():
        has_variant = own and any(
            variant.when == {name: value} and (variant.constraint is None or variant.constraint.active(at))
            for variant in model.price_variants or ()
        )
        if has_variant:
            settled[name] = value
        elif value not in _STANDARD and (price_id, value) not in _ALSO_STANDARD:
            return f"{name} {value!r}"
    return settled


def _starts(model: ModelInfo) -> list[int]:
    """The ms after midnight UTC at which a price of the model may begin or end."""
    starts = {0}
    conditions = [] if not isinstance(model.prices, list) else [price.constraint for price in model.prices]
    conditions += [variant.constraint for variant in model.price_variants or ()]
    for condition in conditions:
        for name in ("start_time", "end_time"):
            moment = getattr(condition, name, None)
            if isinstance(moment, time):
                starts.add(_ms_after_midnight(moment))
    return sorted(starts)


def _ms_after_midnight(moment: time) -> int:
    offset = moment.utcoffset() or timedelta()
    since = timedelta(
        hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond
    )
    return -(-((since - offset) % timedelta(days=1)) // timedelta(milliseconds=1)) % _DAY_MS


def _compile(price: ModelPrice) -> _Plan:
    from genai_prices.types import TieredPrices

    priced = {name: value for name, value in vars(price).items() if value is not None}
    steps = {tier.start for value in priced.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    by_price = _units_by_price()
    keys = frozenset(by_price[name] for name in priced if name in by_price)
    return _Plan(tiers=tuple(_rates(priced, above) for above in (-1, *sorted(steps))), keys=keys)


def _rates(priced: Mapping[str, Any], above: int) -> _Rates:
    def rate(name: str, per: int = _MILLION) -> Decimal | None:
        value = priced.get(name)
        if value is None:
            return None
        if not isinstance(value, Decimal):  # tiered: the last step that is reached
            reached = [tier.price for tier in value.tiers if tier.start <= above]
            value = reached[-1] if reached else value.base
        return value / per

    return _Rates(
        above=above,
        into=rate("input_mtok"),
        out=rate("output_mtok"),
        cached=rate("cache_read_mtok"),
        written=rate("cache_write_mtok"),
        written_1h=rate("cache_write_1h_mtok"),
        per_request=rate("requests_kcount", 1000) or _ZERO,
    )


@cache
def _units() -> dict[str, dict[str, Any]]:
    from genai_prices.data_units import unit_data

    return unit_data


@cache
def _units_by_price() -> dict[str, str]:
    return {unit["price_key"]: name for name, unit in _units().items()}


# --- compute


def _gap(plan: _Plan, price_id: str, model: str, usage: Usage, has_output: bool) -> str | None:
    """Why the usage cannot be priced in full; None where it can."""
    keys = plan.keys
    unpriced = None
    if usage.tokens_in is None:
        if "input_tokens" in keys:
            return "the provider reported no input tokens"
    elif usage.tokens_in and "input_tokens" not in keys:
        unpriced = "input tokens"
    if usage.tokens_out is None:
        if has_output and "output_tokens" in keys:
            return "the provider reported no output tokens"
    elif usage.tokens_out and "output_tokens" not in keys:
        unpriced = "output tokens"
    if usage.cache_write_1h_tokens and "cache_write_1h_tokens" not in keys:
        unpriced = "cache writes for an hour"
    if usage.audio_tokens_in or usage.audio_tokens_out or usage.other_units:
        unpriced = unpriced or _unpriced_kind(keys, price_id, usage)
    if unpriced is None:
        return None
    return f"{price_id}'s model {model!r} has no known price for {unpriced} ({version()})"


def _unpriced_kind(keys: frozenset[str], price_id: str, usage: Usage) -> str | None:
    if price_id not in _ONE_RATE_FOR_ALL_KINDS:
        if usage.audio_tokens_in and "input_audio_tokens" not in keys:
            return "audio input tokens"
        if usage.audio_tokens_out and "output_audio_tokens" not in keys:
            return "audio output tokens"
    for name, number in (usage.other_units or {}).items():
        if number and name not in keys and not _is_part_of_priced(name, keys):
            return name.replace("_", " ")
    return None


def _is_part_of_priced(name: str, keys: frozenset[str]) -> bool:
    unit = _units().get(name)
    return unit is not None and any(
        unit["dimensions"].items() >= _units()[key]["dimensions"].items() for key in keys if key in _units()
    )


def _is_plain(plan: _Plan, usage: Usage) -> bool:
    """Whether nothing was used that has a price beside those that _Rates knows."""
    keys = plan.keys
    return not (
        (usage.reasoning_tokens and "output_reasoning_tokens" in keys)
        or (usage.audio_tokens_in and "input_audio_tokens" in keys)
        or (usage.audio_tokens_out and "output_audio_tokens" in keys)
        or (usage.other_units and any(name in keys for name in usage.other_units))
    )


def _by_rates(plan: _Plan, usage: Usage) -> Outcome:
    fresh = usage.tokens_in or 0
    rates = plan.tiers[0]
    for tier in plan.tiers[1:]:
        if fresh > tier.above:
            rates = tier
    cost = rates.per_request
    if rates.cached is not None and (cached := usage.cached_tokens_in):
        fresh -= cached
        cost += cached * rates.cached
    if rates.written is not None:
        written = usage.cache_write_tokens or 0
        fresh -= written
        if rates.written_1h is not None and (hour := usage.cache_write_1h_tokens):
            written -= hour
            cost += hour * rates.written_1h
        if written < 0:
            return None, "the provider reported more tokens written to its cache for an hour than at all"
        if written:
            cost += written * rates.written
    if fresh < 0:
        return None, "the provider reported more cached tokens than input tokens"
    if rates.into is not None:
        cost += fresh * rates.into
    if rates.out is not None and usage.tokens_out:
        cost += usage.tokens_out * rates.out
    return cost, None


def _by_package(listed: _Listed, at_ms: int, usage: Usage) -> Outcome:
    from genai_prices import Usage as Counts

    known = _units()
    counts = {
        "input_tokens": usage.tokens_in,
        "output_tokens": usage.tokens_out,
        "cache_read_tokens": usage.cached_tokens_in,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_write_1h_tokens": usage.cache_write_1h_tokens,
        "output_reasoning_tokens": usage.reasoning_tokens,
        "input_audio_tokens": usage.audio_tokens_in,
        "output_audio_tokens": usage.audio_tokens_out,
    }
    counts |= {name: number for name, number in (usage.other_units or {}).items() if name in known}
    try:
        calculated = listed.model.calc_price(
            Counts(**counts),
            listed.provider,
            genai_request_timestamp=_EPOCH + timedelta(milliseconds=at_ms),
            price_context=listed.context,
        )
    except (ValueError, ArithmeticError) as problem:
        return None, f"the provider's figures do not fit together: {problem}"
    return calculated.total_price, None
