"""Public prices, from the data that the package genai-prices brings along: no network is used.

genai-prices' own calculation takes some 200 microseconds. Here a model's prices on one day are compiled once
into rates per bucket of tokens; they give the same amounts (a test compares them over every model of the data).
Requests that used more than plain tokens (audio, images, searches ...) take genai-prices' way.
What a bucket costs that has no price of its own: see price_plans.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gaugeway.core.model import Usage
from gaugeway.core.price_data import units, units_by_price, version
from gaugeway.core.price_plans import Outcome, Plan, by_rates, compile_plan, gap, is_plain
from gaugeway.core.worst_case import Bound

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

MAX_REMEMBERED = 4096
"""Pairs of model and day whose rates are kept; beyond it they are forgotten and compiled again."""

_MILLION = 1_000_000
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = Decimal(0)
_STANDARD = frozenset({"default", "standard", "on_demand", "auto", "unspecified"})
"""Service tiers that mean the list price."""
_ALSO_STANDARD = frozenset({("groq", "flex"), ("perplexity", "high")})
"""What is at the list price with one provider: console.groq.com/docs/flex-processing; the fee of a request in
Perplexity's list is that of the largest search context (docs.perplexity.ai, Pricing)."""


class _Listed(Struct, frozen=True, kw_only=True):
    """A model's prices on a day: `plans[i]` holds from `starts[i]` ms after midnight UTC."""

    model: Any
    provider: Any
    starts: list[int]
    plans: list[Plan]
    context: dict[str, str]


class _Highest(Struct, frozen=True, kw_only=True):
    """The highest prices of a model on a day, in whatever tier, of whatever kind of token."""

    into: Decimal  # dollars a token
    out: Decimal
    per_request: Decimal
    window: int | None  # tokens that the model takes in and puts out at most


class PriceList:
    """Prices by provider, model and day. Bounded; not for several threads at once."""

    def __init__(self, remember: int = MAX_REMEMBERED) -> None:
        self._limit = remember
        self._highest: dict[tuple[str, str, int], _Highest | str] = {}
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
        reason = gap(plan, price_id, model, usage, has_output)
        if reason is not None:
            return None, reason
        if is_plain(plan, usage):
            return by_rates(plan, usage)
        return _by_package(listed, at_ms, usage)

    def at_most(self, price_id: str, model: str, at_ms: int, bound: Bound) -> Outcome:
        """Dollars that a request for a model costs at most, or None and why that cannot be said beforehand.

        Every token counts at the model's highest price: as written to a cache, as audio, in the dearest service
        tier. Fees for a provider's own tools are not bounded by anything, and not in it.
        """
        day = at_ms // _DAY_MS
        highest = self._highest.get((price_id, model, day))
        if highest is None:
            if len(self._highest) >= self._limit:
                self._highest.clear()
            highest = self._highest[price_id, model, day] = _find_highest(price_id, model, day)
        if isinstance(highest, str):
            return None, highest
        into, out = bound.tokens_in, bound.tokens_out
        if into is None and (into := highest.window) is None:
            return None, f"the context window of {price_id}'s model {model!r} is not known ({version()})"
        if out is None and (out := highest.window) is None:
            return None, (
                f"the longest answer of {price_id}'s model {model!r} is not known ({version()}): send max_tokens"
            )
        return into * highest.into + out * bound.answers * highest.out + highest.per_request, None


def load() -> None:
    """Read the price data, which takes some 0.3 s and 25 MB; safe in any thread."""
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()
    units()


def models(price_id: str | None) -> list[str]:
    """A provider's models that have a price, in the data's order; takes some 100 ms the first time."""
    from genai_prices.data_snapshot import get_snapshot

    return [
        model.id for provider in get_snapshot().providers if provider.id == price_id for model in provider.models
    ]


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
    plans = [compile_plan(model.get_prices(midnight + timedelta(milliseconds=ms), settled)) for ms in starts]
    return _Listed(model=model, provider=provider, starts=starts, plans=plans, context=settled)


def _find_highest(price_id: str, ref: str, day: int) -> _Highest | str:
    listed = _find(price_id, ref, day, {})
    if isinstance(listed, str):
        return listed
    model: ModelInfo = listed.model
    midnight = _EPOCH + timedelta(days=day)
    contexts = [{}, *(dict(variant.when) for variant in model.price_variants or ())]
    into = out = per_request = None
    for ms in _starts(model):
        for context in contexts:
            price = model.get_prices(midnight + timedelta(milliseconds=ms), context)
            for name, value in vars(price).items():
                if value is None:
                    continue
                rate = max(_amounts(value))
                unit = units().get(units_by_price().get(name, ""), {})
                if name == "requests_kcount":
                    per_request = max(rate / 1000, per_request or _ZERO)
                elif unit.get("dimensions", {}).get("family") != "tokens":
                    continue
                elif unit["dimensions"]["direction"] == "input":
                    into = max(rate / _MILLION, into or _ZERO)
                else:
                    out = max(rate / _MILLION, out or _ZERO)
    if into is None and out is None and per_request is None:
        return f"{price_id}'s model {ref!r} is not priced by tokens ({version()})"
    window: int | None = model.context_window
    return _Highest(into=into or _ZERO, out=out or _ZERO, per_request=per_request or _ZERO, window=window)


def _amounts(value: Any) -> list[Decimal]:
    return [value] if isinstance(value, Decimal) else [value.base, *(tier.price for tier in value.tiers)]


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


def _by_package(listed: _Listed, at_ms: int, usage: Usage) -> Outcome:
    from genai_prices import Usage as Counts

    known = units()
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
