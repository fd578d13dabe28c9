"""What a cached answer saved: its own cost when it was new, by the same rules."""

from __future__ import annotations

from decimal import Decimal

from gaugeway.core.model import CustomCost, LogRecord, Outcome, Usage
from gaugeway.core.pricing import PriceBook

BOOK = PriceBook({"openai": "openai", "mine": None})
NOTHING, SOME = Usage(tokens_in=0, tokens_out=0), Usage(tokens_in=20, cached_tokens_in=4, tokens_out=10)


def a_hit(**fields: object) -> LogRecord:
    plain: dict[str, object] = {
        "account_id": "a" * 32,
        "gateway_id": "g",
        "id": bytes.fromhex("019a90000000700080000000000000ff"),
        "provider": "openai",
        "outcome": Outcome.CACHED,
        "duration": 1,
        "model": "gpt-4o-mini",
        "model_type": "chat",
        "usage": NOTHING,
        "usage_saved": SOME,
    }
    return LogRecord(**plain | fields)  # pyright: ignore[reportArgumentType]


def test_a_hit_costs_nothing_and_saves_what_it_cost_when_it_was_new() -> None:
    asked = a_hit(outcome=Outcome.SUCCESS, usage=SOME, usage_saved=None)
    assert BOOK.price(a_hit()).cost == 0
    assert BOOK.saved(a_hit()) == BOOK.price(asked).cost == Decimal("0.0000087")


def test_a_get_reads_what_others_were_billed_for_so_what_it_saves_is_not_known() -> None:
    assert BOOK.saved(a_hit(method="GET")) is None


def test_custom_rates_apply_to_what_was_saved() -> None:
    rates = CustomCost(per_token_in=Decimal("0.001"), per_token_out=Decimal("0.01"))
    assert BOOK.price(a_hit(custom_cost=rates)).cost == 0
    assert BOOK.saved(a_hit(custom_cost=rates)) == Decimal("0.12")


def test_what_is_not_known_is_not_zero() -> None:
    assert BOOK.saved(a_hit(model="no-such-model-at-all")) is None
    assert BOOK.saved(a_hit(provider="mine")) is None
    assert BOOK.saved(a_hit(usage_saved=None)) is None
    assert BOOK.saved(a_hit(usage_saved=Usage())) is None
