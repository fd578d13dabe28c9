"""How long is waited before another attempt, and what a provider's own hints mean."""

from __future__ import annotations

from email.utils import formatdate
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaugeway.core.errors import BadInput, ConnectFailed, ProtocolBroken, Side, UpstreamTimeout
from gaugeway.core.model import Gateway
from gaugeway.proxy.retrying import (
    BACKOFFS,
    JITTER,
    MAX_ATTEMPTS,
    MAX_DELAY_MS,
    RetryPolicy,
    RetryWishes,
    asked_for,
    is_retried,
    is_worth_retrying,
    settle,
    wait_ms,
)

NOW = 1_700_000_000_000
delays = st.integers(0, MAX_DELAY_MS)
chances = st.floats(0, 1, exclude_max=True)
failures = st.integers(1, MAX_ATTEMPTS - 1)


def gateway(**settings: object) -> Gateway:
    return Gateway(account_id="0" * 32, id="g", created_at=0, modified_at=0, **settings)


@given(delays, st.sampled_from(BACKOFFS), failures, chances, st.none() | st.floats(0, MAX_DELAY_MS))
def test_a_wait_lies_between_what_is_asked_and_the_bound(
    delay: int, backoff: str, failed: int, chance: float, hint: float | None
) -> None:
    policy = RetryPolicy(attempts=5, delay_ms=delay, backoff=backoff)
    wait = wait_ms(policy, failed, hint, chance)
    assert wait is not None
    asked = min(
        max(delay * {"constant": 1, "linear": failed}.get(backoff, 2 ** (failed - 1)), hint or 0), MAX_DELAY_MS
    )
    assert asked <= wait <= min(asked * (1 + JITTER), MAX_DELAY_MS)


@given(delays, st.sampled_from(BACKOFFS), chances)
def test_waits_never_shrink(delay: int, backoff: str, chance: float) -> None:
    policy = RetryPolicy(attempts=5, delay_ms=delay, backoff=backoff)
    waits = [wait_ms(policy, failed, None, chance) or 0 for failed in range(1, 5)]
    assert all(earlier <= later for earlier, later in pairwise(waits))
    if backoff == "constant":
        assert len(set(waits)) == 1


@pytest.mark.parametrize(
    ("backoff", "waits"),
    [
        ("constant", [100, 100, 100, 100]),
        ("linear", [100, 200, 300, 400]),
        ("exponential", [100, 200, 400, 800]),
    ],
)
def test_the_three_ways_to_wait_longer(backoff: str, waits: list[int]) -> None:
    policy = RetryPolicy(attempts=5, delay_ms=100, backoff=backoff)
    assert [wait_ms(policy, failed, None, 0.0) for failed in (1, 2, 3, 4)] == waits


@given(st.floats(MAX_DELAY_MS, 1e15, exclude_min=True))
def test_a_provider_that_asks_for_more_than_the_bound_is_not_asked_again(hint: float) -> None:
    assert wait_ms(RetryPolicy(attempts=5), 1, hint, 0.5) is None


def said(**headers: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (503, {}, None),
        (503, {"retry_after": "2"}, 2000),
        (429, {"retry_after": "0"}, 0),
        (429, {"retry_after": " 1.5 "}, 1500),
        (429, {"retry_after": "2", "retry_after_ms": "150.5"}, 150.5),
        (429, {"retry_after": "soon"}, None),
        (429, {"retry_after": "-1"}, None),
        (429, {"retry_after": "nan"}, None),
        (429, {"retry_after": "inf"}, None),
        (429, {"retry_after": "9" * 400}, None),
        (429, {"retry_after_ms": "soon", "retry_after": "3"}, 3000),
        (503, {"retry_after": formatdate(NOW / 1000 + 30, usegmt=True)}, 30_000),
        (503, {"retry_after": formatdate(NOW / 1000 - 30, usegmt=True)}, 0),
        (503, {"retry_after": "Tue Nov 14 22:13:50 2023"}, 30_000),
        (503, {"retry_after": "Tue, 99 Nov 2023 22:13:50 GMT"}, None),
        (429, {"x_ratelimit_remaining_requests": "0", "x_ratelimit_reset_requests": "1m30.5s"}, 90_500),
        (429, {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "450ms"}, 450),
        (429, {"x_ratelimit_remaining_tokens": "12", "x_ratelimit_reset_tokens": "6m0s"}, None),
        (429, {"x_ratelimit_reset_tokens": "6m0s"}, None),
        (429, {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "whenever"}, None),
        (500, {"x_ratelimit_remaining_tokens": "0", "x_ratelimit_reset_tokens": "6m0s"}, None),
        (
            429,
            {
                "x_ratelimit_remaining_requests": "0",
                "x_ratelimit_reset_requests": "1s",
                "x_ratelimit_remaining_tokens": "0",
                "x_ratelimit_reset_tokens": "1h1d",
            },
            90_000_000,
        ),
    ],
)
def test_what_an_answer_asks_for(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert asked_for(status, said(**headers), NOW) == wait


@given(
    st.sampled_from([408, 429, 500, 503]),
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    b"retry-after",
                    b"retry-after-ms",
                    b"x-ratelimit-remaining-requests",
                    b"x-ratelimit-reset-requests",
                ]
            ),
            st.binary(max_size=40) | st.text("0123456789.msh -:", max_size=30).map(str.encode),
        )
    ),
)
def test_a_hint_is_never_less_than_nothing_whatever_the_bytes(
    status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    hint = asked_for(status, headers, NOW)
    assert hint is None or 0 <= hint < float("inf")


def test_the_request_wins_over_the_gateway_field_by_field() -> None:
    ours = gateway(retry_max_attempts=3, retry_delay=250, retry_backoff="linear")
    assert settle(RetryWishes(), ours) == RetryPolicy(attempts=3, delay_ms=250, backoff="linear")
    wishes = RetryWishes(max_attempts=2, delay_ms=0, timeout_ms=9)
    assert settle(wishes, ours) == RetryPolicy(attempts=2, delay_ms=0, backoff="linear", timeout_ms=9)
    assert settle(RetryWishes(max_attempts=2), gateway()) == RetryPolicy(attempts=2)
    assert settle(RetryWishes(timeout_ms=9), gateway()) == RetryPolicy(attempts=1, timeout_ms=9)
    assert settle(RetryWishes(delay_ms=1), ours).delay_ms == 1


@pytest.mark.parametrize("wishes", [RetryWishes(delay_ms=5), RetryWishes(backoff="linear")])
def test_a_wish_that_nothing_could_follow_is_refused(wishes: RetryWishes) -> None:
    with pytest.raises(BadInput, match="cf-aig-max-attempts"):
        settle(wishes, gateway())


def test_the_last_of_several_attempts_has_no_timeout_of_its_own() -> None:
    several = RetryPolicy(attempts=3, timeout_ms=1500)
    assert (several.limit(last=False), several.limit(last=True)) == (1.5, None)
    single = RetryPolicy(attempts=1, timeout_ms=1500)
    assert (single.limit(last=False), single.limit(last=True)) == (1.5, 1.5)
    assert RetryPolicy(attempts=3).limit(last=False) is None


def test_which_statuses_and_failures_are_tried_again() -> None:
    assert [status for status in range(100, 600) if is_retried(status)] == [408, 409, 429, *range(500, 600)]
    assert is_worth_retrying(ConnectFailed("refused"))
    assert is_worth_retrying(UpstreamTimeout("late"))
    assert is_worth_retrying(ProtocolBroken("nonsense"))
    assert not is_worth_retrying(ConnectFailed("a private address", side=Side.POLICY))
