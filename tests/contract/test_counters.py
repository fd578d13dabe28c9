"""What every counter store must do: rates that hold exactly, whoever asks."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.ports import CounterStore, Rate
from gaugeway.stores import Stores, open_stores
from support import store_process
from support.state import ACCOUNT, SCOPE

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
NOON = 1_795_000_320_000  # ms, a whole number of minutes
FIXED, SLIDING = Rate(3, 60), Rate(3, 60, sliding=True)


@pytest.fixture(params=sorted(ADAPTERS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ADAPTERS[request.param](tmp_path / "data")


@pytest.fixture
def stores(address: str) -> Iterator[Stores]:
    opened = open_stores(address)
    yield opened
    opened.close()


@pytest.fixture
def counters(stores: Stores) -> CounterStore:
    return stores.counters


def passed(counters: CounterStore, rate: Rate, times: list[int], scope: Scope = SCOPE) -> list[int]:
    """The times, in ms after NOON, at which a request passed."""
    return [at for at in times if counters.take(scope, rate, NOON + at) == 0]


def test_a_fixed_window_is_aligned_with_the_clock(counters: CounterStore) -> None:
    times = [50_000, 51_000, 52_000, 53_000, 59_999, 60_000, 60_001, 60_002, 60_003]
    assert passed(counters, FIXED, times) == [50_000, 51_000, 52_000, 60_000, 60_001, 60_002]


def test_a_sliding_window_forgets_one_request_after_another(counters: CounterStore) -> None:
    times = [50_000, 55_000, 59_000, 60_000, 109_999, 110_500, 110_501, 115_500, 119_500, 119_501]
    assert passed(counters, SLIDING, times) == [50_000, 55_000, 59_000, 110_500, 115_500, 119_500]


@pytest.mark.parametrize("rate", [FIXED, SLIDING, Rate(1, 1), Rate(1, 1, sliding=True), Rate(2, 7, sliding=True)])
def test_the_wait_is_long_enough_and_not_longer(counters: CounterStore, rate: Rate) -> None:
    for _ in range(rate.limit):
        assert counters.take(SCOPE, rate, NOON + 10) == 0
    wait = counters.take(SCOPE, rate, NOON + 17)
    assert wait > 0
    assert counters.take(SCOPE, rate, NOON + 17 + wait - 1) == 1
    assert counters.take(SCOPE, rate, NOON + 17 + wait) == 0


def test_a_refused_request_does_not_count(counters: CounterStore) -> None:
    rate = Rate(2, 60, sliding=True)
    assert passed(counters, rate, [0, 1, *range(1000, 60_000, 500), 61_000, 61_001]) == [0, 1, 61_000, 61_001]


def test_gateways_do_not_count_for_one_another(counters: CounterStore) -> None:
    others = [Scope(ACCOUNT, "other"), Scope("b" * 32, SCOPE.gateway_id)]
    assert passed(counters, FIXED, [0, 1, 2, 3]) == [0, 1, 2]
    for other in others:
        assert passed(counters, FIXED, [0, 1, 2, 3], other) == [0, 1, 2]


def test_a_changed_limit_applies_to_what_was_counted(counters: CounterStore) -> None:
    assert passed(counters, Rate(3, 60), [0, 1, 2, 3]) == [0, 1, 2]
    assert passed(counters, Rate(5, 60), [4, 5, 6]) == [4, 5]
    assert passed(counters, Rate(1, 60), [7, 60_000, 60_001]) == [60_000]


def test_a_changed_interval_or_technique_starts_anew(counters: CounterStore) -> None:
    assert passed(counters, Rate(1, 60), [0, 1]) == [0]
    assert passed(counters, Rate(1, 61), [2, 3]) == [2]
    assert passed(counters, Rate(1, 61, sliding=True), [4, 5]) == [4]


def test_a_clock_that_is_set_back_does_not_lock_anybody_out(counters: CounterStore) -> None:
    assert passed(counters, SLIDING, [0, 1, 2, 3]) == [0, 1, 2]
    assert counters.take(SCOPE, SLIDING, NOON - 1000) > 0  # a little: still the same window
    assert counters.take(SCOPE, SLIDING, NOON - 3_600_000) == 0


def test_a_gateway_can_be_forgotten(counters: CounterStore) -> None:
    counters.forget(SCOPE)
    assert passed(counters, FIXED, [0, 1, 2, 3]) == [0, 1, 2]
    other = Scope(ACCOUNT, "other")
    assert passed(counters, FIXED, [0], other) == [0]
    counters.forget(SCOPE)
    assert passed(counters, FIXED, [4, 5, 6, 7]) == [4, 5, 6]
    assert passed(counters, FIXED, [8, 9, 10], other) == [8, 9]


def test_another_opening_sees_what_was_counted_and_forgotten(address: str, counters: CounterStore) -> None:
    another = open_stores(address)
    other = Scope(ACCOUNT, "other")
    assert passed(counters, FIXED, [0, 1]) == [0, 1]
    assert passed(another.counters, FIXED, [2, 3]) == [2]
    counters.forget(SCOPE)
    assert passed(counters, FIXED, [4], other) == [4]  # may lie where the forgotten one lay
    assert passed(another.counters, FIXED, [5, 6, 7, 8]) == [5, 6, 7]
    assert passed(another.counters, FIXED, [9, 10, 11], other) == [9, 10]
    another.close()


def test_counts_outlive_whoever_counted(address: str) -> None:
    first = open_stores(address)
    assert passed(first.counters, FIXED, [0, 1]) == [0, 1]
    first.close()
    with pytest.raises(StoreUnusable, match="was closed"):
        first.counters.take(SCOPE, FIXED, NOON)
    second = open_stores(address)
    assert passed(second.counters, FIXED, [2, 3]) == [2]
    second.close()


def test_many_gateways_are_counted_apart(counters: CounterStore) -> None:
    scopes = [Scope(ACCOUNT, f"gateway-{number}") for number in range(200)]
    for round_ in range(3):
        for number, scope in enumerate(scopes):
            allowed = counters.take(scope, Rate(1 + number % 2, 60), NOON + round_) == 0
            assert allowed is (round_ <= number % 2), (round_, number)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    limit=st.integers(1, 6),
    interval=st.integers(1, 5),
    steps=st.lists(st.integers(0, 1500), min_size=1, max_size=60),
)
def test_no_span_of_the_interval_lets_more_than_the_limit_pass(
    counters: CounterStore, limit: int, interval: int, steps: list[int]
) -> None:
    counters.forget(SCOPE)
    rate = Rate(limit, interval, sliding=True)
    now, through = NOON, list[int]()
    for step in steps:
        now += step
        before = len(through)
        wait = counters.take(SCOPE, rate, now)
        if wait == 0:
            through.append(now)
        within = [at for at in through if at > now - interval * 1000]
        assert len(within) <= limit
        if len(through) == before:  # refused only where a log of every request would, or a 120th of the span later
            slack = interval * 1000 / 120 + 1
            assert len([at for at in through if at > now - interval * 1000 - slack]) >= limit
            assert 0 < wait <= interval * 1000 + slack


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(limit=st.integers(1, 6), interval=st.integers(1, 5), steps=st.lists(st.integers(0, 1500), max_size=60))
def test_a_fixed_window_lets_exactly_the_limit_pass(
    counters: CounterStore, limit: int, interval: int, steps: list[int]
) -> None:
    counters.forget(SCOPE)
    now, asked, through = NOON, Counter[int](), Counter[int]()
    for step in steps:
        now += step
        window = now // (interval * 1000)
        asked[window] += 1
        through[window] += counters.take(SCOPE, Rate(limit, interval), now) == 0
    assert through == Counter({window: min(count, limit) for window, count in asked.items()})


@pytest.mark.parametrize("rate", [Rate(500, 3600), Rate(500, 3600, sliding=True)])
def test_threads_and_processes_share_one_count(address: str, counters: CounterStore, rate: Rate) -> None:
    """1200 requests from three processes, one of them with eight threads: exactly the limit pass."""
    others = [
        store_process.start("take", address, rate.limit, rate.interval, int(rate.sliding), NOON, 400)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(8) as pool:
        here = sum(pool.map(lambda _: counters.take(SCOPE, rate, NOON) == 0, range(400)))
    total = here + sum(int(store_process.finish(process)) for process in others)
    assert total == rate.limit


def test_a_process_killed_while_it_counts_holds_nobody_up(address: str, counters: CounterStore) -> None:
    rate = Rate(10**9, 3600, sliding=True)
    killed = [store_process.start("take", address, rate.limit, rate.interval, 1, NOON, 10**9) for _ in range(3)]
    for process in killed:
        assert store_process.wait_for_line(process) == "counting"
    for process in killed:
        process.kill()
        process.communicate(timeout=20)
    assert isinstance(process, subprocess.Popen)
    assert counters.take(SCOPE, rate, NOON) == 0
    assert counters.take(SCOPE, Rate(1, 3600, sliding=True), NOON) > 0
