"""Which of a gateway's spend limits count a request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gaugeway.core.spending import SLOTS, Rule, as_texts, purse_of, rules_of
from support.spending import HOUR_START, a_budget, a_rule
from support.state import SCOPE


def only(**fields: Any) -> Rule:
    (rule,) = rules_of(SCOPE, {"enabled": True, "rules": [a_rule(**fields)]})
    return rule


def test_limits_are_exact() -> None:
    assert only(limit=0.1).budget.limit == 10**11
    assert only(limit=1e-12).budget.limit == 1
    assert only(limit=12.345678).budget.limit == 12_345_678_000_000


def test_a_cap_is_rounded_down_to_what_money_is_counted_in() -> None:
    assert purse_of(SCOPE, "a", Decimal("0.30000000000000004")).limit == 3 * 10**11
    assert purse_of(SCOPE, "a", Decimal("1e-12")).limit == 1
    assert purse_of(SCOPE, "a", Decimal(100_000)).limit == 10**17


@pytest.mark.parametrize(
    "off", [None, {}, {"enabled": False, "rules": [a_rule()]}, {"enabled": True, "rules": [a_rule(enabled=False)]}]
)
def test_none_where_they_are_off(off: dict[str, Any] | None) -> None:
    assert rules_of(SCOPE, off) == ()


@pytest.mark.parametrize(
    ("fields", "provider", "model", "counts"),
    [
        ({}, "openai", "gpt-4o", True),
        ({"provider": {"mode": "filter", "values": ["openai", "groq"]}}, "openai", "gpt-4o", True),
        ({"provider": {"mode": "filter", "values": ["groq"]}}, "openai", "gpt-4o", False),
        ({"model": {"mode": "filter", "values": ["gpt-4o"]}}, "openai", "gpt-4o", True),
        ({"model": {"mode": "filter", "values": ["openai/gpt-4o"]}}, "openai", "gpt-4o", True),
        ({"model": {"mode": "filter", "values": ["groq/gpt-4o"]}}, "openai", "gpt-4o", False),
        ({"model": {"mode": "filter", "values": ["gpt-4"]}}, "openai", "gpt-4o", False),
    ],
)
def test_models_and_providers(fields: dict[str, Any], provider: str, model: str, counts: bool) -> None:
    assert (only(**fields).bucket(provider, model, {}) is not None) is counts


@pytest.mark.parametrize(
    ("said", "counts"),
    [({"plan": "free"}, True), ({"plan": "trial", "x": 1}, True), ({"plan": "paid"}, False), ({}, False)],
)
def test_metadata_filters(said: dict[str, Any], counts: bool) -> None:
    rule = only(metadata={"plan": {"mode": "filter", "values": ["free", "trial"]}})
    assert (rule.bucket("openai", "m", as_texts(said)) is not None) is counts


def test_partitions_have_a_bucket_for_each_value_and_none_without() -> None:
    rule = only(metadata={"team": {"mode": "partition"}, "user": {"mode": "partition"}})
    bucket = rule.bucket("openai", "m", as_texts({"user": 7, "team": "blue", "more": True}))
    assert bucket is not None
    assert bucket.partition == (("team", "blue"), ("user", "7"))
    assert rule.bucket("openai", "m", as_texts({"user": 7})) is None


def test_metadata_as_texts() -> None:
    assert as_texts({"a": True, "b": 7, "c": 1.5, "d": "x"}) == {"a": "true", "b": "7", "c": "1.5", "d": "x"}
    assert as_texts(None) == {}


@pytest.mark.parametrize("window", [1, 7, 60, 3600, 86_400, 1_000_000_000])
@pytest.mark.parametrize("sliding", [False, True])
@pytest.mark.parametrize("offset", [0, 1, 333, 499_999, 3_599_999, 86_399_999])
def test_slots_hold_their_moment_and_keep_to_the_window(window: int, sliding: bool, offset: int) -> None:
    budget, at = a_budget(window=window, sliding=sliding), HOUR_START + offset
    begins, until = budget.slot(at)
    assert begins <= at < until
    assert until - begins <= window * 1000 / SLOTS + 2
    if not sliding:
        length = window * 1000
        assert at // length * length <= begins
        assert until <= (at // length + 1) * length


def test_a_rule_in_words() -> None:
    assert a_budget().described == "rule 'rule' (cost limit 1 per 3600s, fixed)"
    assert only(limit=0.5, technique="sliding", window=60).budget.described == (
        "rule 'rule' (cost limit 0.5 per 60s, sliding)"
    )
