"""What travels upstream, what stays, and what the gateway's own headers ask for."""

from __future__ import annotations

from copy import copy
from decimal import Decimal

import pytest

from gaugeway.core.errors import GatewayError
from gaugeway.core.model import CustomCost
from gaugeway.proxy.headers import for_downstream, sort_request
from gaugeway.proxy.retrying import RetryWishes


def test_unknown_headers_travel_untouched_and_in_order() -> None:
    sent = [(b"x-one", b"1"), (b"accept", b"*/*"), (b"x-one", b"2"), (b"openai-organization", b"org")]
    assert sort_request(sent).upstream == sent


def test_hop_by_hop_headers_and_those_that_connection_names_stay() -> None:
    sent = [
        (b"host", b"gateway"),
        (b"connection", b"close, X-Private"),
        (b"x-private", b"for this hop"),
        (b"keep-alive", b"5"),
        (b"te", b"trailers"),
        (b"transfer-encoding", b"chunked"),
        (b"upgrade", b"h2c"),
        (b"proxy-authorization", b"Basic x"),
        (b"content-length", b"12"),
        (b"expect", b"100-continue"),
        (b"x-kept", b"yes"),
    ]
    found = sort_request(sent)
    assert found.upstream == [(b"x-kept", b"yes")]
    assert found.content_length == 12


def test_every_gateway_header_and_cloudflare_credential_stays() -> None:
    sent = [
        (b"cf-aig-authorization", b"Bearer gw_secret"),
        (b"cf-aig-collect-log", b"true"),
        (b"cf-aig-collect-log-payload", b"false"),
        (b"cf-aig-event-id", b"e-1"),
        (b"cf-aig-metadata", b"{}"),
        (b"cf-aig-custom-cost", b'{"total_cost": 1}'),
        (b"cf-access-jwt-assertion", b"jwt"),
        (b"cf-access-client-secret", b"secret"),
    ]
    found = sort_request(sent)
    assert found.upstream == []
    assert found.options.token == b"gw_secret"
    assert found.options.collect_log is True
    assert found.options.collect_log_payload is False
    assert found.options.event_id == "e-1"


