"""Logs for tests of log stores: plain ones, and hypothesis strategies for all that a log may be."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from gaugeway.core import ids
from gaugeway.core.model import (
    Attempt,
    Bodies,
    CustomCost,
    Join,
    Logged,
    LogRecord,
    Metadata,
    Outcome,
    RouteTaken,
    Scope,
    Usage,
)
from gaugeway.core.ports import Retention
from gaugeway.core.query import KEYS, Filter, FilterGroup, Kind, Operator, Where, kind_of

ACCOUNT = "a" * 32
SCOPE = Scope(ACCOUNT, "main")
OTHER_SCOPE = Scope(ACCOUNT, "other")

new_id = ids.Uuid7(time.time_ns, os.urandom)


def keep_all(_scope: Scope) -> Retention:
    """No limit."""
    return Retention(None, None)


def a_log(scope: Scope = SCOPE, **fields: Any) -> LogRecord:
    """A plain log with another id each time."""
    plain: dict[str, Any] = {
        "account_id": scope.account_id,
        "gateway_id": scope.gateway_id,
        "id": new_id(),
        "provider": "openai",
        "model": "gpt-4o-mini",
        "outcome": Outcome.SUCCESS,
        "duration": 250,
    }
    return LogRecord(**plain | fields)


def at(ms: int, number: int = 0, **fields: Any) -> LogRecord:
    """A log of a moment; `number` tells apart those of the same moment."""
    return a_log(id=ids.first_at(ms)[:8] + number.to_bytes(8), **fields)


def logged(records: Sequence[LogRecord], bodies: Bodies | None = None) -> list[Logged]:
    return [Logged(record, bodies) for record in records]


def varied(count: int, seed: int = 1) -> list[LogRecord]:
    """Logs that differ in all that filters look at, the same for the same seed."""
    draw = Random(seed).choice
    numbers = (None, 0, 1, 2, 5, 11)
    costs = (
        None,
        *map(Decimal, ("0", "1", "2", "1e-6", "1e-13", "2.5e-12", "3e-12", "0.0000000000025", "9000000")),
    )
    values = (*WORDS, 1, -1, True, False, 0.5, 1e22)
    return [
        at(
            1_700_000_000_000 + draw(range(5)),
            number,
            provider=draw(WORDS),
            model=draw(WORDS),
            outcome=draw(list(Outcome)),
            duration=draw(range(12)),
            model_type=draw((None, *WORDS)),
            request_type=draw((None, *WORDS)),
            event_id=draw((None, *WORDS)),
            user_agent=draw((None, *WORDS)),
            authentication=draw((True, False)),
            usage=Usage(tokens_in=draw(numbers), tokens_out=draw(numbers)),
            cost=draw(costs),
            request_content_type=draw((None, *WORDS)),
            response_content_type=draw((None, *WORDS)),
            metadata={draw(WORDS): draw(values) for _ in range(draw(range(3)))} or None,
            feedback=draw((None, 1, -1)),
            score=draw((None, 0.1, 50.0)),
        )
        for number in range(count)
    ]


# Strategies. Small alphabets, so that filters find something; odd letters, so that they find them wrongly.

WORDS = (
    "",
    "openai",
    "Open",
    "ANTHROPIC",
    "straße",
    "STRASSE",
    "100%",
    "a_b",
    "aXb",
    "\x1f",
    "x\x1ey",
    "İ",
    "K",
    "k",
)
_texts = st.sampled_from(WORDS) | st.text(alphabet="aAkK%_ß\x00\x1e\x1f'\"\\日", max_size=4)
_small = st.integers(0, 6)
_costs = (
    st.sampled_from((0, 1, 2, 3)).map(Decimal)
    | st.integers(0, 30).map(lambda n: Decimal(n).scaleb(-13))
    | st.integers(0, 5).map(lambda n: Decimal(n).scaleb(-6))
    | st.sampled_from(("1e-40", "0.0000000000025", "0.00000000000251", "9000000.000000000001")).map(Decimal)
)
_metadata: st.SearchStrategy[Metadata] = st.dictionaries(
    _texts, _texts | st.integers(-2, 2) | st.booleans() | st.sampled_from((0.5, 1e22, -0.0)), max_size=3
)
_times = st.integers(1_700_000_000_000, 1_700_000_000_004)
log_ids = st.tuples(_times, st.integers(0, 3)).map(lambda pair: ids.first_at(pair[0])[:8] + pair[1].to_bytes(8))

_usage_fields: dict[str, st.SearchStrategy[Any]] = {
    "tokens_in": st.none() | _small,
    "tokens_out": st.none() | _small,
    "cached_tokens_in": st.none() | _small,
    "cache_write_tokens": st.none() | _small,
    "cache_write_1h_tokens": st.none() | _small,
    "reasoning_tokens": st.none() | _small,
    "audio_tokens_in": st.none() | _small,
    "audio_tokens_out": st.none() | _small,
    "reported_cost": st.none() | _costs,
}

_log_fields: dict[str, st.SearchStrategy[Any]] = {
    "account_id": st.just(SCOPE.account_id),
    "gateway_id": st.just(SCOPE.gateway_id),
    "id": log_ids,
    "provider": _texts,
    "outcome": st.sampled_from(Outcome),
    "duration": _small,
    "model": _texts,
    "model_type": st.none() | _texts,
    "path": _texts | st.sampled_from(("compat/chat/completions", "compat/", "compat", "Compat/x")),
    "method": st.sampled_from(("GET", "POST")),
    "request_type": st.none() | _texts,
    "status_code": st.none() | st.sampled_from((200, 500)),
    "step": _small,
    "event_id": st.none() | _texts,
    "user_agent": st.none() | _texts,
    "authentication": st.booleans(),
    "first_byte_ms": st.none() | _small,
    "priced_by": st.none() | _texts,
    "byok_alias": st.none() | _texts,
    "usage": st.builds(Usage, **_usage_fields),
    "usage_estimated": st.booleans(),
    "response_model": st.none() | _texts,
    "cost": st.none() | _costs,
    "cost_reason": st.none() | _texts,
    "cost_saved": st.none() | _costs,
    "custom_cost": st.none() | st.builds(CustomCost, per_token_in=_costs, total_cost=st.none() | _costs),
    "request_content_type": st.none() | _texts,
    "response_content_type": st.none() | _texts,
    "request_size": _small,
    "response_size": _small,
    "metadata": st.none() | _metadata.filter(bool),
    "route": st.none()
    | st.builds(RouteTaken, name=_texts, version_id=_texts, path=st.lists(_texts, max_size=3).map(tuple)),
    "attempts": st.lists(
        st.builds(
            Attempt,
            provider=_texts,
            step=_small,
            status_code=st.none() | _small,
            duration=_small,
            error=st.none() | _texts,
        ),
        max_size=2,
    ).map(tuple),
    "error": st.none() | _texts,
    "bodies_lost": st.booleans(),
    "feedback": st.sampled_from((None, -1, 1)),
    "score": st.none() | st.sampled_from((0.0, 0.1, 33.3, 100.0)),
}
DRAWN_FIELDS, DRAWN_USAGE_FIELDS = set(_log_fields), set(_usage_fields)
logs = st.builds(LogRecord, **_log_fields)

_bodies_texts = _texts.map(str.encode)
bodies = st.none() | st.builds(
    Bodies,
    request=st.none() | _bodies_texts,
    response=st.none() | _bodies_texts,
    request_cut=st.booleans(),
    response_cut=st.booleans(),
)

_VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.BODY: _texts | st.sampled_from(("a", "\\", "\ud800")),
    Kind.TEXT: _texts | st.sampled_from(("true", "false", "1", "1e+22", "-0.0", "\ud800")),
    Kind.NUMBER: st.integers(-1, 12),
    Kind.MONEY: _costs | st.sampled_from((Decimal("1e30"), Decimal("-1e30"), Decimal("-0.5"))),
    Kind.FLAG: st.booleans(),
    Kind.TIME: _times | st.sampled_from((-1, 0, 0xFFFF_FFFF_FFFF, 1 << 60)),
    Kind.ID: log_ids | st.sampled_from((bytes(16), b"\xff" * 16)),
    Kind.FEEDBACK: st.sampled_from((-1, 1, None)),
}
_COMPARED: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.NUMBER: st.integers(-1, 12) | st.sampled_from((Decimal("2.5"), Decimal("-0.5"))),
    Kind.FEEDBACK: st.sampled_from((-1, 0, 1)),
}


def operators_of(kind: Kind) -> list[Operator]:
    """What may be asked of a key."""
    if kind is Kind.TEXT:
        return [Operator.EQ, Operator.NEQ, Operator.CONTAINS, Operator.NOT_CONTAINS]
    if kind is Kind.BODY:
        return [Operator.CONTAINS, Operator.NOT_CONTAINS]
    return [Operator.EQ, Operator.NEQ] + ([] if kind is Kind.FLAG else [Operator.LT, Operator.GT])


@st.composite
def filters_of(draw: st.DrawFn, key: str, operator: Operator) -> Filter:
    """Any filter of a key and an operator that `core.query.parse` can give."""
    kind = kind_of(key)
    assert kind is not None
    if operator in (Operator.LT, Operator.GT):
        return Filter(key, operator, (draw(_COMPARED.get(kind, _VALUES[kind])),))
    values = _VALUES[kind] if operator in (Operator.CONTAINS, Operator.NOT_CONTAINS) else st.none() | _VALUES[kind]
    return Filter(key, operator, tuple(draw(st.lists(values, min_size=1, max_size=3))))


ENTRIES = [f"metadata.{name}" for name in WORDS if name] + ["metadata.nobody's", "metadata.\ud800"]
PAIRS = [(key, operator) for key, kind in KEYS.items() for operator in operators_of(kind)] + [
    (key, operator) for key in ENTRIES for operator in operators_of(Kind.TEXT)
]
"""Every key with every operator it takes."""

filters = st.sampled_from(PAIRS).flatmap(lambda pair: filters_of(*pair))
criteria = st.recursive(
    filters,
    lambda inner: st.builds(FilterGroup, st.sampled_from(Join), st.lists(inner, min_size=1, max_size=3).map(tuple)),
    max_leaves=5,
)
"""Filters, and groups of them to any depth."""

wheres = st.builds(
    Where,
    alternatives=st.lists(st.lists(criteria, max_size=3).map(tuple), max_size=3).map(tuple),
    search=st.none() | _texts,
    until_ms=st.none() | _times | st.sampled_from((-1, 1 << 60)),
    entries=st.just(()) | st.lists(st.tuples(_texts, _texts), max_size=2).map(tuple),
)
