"""Prices of an account's own: which one holds, and what it comes to, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.ids import first_at
from gaugeway.core.model import CustomCost, LogRecord, Outcome, Scope, Usage
from gaugeway.core.price_rules import PriceRule, TokenPricing, rule_for
from gaugeway.core.pricing import PriceBook
from gaugeway.core.provider import Asked
from gaugeway.core.worst_case import Bound

D = Decimal
SCOPE = Scope("a" * 32, "g")
AT = 1_795_000_000_000
FULL = TokenPricing(
    input_tokens=D("0.00001"),
    output_tokens=D("0.0001"),
    input_cached_tokens=D("0.000001"),
    input_cache_creation_tokens=D("0.00002"),
    input_image_tokens=D("0.00003"),
    input_audio_tokens=D("0.00004"),
    output_reasoning_tokens=D("0.001"),
)
SIMPLE = TokenPricing(input_tokens=D("0.00001"), output_tokens=D("0.0001"))


def a_rule(**fields: Any) -> PriceRule:
    plain: dict[str, Any] = {
        "account_id": SCOPE.account_id,
        "id": "01",
        "model": "mine",
        "pricing": SIMPLE,
        "created_at": 1,
        "modified_at": 1,
        "provider": "openai",
    }
    return PriceRule(**plain | fields)


@pytest.mark.parametrize(
    ("pricing", "usage", "expected"),
    [
        (SIMPLE, Usage(tokens_in=100, tokens_out=10), "0.002"),
        (SIMPLE, Usage(tokens_in=100, tokens_out=10, cached_tokens_in=40, reasoning_tokens=5), "0.002"),
        (FULL, Usage(tokens_in=100, tokens_out=10), "0.002"),
        # 60 x 10 + 40 x 1 millionths, and 10 x 100
        (FULL, Usage(tokens_in=100, tokens_out=10, cached_tokens_in=40), "0.00164"),
        # 30 x 10 + 40 x 1 + 30 x 20
        (FULL, Usage(tokens_in=100, tokens_out=0, cached_tokens_in=40, cache_write_tokens=30), "0.00094"),
        # 6 x 100 + 4 x 1000
        (FULL, Usage(tokens_in=0, tokens_out=10, reasoning_tokens=4), "0.0046"),
        # 50 x 10 + 30 x 40 + 20 x 30
        (
            FULL,
            Usage(tokens_in=100, tokens_out=0, audio_tokens_in=30, other_units={"input_image_tokens": 20}),
            "0.0023",
        ),
        (TokenPricing(total_tokens=D("0.0001")), Usage(tokens_in=100, tokens_out=10), "0.011"),
        (TokenPricing(input_tokens=D(0), output_tokens=D(0)), Usage(tokens_in=1, tokens_out=1), "0"),
        (TokenPricing(output_image_count=D("0.04")), Usage(other_units={"output_image_count": 2}), "0.08"),
        (
            TokenPricing(input_text_tokens=D("0.001"), input_tokens=D("0.01"), output_tokens=D(0)),
            Usage(tokens_in=10, tokens_out=0, audio_tokens_in=4),
            "0.046",
        ),
    ],
)
def test_by_hand(pricing: TokenPricing, usage: Usage, expected: str) -> None:
    assert pricing.cost(usage) == (Decimal(expected), None)


@pytest.mark.parametrize("unit", ["web_searches", "audio_seconds", "connector_tokens", "code_executions", "images"])
def test_what_was_used_beside_the_tokens_is_not_free(unit: str) -> None:
    cost, reason = SIMPLE.cost(Usage(tokens_in=1, tokens_out=1, other_units={unit: 2}))
    assert (cost, reason) == (None, f"the account's own price says nothing of {unit.replace('_', ' ')}")
    assert SIMPLE.cost(Usage(tokens_in=1, tokens_out=1, other_units={unit: 0}))[0] is not None


@pytest.mark.parametrize("unit", ["cache_writes_for_12_hours", "output_citation_tokens", "cache_audio_read_tokens"])
def test_parts_of_the_tokens_cost_what_the_tokens_do(unit: str) -> None:
    assert SIMPLE.cost(Usage(tokens_in=100, tokens_out=10, other_units={unit: 5})) == (Decimal("0.002"), None)


def test_doubtful_figures_are_priced_by_no_rates() -> None:
    usage = Usage(tokens_in=1, tokens_out=1, doubt="the provider's cached_tokens is -5, which is no count")
    book = PriceBook({"openai": "openai"}, lambda _account: [("openai", a_rule())])
    rates = CustomCost(per_token_in=D(1), per_token_out=D(1))
    for more in ({"model": "mine"}, {"model": "gpt-4o"}, {"model": "mine", "custom_cost": rates}):
        record = LogRecord(
            account_id=SCOPE.account_id,
            gateway_id="g",
            id=first_at(AT),
            provider="openai",
            outcome=Outcome.SUCCESS,
            duration=1,
            usage=usage,
            **more,
        )
        priced = book.price(record)
        assert (priced.cost, priced.reason) == (None, usage.doubt)


@pytest.mark.parametrize(
    ("pricing", "usage", "words"),
    [
        (SIMPLE, Usage(tokens_in=1), "output tokens"),
        (SIMPLE, Usage(tokens_out=1), "input tokens"),
        (TokenPricing(total_tokens=D(1)), Usage(tokens_in=1), "output tokens"),
        (TokenPricing(output_image_count=D(1)), Usage(tokens_in=1, tokens_out=1), "output image count"),
        (FULL, Usage(tokens_in=1, tokens_out=1, cached_tokens_in=2), "several kinds"),
        (FULL, Usage(tokens_in=1, tokens_out=1, reasoning_tokens=2), "reasoning"),
    ],
)
def test_what_was_not_reported_is_not_free(pricing: TokenPricing, usage: Usage, words: str) -> None:
    cost, reason = pricing.cost(usage)
    assert cost is None
    assert words in (reason or "")


def test_at_most() -> None:
    assert FULL.at_most(Bound(100, 10, 2)) == (100 * D("0.00004") + 20 * D("0.001"), None)
    assert SIMPLE.at_most(Bound(100, None))[1] == "send max_tokens"
    assert "refers to more" in (SIMPLE.at_most(Bound(None, 1))[1] or "")
    assert TokenPricing(input_tokens=D(0), output_tokens=D(0)).at_most(Bound(None, None)) == (D(0), None)
    assert TokenPricing(total_tokens=D(2)).at_most(Bound(3, 4)) == (D(14), None)
    assert TokenPricing(output_image_count=D(1)).at_most(Bound(1, 1))[0] is None


@pytest.mark.parametrize(
    ("model_rule", "model", "matches"),
    [
        ("equals", "mine", True),
        ("equals", "mine-2", False),
        ("starts-with", "mine-2", True),
        ("starts-with", "not-mine", False),
        ("contains", "not-mine-2", True),
        ("contains", "other", False),
    ],
)
def test_which_models(model_rule: Any, model: str, matches: bool) -> None:
    assert a_rule(model_rule=model_rule).matches_model(model) is matches


def holds(*rules: PriceRule, model: str = "mine", gateway: str = "g", at: int = AT) -> str | None:
    found = rule_for([("openai", rule) for rule in rules], "openai", (model,), gateway, at)
    return None if found is None else found.id


def test_which_rule_holds() -> None:
    assert holds() is None
    assert holds(a_rule(enable=False)) is None
    assert rule_for([("groq", a_rule())], "openai", ("mine",), "g", AT) is None
    assert holds(a_rule(gateway_id="other")) is None
    assert holds(a_rule(id="01"), a_rule(id="02")) == "02"
    assert holds(a_rule(id="01"), a_rule(id="02", model_rule="contains")) == "01"
    assert (
        holds(a_rule(id="01", model_rule="starts-with", model="min"), a_rule(id="02", model_rule="contains"))
        == "01"
    )
    assert (
        holds(a_rule(id="01", model_rule="starts-with"), a_rule(id="02", model_rule="starts-with", model="m"))
        == "01"
    )
    assert holds(a_rule(id="01"), a_rule(id="02", model_rule="contains", weight=1)) == "02"
    assert holds(a_rule(id="01", weight=9), a_rule(id="02", gateway_id="g")) == "02"


def test_dates() -> None:
    rule = a_rule(valid_from=AT, valid_until=AT + 10)
    assert [holds(rule, at=AT + offset) for offset in (-1, 0, 9, 10)] == [None, "01", "01", None]


# --- in the price book


def priced(record_fields: dict[str, Any], *rules: tuple[str, PriceRule]) -> Any:
    book = PriceBook(
        {"openai": "openai", "openrouter": "openrouter"}, lambda account: rules if account == "a" * 32 else ()
    )
    plain: dict[str, Any] = {
        "account_id": SCOPE.account_id,
        "gateway_id": SCOPE.gateway_id,
        "id": AT.to_bytes(6) + bytes(10),
        "provider": "openai",
        "outcome": Outcome.SUCCESS,
        "duration": 1,
        "model": "gpt-4o-mini",
        "model_type": "chat",
        "usage": Usage(tokens_in=1000, tokens_out=100),
    }
    return book.price(LogRecord(**plain | record_fields))


def test_the_own_price_comes_before_the_public_one_and_says_so() -> None:
    public = priced({})
    assert (public.cost, public.by) == (D("0.00021"), "genai-prices 0.2.3")
    own = priced({}, ("openai", a_rule(model="gpt-4o-mini")))
    assert (own.cost, own.by) == (D("0.02"), "rule 01")
    assert priced({"account_id": "b" * 32}, ("openai", a_rule(model="gpt-4o-mini"))).by == public.by


def test_and_before_what_the_provider_says_but_after_what_the_client_says() -> None:
    usage = Usage(tokens_in=1000, tokens_out=100, reported_cost=D("0.5"))
    said = {"provider": "openrouter", "model": "x/y", "usage": usage}
    rule = ("openrouter", a_rule(model="x/y"))
    assert (priced(said).cost, priced(said).by) == (D("0.5"), "provider")
    assert priced(said, rule).cost == D("0.02")
    client = priced(said | {"custom_cost": CustomCost(total_cost=D(3))}, rule)
    assert (client.cost, client.by) == (D(3), "cf-aig-custom-cost")


def test_a_custom_provider_is_priced_by_its_rule() -> None:
    record = {"provider": "custom-mine", "model": "mine", "response_model": "mine-2026"}
    assert "cost rule" in priced(record).reason
    assert priced(record, ("custom-mine", a_rule())).cost == D("0.02")
    assert priced(record, ("custom-mine", a_rule(model="mine-2026"))).cost == D("0.02")
    nothing = priced(record | {"usage": Usage()}, ("custom-mine", a_rule()))
    assert (nothing.cost, nothing.reason) == (None, "the provider reported no usage")
    embeddings = record | {"usage": Usage(tokens_in=10), "model_type": "embeddings"}
    assert priced(embeddings, ("custom-mine", a_rule())).cost == D("0.0001")


def test_the_most_is_by_the_own_price_too() -> None:
    book = PriceBook({}, lambda _account: (("custom-mine", a_rule()),))
    body = b'{"model": "mine", "max_tokens": 10}'
    most = book.at_most(
        SCOPE, "custom-mine", Asked(model="mine", model_type="chat"), body, at_ms=AT, custom_cost=None
    )
    assert most.cost == (len(body) + 64) * D("0.00001") + 10 * D("0.0001")
    other = book.at_most(
        SCOPE, "custom-mine", Asked(model="x", model_type="chat"), body, at_ms=AT, custom_cost=None
    )
    assert other.cost is None
    assert structs.asdict(other)["reason"].endswith("give it a price by a cost rule, or with cf-aig-custom-cost")
