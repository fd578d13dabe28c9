"""What is the same for the cache, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.provider import Asked
from gaugeway.proxy.cache_key import cache_key, is_credential
from gaugeway.proxy.exchange import Compat
from support.exchanges import KEY, a_target, an_exchange
from support.state import a_gateway

COMPAT = Compat(path="compat/chat/completions", provider=b"openai", model=b"ok", body=b"")
ALWAYS: list[dict[str, Any]] = [
    {"gateway": a_gateway("other")},
    {"gateway": a_gateway(account_id="b" * 32)},
    {"method": "GET"},
    {"asked": Asked(model="ok", stream=True)},
    {"compat": COMPAT},
    {"headers": []},
    {"headers": [(b"authorization", b"Bearer sk-somebody-else")]},
    {"headers": [(b"x-api-key", KEY[1])]},
    {"headers": [KEY, (b"x-api-key", b"and another")]},
    {"headers": [KEY, (b"x-company-key", b"k")]},
    {"headers": [KEY, (b"cookie", b"user=1")]},
    {
        "headers": [KEY, (b"x-vendor-thing", b"k")],
        "target": a_target(more_credentials=frozenset({b"x-vendor-thing"})),
    },
    {"query": b"key=google"},
]
COMPUTED: list[dict[str, Any]] = [
    {"slug": "groq"},
    {"rest": "v1/embeddings"},
    {"query": b"a=1"},
    {"body": b'{"model": "ok" }'},
    {"body": b""},
    {"target": a_target(host="elsewhere.example")},
    {"target": a_target(port=8443)},
    {"target": a_target(scheme="http")},
    {"target": a_target(prefix="/v2")},
    {"target": a_target(headers=((b"x-tenant", b"1"),))},
]
NOISE: list[dict[str, Any]] = [
    {"headers": [(b"content-type", b"application/json"), KEY]},
    {"headers": [KEY, (b"user-agent", b"another"), (b"accept-encoding", b"gzip"), (b"traceparent", b"00-1")]},
    {"headers": [KEY, (b"idempotency-key", b"1")]},
    {"gateway": a_gateway(modified_at=9)},
    {"log_id": b"1" * 16},
]


@pytest.mark.parametrize("change", ALWAYS, ids=" ".join)
def test_what_sets_requests_apart_with_or_without_a_key_of_their_own(change: dict[str, Any]) -> None:
    assert cache_key(an_exchange(**change), None) != cache_key(an_exchange(), None)
    assert cache_key(an_exchange(**change), b"k") != cache_key(an_exchange(), b"k")


@pytest.mark.parametrize("change", COMPUTED, ids=" ".join)
def test_what_a_key_of_its_own_takes_the_place_of(change: dict[str, Any]) -> None:
    assert cache_key(an_exchange(**change), None) != cache_key(an_exchange(), None)
    assert cache_key(an_exchange(**change), b"k") == cache_key(an_exchange(), b"k")


@pytest.mark.parametrize("change", NOISE, ids=" ".join)
def test_what_makes_no_difference(change: dict[str, Any]) -> None:
    assert cache_key(an_exchange(**change), None) == cache_key(an_exchange(), None)
    assert cache_key(an_exchange(**change), b"k") == cache_key(an_exchange(), b"k")


def test_keys_of_their_own_are_told_apart_and_from_computed_ones() -> None:
    keys = [cache_key(an_exchange(), own) for own in (None, b"k", b"K", b"k ", b"", b"computed")]
    assert len(set(keys)) == len(keys)


@given(st.tuples(*[st.binary(max_size=6)] * 4), st.tuples(*[st.binary(max_size=6)] * 4))
def test_no_text_can_slip_from_one_part_into_the_next(one: tuple[bytes, ...], other: tuple[bytes, ...]) -> None:
    def key(parts: tuple[bytes, ...]) -> bytes:
        rest, query, value, body = parts
        exchange = an_exchange(
            rest=rest.decode("latin-1"), query=query, headers=[(b"authorization", value)], body=body
        )
        return cache_key(exchange, None)

    assert (key(one) == key(other)) is (one == other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"authorization", True),
        (b"x-goog-api-key", True),
        (b"x-my-token", True),
        (b"ocp-apim-subscription-key", True),
        (b"x-amz-security-token", True),
        (b"cookie", True),
        (b"x-session-id", True),
        (b"content-type", False),
        (b"user-agent", False),
        (b"accept", False),
        (b"idempotency-key", False),
        (b"x-stainless-lang", False),
        (b"anthropic-version", False),
        (b"openai-organization", False),
    ],
)
def test_which_headers_look_like_credentials(name: bytes, expected: bool) -> None:
    assert is_credential(name) is expected
