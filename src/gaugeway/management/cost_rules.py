"""Cost rules: prices of an account's own (contract 1.11; `provider`, `gateway_id` and dates are extensions)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from fastapi import Query as InQuery
from msgspec.structs import replace
from pydantic import BeforeValidator, Field, model_validator
from starlette.responses import Response

from gaugeway.core.errors import BadInput, NotFound
from gaugeway.core.money import plain
from gaugeway.core.price_rules import ModelRule, PriceRule, TokenPricing
from gaugeway.core.timestamps import from_rfc3339, to_rfc3339
from gaugeway.management import envelope
from gaugeway.management.paging import Paged
from gaugeway.management.parts import Call, Caller
from gaugeway.management.refusals import NO_QUERY
from gaugeway.management.validation import Body

router = APIRouter(prefix="/custom-providers/costs", tags=["Cost rules"])

MAX_RATE = 1_000_000  # dollars for one unit
MAX_DECIMALS = 40
_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")


def _rate(value: Any) -> Decimal:
    """Dollars, as a number or a text of one: a number is the shortest decimal that reads as it."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    text = repr(value) if is_number else value
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise ValueError("Expected dollars: a number that is not negative, or a text of one such as '0.0000025'")
    amount = Decimal(text)
    exponent = amount.as_tuple().exponent
    if amount > MAX_RATE or not isinstance(exponent, int) or -exponent > MAX_DECIMALS:
        raise ValueError(f"Expected at most {MAX_RATE} dollars, with at most {MAX_DECIMALS} decimals")
    return amount


def _moment(value: Any) -> int:
    at = from_rfc3339(value) if isinstance(value, str) else None
    if at is None:
        raise ValueError("Expected a time such as 2026-11-26T12:00:00Z, or a date")
    return at


Rate = Annotated[Decimal, BeforeValidator(_rate, json_schema_input_type=float | str)]
Moment = Annotated[int, BeforeValidator(_moment, json_schema_input_type=str)]
Model = Annotated[str, Field(min_length=1, max_length=256)]


class Prices(Body):
    """Dollars for one of each."""

    input_tokens: Rate | None = None
    output_tokens: Rate | None = None
    input_cached_tokens: Rate | None = None
    input_cache_creation_tokens: Rate | None = None
    input_text_tokens: Rate | None = None
    input_image_tokens: Rate | None = None
    input_audio_tokens: Rate | None = None
    input_video_tokens: Rate | None = None
    input_image_count: Rate | None = None
    output_image_count: Rate | None = None
    output_reasoning_tokens: Rate | None = None
    total_tokens: Rate | None = None


class _Fields(Body):
    """What POST and PATCH have in common."""

    account_provider_id: str | None = None
    provider: str | None = None
    model_rule: ModelRule = "equals"
    cost_type: Literal["tokens"] = "tokens"
    cost_in: Rate | None = None
    cost_out: Rate | None = None
    token_pricing: Prices | None = None
    enable: bool = True
    weight: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    changed_by: Annotated[str, Field(max_length=256)] = "manual"
    gateway_id: str | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None

    @model_validator(mode="after")
    def _each_price_once(self) -> _Fields:
        prices = self.token_pricing or Prices()
        twice = (self.cost_in is not None and prices.input_tokens is not None) or (
            self.cost_out is not None and prices.output_tokens is not None
        )
        if twice:
            raise ValueError(
                "cost_in and cost_out are token_pricing's input_tokens and output_tokens: send one of them"
            )
        return self


class NewCostRule(_Fields):
    """The body of POST."""

    model: Model


class CostRuleChange(_Fields):
    """The body of PATCH: what is left out stays; null clears what can be empty."""

    model: Model = ""


class CostRuleList(Paged):
    """The query of a list of cost rules."""


def show(rule: PriceRule) -> dict[str, Any]:
    """A rule as the API shows it; `token_pricing` is JSON in a text, as at Cloudflare."""
    rates = msgspec.structs.asdict(rule.pricing)
    given = ", ".join(f'"{name}": {plain(rate)}' for name, rate in rates.items() if rate is not None)
    return {
        "id": rule.id,
        "account_provider_id": rule.custom_provider_id,
        "provider": rule.provider,
        "gateway_id": rule.gateway_id,
        "model": rule.model,
        "model_rule": rule.model_rule,
        "cost_type": "tokens",
        "cost_in": _float(rule.pricing.input_tokens),
        "cost_out": _float(rule.pricing.output_tokens),
        "token_pricing": "{" + given + "}",
        "enable": rule.enable,
        "weight": rule.weight,
        "changed_by": rule.changed_by,
        "valid_from": None if rule.valid_from is None else to_rfc3339(rule.valid_from),
        "valid_until": None if rule.valid_until is None else to_rfc3339(rule.valid_until),
        "created_at": to_rfc3339(rule.created_at),
        "modified_at": to_rfc3339(rule.modified_at),
    }


