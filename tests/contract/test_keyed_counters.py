"""What every keyed counter store must do: as many rates as there are keys, each exact, none kept for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.ports import Rate
from gaugeway.stores import Stores, open_stores
from gaugeway.stores.sqlite.keyed_counters import SWEEP_EVERY
from support import store_process

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


def passed(stores: Stores, rate: Rate, times: list[int], key: bytes = b"k") -> list[int]:
    return [at for at in times if stores.keyed_counters.take(key, rate, NOON + at) == 0]


def test_a_fixed_window_is_aligned_with_the_clock(stores: Stores) -> None:
    times = [50_000, 51_000, 52_000, 53_000, 59_999, 60_000, 60_001, 60_002, 60_003]
    assert passed(stores, FIXED, times) == [50_000, 51_000, 52_000, 60_000, 60_001, 60_002]


def test_a_sliding_window_forgets_one_request_after_another(stores: Stores) -> None:
    times = [50_000, 55_000, 59_000, 60_000, 109_999, 110_500, 110_501, 115_500, 119_500, 119_501]
    assert passed(stores, SLIDING, times) == [50_000, 55_000, 59_000, 110_500, 115_500, 119_500]


@pytest.mark.parametrize("rate", [FIXED, SLIDING])
def test_the_wait_is_long_enough_and_not_longer(stores: Stores, rate: Rate) -> None:
    assert passed(stores, rate, [10, 10, 10]) == [10, 10, 10]
    wait = stores.keyed_counters.take(b"k", rate, NOON + 17)
    assert passed(stores, rate, [17 + wait - 1, 17 + wait]) == [17 + wait]


def test_keys_do_not_count_for_one_another(stores: Stores) -> None:
    for number in range(300):
        assert passed(stores, Rate(1 + number % 2, 60), [0, 1, 2], b"key-%d" % number) == [0, 1][: 1 + number % 2]


def test_what_no_longer_counts_is_forgotten(address: str) -> None:
    stores = open_stores(address)
    for number in range(SWEEP_EVERY - 1):
        stores.keyed_counters.take(b"key-%d" % number, SLIDING, NOON)
    for number in range(2):
        stores.keyed_counters.take(b"later-%d" % number, SLIDING, NOON + 3600_000)
    stores.close()
    path = Path(address.removeprefix("sqlite://")) / "rates.db"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM rates").fetchone() == (2,)


def test_counts_outlive_whoever_counted(address: str) -> None:
    first = open_stores(address)
    assert passed(first, FIXED, [0, 1]) == [0, 1]
    first.close()
    with pytest.raises(StoreUnusable):
        first.keyed_counters.take(b"k", FIXED, NOON)
    second = open_stores(address)
    assert passed(second, FIXED, [2, 3]) == [2]
    second.close()


@pytest.mark.parametrize("rate", [Rate(150, 3600), Rate(150, 3600, sliding=True)])
def test_threads_and_processes_share_one_count(address: str, stores: Stores, rate: Rate) -> None:
    others = [
        store_process.start("take_keyed", address, rate.limit, rate.interval, int(rate.sliding), NOON, 120)
        for _ in range(2)
    ]
    with ThreadPoolExecutor(4) as pool:
        here = sum(pool.map(lambda _: stores.keyed_counters.take(b"k", rate, NOON) == 0, range(120)))
    assert here + sum(int(store_process.finish(process)) for process in others) == rate.limit