def test_a_token_without_bearer_is_taken_too() -> None:
    assert sort_request([(b"cf-aig-authorization", b"gw_secret")]).options.token == b"gw_secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"cf-aig-collect-log", b"yes"),
        (b"cf-aig-collect-log-payload", b""),
        (b"cf-aig-event-id", b""),
        (b"cf-aig-event-id", b"x" * 513),
        (b"cf-aig-event-id", b"\xff\xfe"),
        (b"cf-aig-metadata", b"not json"),
        (b"cf-aig-metadata", b"[1]"),
        (b"cf-aig-metadata", b"[" * 100_000),
        (b"cf-aig-metadata", b'{"a": 9223372036854775808}'),
        (b"cf-aig-metadata", b'{"a": -9223372036854775809}'),
        (b"cf-aig-metadata", b'{"a": 1, "cf.b": 18446744073709551616}'),
        (b"cf-aig-custom-cost", b"{}"),
        (b"cf-aig-custom-cost", b"5"),
        (b"cf-aig-custom-cost", b'{"per_token_in": -1}'),
        (b"cf-aig-custom-cost", b'{"per_token_in": "nan"}'),
        (b"cf-aig-custom-cost", b'{"per_token_in": 1e400}'),
        (b"cf-aig-custom-cost", b'{"total_cost": 1, "per_token_in": 1}'),
        (b"cf-aig-custom-cost", b'{"per_token": 1}'),
        (b"cf-aig-custom-cost", b'{"total_cost": "1_000"}'),
        (b"cf-aig-custom-cost", b'{"total_cost": " 1"}'),
        (b"cf-aig-custom-cost", b'{"per_token_in": "1", "per_token_out": "1_0"}'),
        (b"cf-aig-max-attempts", b"0"),
        (b"cf-aig-max-attempts", b"6"),
        (b"cf-aig-max-attempts", b"two"),
        (b"cf-aig-max-attempts", b"\xb2"),
        (b"cf-aig-retry-delay", b"-1"),
        (b"cf-aig-retry-delay", b"60001"),
        (b"cf-aig-retry-delay", b"9" * 5000),
        (b"cf-aig-backoff", b"random"),
        (b"cf-aig-request-timeout", b"0"),
        (b"cf-aig-request-timeout", b"1.5"),
        (b"cf-aig-request-timeout", b"3600001"),
        (b"cf-aig-cache-ttl", b"59"),
        (b"cf-aig-cache-ttl", b"2592001"),
        (b"cf-aig-cache-ttl", b"1" * 5000),
        (b"cf-aig-cache-ttl", b"1e3"),
        (b"cf-aig-cache-ttl", b"-60"),
        (b"cf-aig-cache-ttl", b""),
        (b"cf-aig-cache-ttl", "٦٠".encode()),
        (b"cf-aig-cache-key", b""),
        (b"cf-aig-cache-key", b"k" * 1025),
        (b"cf-aig-skip-cache", b"1"),
        (b"cf-aig-cache-streams", b"yes"),
        (b"cf-skip-cache", b"maybe"),
        (b"cf-aig-zdr", b"true"),
        (b"cf-cache-ttl", b"10"),
        (b"cf-aig-something-new", b"1"),
    ],
)
def test_a_header_that_cannot_be_honoured_is_refused_by_name(name: bytes, value: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        sort_request([(name, value)])
    assert refused.value.status == 400
    assert name.decode() in refused.value.message


def test_wishes_for_retries_are_read_together() -> None:
    sent = [
        (b"cf-aig-max-attempts", b"3"),
        (b"cf-aig-retry-delay", b"0"),
        (b"cf-aig-backoff", b"Linear"),
        (b"cf-aig-request-timeout", b" 2500 "),
    ]
    wanted = RetryWishes(max_attempts=3, delay_ms=0, backoff="linear", timeout_ms=2500)
    assert sort_request(sent).options.retry == wanted
    assert sort_request([(b"accept", b"*/*")]).options.retry is None


def test_what_is_said_later_is_added_to_what_was_said_before() -> None:
    outer = sort_request([(b"cf-aig-max-attempts", b"3"), (b"cf-aig-collect-log-payload", b"false")]).options
    inner = sort_request([(b"cf-aig-retry-delay", b"5"), (b"cf-aig-collect-log-payload", b"true")], copy(outer))
    assert inner.options.retry == RetryWishes(max_attempts=3, delay_ms=5)
    assert inner.options.collect_log_payload is True
    assert outer.retry == RetryWishes(max_attempts=3)
    assert outer.collect_log_payload is False


def test_metadata_keeps_the_first_five_entries_and_drops_reserved_keys() -> None:
    value = b'{"a": 1, "cf.user_id": "x", "b": "2", "c": true, "d": 1.5, "e": "5", "f": "6"}'
    found = sort_request([(b"cf-aig-metadata", value)])
    assert found.options.metadata == {"a": 1, "b": "2", "c": True, "d": 1.5, "e": "5"}


@pytest.mark.parametrize("value", [b'{"a": null, "b": 1}', b'{"a": {"b": 1}}', b'{"a": [1]}'])
def test_metadata_with_a_null_or_nested_value_counts_for_nothing(value: bytes) -> None:
    assert sort_request([(b"cf-aig-metadata", value)]).options.metadata is None


def test_custom_cost_keeps_every_decimal() -> None:
    value = b'{"per_token_in": 0.000000000000000123456789, "per_token_out": 2e-6}'
    assert sort_request([(b"cf-aig-custom-cost", value)]).options.custom_cost == CustomCost(
        per_token_in=Decimal("1.23456789E-16"), per_token_out=Decimal("0.000002")
    )


def test_custom_cost_may_be_given_in_texts() -> None:
    value = b'{"per_token_in": "0.5", "per_token_out": "2e-6"}'
    assert sort_request([(b"cf-aig-custom-cost", value)]).options.custom_cost == CustomCost(
        per_token_in=Decimal("0.5"), per_token_out=Decimal("0.000002")
    )


@pytest.mark.parametrize(
    ("sent", "narrowed"),
    [
        (b"gzip, deflate", b"gzip, deflate"),
        (b"gzip, deflate, br, zstd", b"gzip, deflate, zstd"),
        (b"br;q=1.0, gzip;q=0.5", b"gzip;q=0.5"),
        (b"br", b"identity"),
        (b"*", b"identity"),
    ],
)
def test_only_codings_that_the_log_can_read_again_are_offered(sent: bytes, narrowed: bytes) -> None:
    assert sort_request([(b"accept-encoding", sent)]).upstream == [(b"accept-encoding", narrowed)]


def test_an_answers_headers_lose_what_speaks_of_the_upstreams_connection() -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"3"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"connection", b"x-hop"),
        (b"x-hop", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"alt-svc", b'h3=":443"'),
        (b"cf-aig-log-id", b"not the provider's to say"),
    ]
    assert for_downstream(headers) == [headers[0], headers[1], headers[2], headers[3]]