@router.get("", summary="List cost rules")
def list_rules(call: Caller, query: Annotated[CostRuleList, InQuery()]) -> Response:
    """Newest first."""
    part = call.parts.price_rules.list(call.account_id, offset=query.offset, limit=query.per_page)
    return envelope.page([show(rule) for rule in part.items], query.info(len(part.items), part.total))


@router.post("", summary="Create a cost rule", dependencies=[NO_QUERY])
def create_rule(call: Caller, body: NewCostRule) -> Response:
    """Prices of a custom provider's model, or in place of a built-in provider's public ones."""
    now = call.parts.clock.now_ms()
    blank = PriceRule(
        account_id=call.account_id,
        id=call.parts.new_id(),
        model=body.model,
        pricing=TokenPricing(),
        created_at=now,
        modified_at=now,
    )
    rule = _checked(call, _changed(blank, body))
    try:
        call.parts.price_rules.create(rule)
    except NotFound as problem:
        raise _no_parent(rule) from problem
    return envelope.result(show(rule))


@router.get("/{rule_id}", summary="Get a cost rule", dependencies=[NO_QUERY])
def get_rule(call: Caller, rule_id: str) -> Response:
    """One cost rule."""
    return envelope.result(show(_find(call, rule_id)))


@router.patch("/{rule_id}", summary="Change a cost rule", dependencies=[NO_QUERY])
def change_rule(call: Caller, rule_id: str, body: CostRuleChange) -> Response:
    """Changes the fields that are sent; costs of logs that are there stay."""
    changed = _changed(_find(call, rule_id), body)
    rule = _checked(call, replace(changed, modified_at=call.parts.clock.now_ms()))
    try:
        call.parts.price_rules.replace(rule)
    except NotFound as problem:
        if call.parts.price_rules.get(call.account_id, rule_id) is None:
            raise
        raise _no_parent(rule) from problem
    return envelope.result(show(rule))


@router.delete("/{rule_id}", summary="Delete a cost rule", dependencies=[NO_QUERY])
def delete_rule(call: Caller, rule_id: str) -> Response:
    """Deletes it; costs of logs that are there stay."""
    return envelope.result(show(call.parts.price_rules.delete(call.account_id, rule_id)))


def _changed(rule: PriceRule, body: _Fields) -> PriceRule:
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    sent.pop("cost_type", None)
    pricing = rule.pricing
    if "token_pricing" in sent:
        pricing = TokenPricing(**(body.token_pricing or Prices()).model_dump())
    for name, bucket in (("cost_in", "input_tokens"), ("cost_out", "output_tokens")):
        if name in sent:
            pricing = replace(pricing, **{bucket: sent[name]})
    for name in ("token_pricing", "cost_in", "cost_out"):
        sent.pop(name, None)
    if "account_provider_id" in sent:
        sent["custom_provider_id"] = sent.pop("account_provider_id")
    return replace(rule, pricing=pricing, **sent)


def _checked(call: Call, rule: PriceRule) -> PriceRule:
    """The rule, if it prices something for somebody at some time; raises BadInput."""
    if (rule.custom_provider_id is None) == (rule.provider is None):
        raise BadInput(
            "Expected the id of a custom provider, or in its place `provider`: a built-in provider's slug",
            ("body", "account_provider_id"),
        )
    if rule.provider is not None and rule.provider not in call.parts.provider_slugs:
        slugs = ", ".join(sorted(call.parts.provider_slugs))
        raise BadInput(f"There is no built-in provider of that slug; there are: {slugs}", ("body", "provider"))
    if rule.valid_from is not None and rule.valid_until is not None and rule.valid_from >= rule.valid_until:
        raise BadInput("Expected a time after valid_from", ("body", "valid_until"))
    prices = rule.pricing
    has_input = prices.input_tokens is not None or prices.input_text_tokens is not None
    has_parts = any(
        rate is not None for name, rate in msgspec.structs.asdict(prices).items() if name.endswith("tokens")
    )
    if prices.total_tokens is not None:
        others = replace(prices, total_tokens=None, input_image_count=None, output_image_count=None)
        if others != TokenPricing():
            raise BadInput("total_tokens prices every token: leave the prices of single kinds out", _PRICING)
    elif has_parts and not (has_input and prices.output_tokens is not None):
        raise BadInput("Expected prices for both input_tokens and output_tokens; 0 is a price", _PRICING)
    elif not has_parts and prices.input_image_count is None and prices.output_image_count is None:
        raise BadInput("Expected a price: input_tokens and output_tokens, total_tokens, or images", _PRICING)
    return rule


_PRICING = ("body", "token_pricing")


def _no_parent(rule: PriceRule) -> BadInput:
    if rule.gateway_id is not None:
        return BadInput(
            "There is no such gateway, or no such custom provider, in this account", ("body", "gateway_id")
        )
    return BadInput("There is no such custom provider in this account", ("body", "account_provider_id"))


def _find(call: Call, rule_id: str) -> PriceRule:
    rule = call.parts.price_rules.get(call.account_id, rule_id)
    if rule is None:
        raise NotFound(f"there is no cost rule {rule_id!r}")
    return rule


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
