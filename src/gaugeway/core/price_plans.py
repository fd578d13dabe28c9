"""What a model's prices make of what was used: rates per bucket of tokens, or why there is no cost.

A bucket without a price of its own (cached tokens, say) is charged like the one it is part of. Where that is known
not to hold the cost is unknown: audio tokens (except Google's, whose price pages list each kind that differs) and
cache writes for an hour. A kind that is part of no priced one is unknown too.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from gaugeway.core.model import Usage
from gaugeway.core.price_data import units, units_by_price, version

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_MILLION = 1_000_000
_ZERO = Decimal(0)
_PRICED_APART = frozenset({("cohere", "input_image_tokens")})
"""What a provider charges more for than for the kind it is part of, and no price is listed: cohere.com/pricing."""
_ONE_RATE_FOR_ALL_KINDS = frozenset({"google"})

Outcome = tuple[Decimal | None, str | None]


class Rates(Struct, frozen=True, kw_only=True):
    """Dollars a token; None: no price of its own."""

    above: int  # the rates hold from this many input tokens on, exclusive; -1: from none
    into: Decimal | None
    out: Decimal | None
    cached: Decimal | None
    written: Decimal | None
    written_1h: Decimal | None
    per_request: Decimal


class Plan(Struct, frozen=True, kw_only=True):
    """A model's prices during a part of a day."""

    tiers: tuple[Rates, ...]  # by rising `above`
    keys: frozenset[str]  # genai-prices' names of the units that have a price


def compile_plan(price: ModelPrice) -> Plan:
    """Prices of genai-prices as rates."""
    from genai_prices.types import TieredPrices

    priced = {name: value for name, value in vars(price).items() if value is not None}
    steps = {tier.start for value in priced.values() if isinstance(value, TieredPrices) for tier in value.tiers}
    by_price = units_by_price()
    keys = frozenset(by_price[name] for name in priced if name in by_price)
    return Plan(tiers=tuple(_rates(priced, above) for above in (-1, *sorted(steps))), keys=keys)


def _rates(priced: Mapping[str, Any], above: int) -> Rates:
    def rate(name: str, per: int = _MILLION) -> Decimal | None:
        value = priced.get(name)
        if value is None:
            return None
        if not isinstance(value, Decimal):  # tiered: the last step that is reached
            reached = [tier.price for tier in value.tiers if tier.start <= above]
            value = reached[-1] if reached else value.base
        return value / per

    return Rates(
        above=above,
        into=rate("input_mtok"),
        out=rate("output_mtok"),
        cached=rate("cache_read_mtok"),
        written=rate("cache_write_mtok"),
        written_1h=rate("cache_write_1h_mtok"),
        per_request=rate("requests_kcount", 1000) or _ZERO,
    )


def gap(plan: Plan, price_id: str, model: str, usage: Usage, has_output: bool) -> str | None:
    """Why the usage cannot be priced in full; None where it can."""
    keys = plan.keys
    unpriced = None
    by_tokens = not _is_priced_otherwise(keys, usage)
    if usage.tokens_in is None:
        if "input_tokens" in keys:
            return "the provider reported no input tokens"
    elif usage.tokens_in and "input_tokens" not in keys and by_tokens:
        unpriced = "input tokens"
    if usage.tokens_out is None:
        if has_output and "output_tokens" in keys:
            return "the provider reported no output tokens"
    elif usage.tokens_out and "output_tokens" not in keys and by_tokens:
        unpriced = "output tokens"
    if usage.cache_write_1h_tokens and "cache_write_1h_tokens" not in keys:
        unpriced = "cache writes for an hour"
    if usage.audio_tokens_in or usage.audio_tokens_out or usage.other_units:
        unpriced = unpriced or _unpriced_kind(keys, price_id, usage)
    if unpriced is None:
        return None
    return f"{price_id}'s model {model!r} has no known price for {unpriced} ({version()})"


def _is_priced_otherwise(keys: frozenset[str], usage: Usage) -> bool:
    """Whether a model has prices for seconds or pages and none for tokens, and these were reported."""
    if usage.other_units is None or "input_tokens" in keys or "output_tokens" in keys:
        return False
    return any(name in keys for name in usage.other_units)


def _unpriced_kind(keys: frozenset[str], price_id: str, usage: Usage) -> str | None:
    if price_id not in _ONE_RATE_FOR_ALL_KINDS:
        if usage.audio_tokens_in and "input_audio_tokens" not in keys:
            return "audio input tokens"
        if usage.audio_tokens_out and "output_audio_tokens" not in keys:
            return "audio output tokens"
    for name, number in (usage.other_units or {}).items():
        if not number or name in keys:
            continue
        if (price_id, name) in _PRICED_APART or not _is_part_of_priced(name, keys):
            return name.replace("_", " ")
    return None


def _is_part_of_priced(name: str, keys: frozenset[str]) -> bool:
    unit = units().get(name)
    return unit is not None and any(
        unit["dimensions"].items() >= units()[key]["dimensions"].items() for key in keys if key in units()
    )


def is_plain(plan: Plan, usage: Usage) -> bool:
    """Whether nothing was used that has a price beside those that Rates knows."""
    keys = plan.keys
    return not (
        (usage.reasoning_tokens and "output_reasoning_tokens" in keys)
        or (usage.audio_tokens_in and "input_audio_tokens" in keys)
        or (usage.audio_tokens_out and "output_audio_tokens" in keys)
        or (usage.other_units and any(name in keys for name in usage.other_units))
    )


def by_rates(plan: Plan, usage: Usage) -> Outcome:
    """Dollars for what was used; None and why where the figures do not fit together."""
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
