"""Whether the cache has a part in a request, and for how long."""

from __future__ import annotations

import pytest

from gaugeway.core.provider import Asked
from gaugeway.proxy.cache_policy import KEYED_TTL, MAX_CACHEABLE, NO_WISHES, CacheWishes, lifetime
from support.state import a_gateway

OFF, ON = a_gateway(), a_gateway(cache_ttl=7)
WHOLE, STREAM = Asked(), Asked(stream=True)


@pytest.mark.parametrize(
    ("wishes", "gateway", "expected"),
    [
        (NO_WISHES, OFF, 0),
        (NO_WISHES, ON, 7),
        (CacheWishes(ttl=60), OFF, 60),
        (CacheWishes(ttl=60), ON, 60),
        (CacheWishes(key=b"k"), OFF, KEYED_TTL),
        (CacheWishes(key=b"k"), ON, 7),
        (CacheWishes(key=b"k", ttl=61), ON, 61),
        (CacheWishes(skip=True), ON, 0),
        (CacheWishes(skip=True, ttl=60, key=b"k"), ON, 0),
        (CacheWishes(streams=True), OFF, 0),
    ],
)
def test_the_header_goes_before_the_gateway_and_skipping_before_all(
    wishes: CacheWishes, gateway: object, expected: int
) -> None:
    assert lifetime(wishes, gateway, "POST", WHOLE, 10) == expected  # pyright: ignore[reportArgumentType]


def test_streams_only_where_they_are_asked_for() -> None:
    assert lifetime(NO_WISHES, ON, "POST", STREAM, 10) == 0
    assert lifetime(CacheWishes(ttl=60, key=b"k"), ON, "POST", STREAM, 10) == 0
    assert lifetime(CacheWishes(streams=True), ON, "POST", STREAM, 10) == 7


def test_a_get_only_where_the_request_itself_asks_and_nothing_else_at_all() -> None:
    assert lifetime(NO_WISHES, ON, "GET", WHOLE, 0) == 0
    assert lifetime(CacheWishes(ttl=60), ON, "GET", WHOLE, 0) == 60
    assert lifetime(CacheWishes(key=b"k"), OFF, "GET", WHOLE, 0) == KEYED_TTL
    for method in ("DELETE", "PUT", "PATCH", "HEAD", "OPTIONS"):
        assert lifetime(CacheWishes(ttl=60, key=b"k"), ON, method, WHOLE, 0) == 0


def test_a_request_may_be_too_large() -> None:
    assert lifetime(NO_WISHES, ON, "POST", WHOLE, MAX_CACHEABLE) == 7
    assert lifetime(NO_WISHES, ON, "POST", WHOLE, MAX_CACHEABLE + 1) == 0
