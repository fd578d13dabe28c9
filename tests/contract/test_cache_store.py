"""What every cache store must do: give again what was kept, and nothing else, within its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.ports import CachedAnswer, CacheStore
from gaugeway.stores import Stores, open_stores
from support import store_process
from support.state import ACCOUNT, SCOPE

ADAPTERS: dict[str, Callable[[Path], str]] = {"sqlite": lambda folder: f"sqlite://{folder}"}
NOW = 1_795_000_000_000
HOUR = 3_600_000
CAPACITY = 1_000_000
OTHERS = [Scope(ACCOUNT, "other"), Scope("b" * 32, SCOPE.gateway_id)]


@pytest.fixture(params=sorted(ADAPTERS))
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return ADAPTERS[request.param](tmp_path / "data")


@pytest.fixture
def stores(address: str) -> Iterator[Stores]:
    opened = open_stores(address, cache_bytes=CAPACITY)
    yield opened
    opened.close()


@pytest.fixture
def cache(stores: Stores) -> CacheStore:
    return stores.cache


def key(name: object) -> bytes:
    return sha256(str(name).encode()).digest()


def an_answer(text: str = "an answer", size: int = 0) -> CachedAnswer:
    return CachedAnswer([(b"content-type", b"application/json")], text.encode().ljust(size, b"."))


def keep(
    cache: CacheStore,
    name: object,
    answer: CachedAnswer | None = None,
    *,
    scope: Scope = SCOPE,
    now: int = NOW,
    asked_at: int | None = None,
    lives: int = HOUR,
) -> bool:
    asked = now if asked_at is None else asked_at
    kept = answer or an_answer(str(name))
    return cache.put(scope, key(name), kept, asked_at=asked, now_ms=now, expires_at=now + lives)


def test_what_was_kept_is_given_again_unchanged(cache: CacheStore) -> None:
    answer = CachedAnswer(
        [(b"content-type", b"a/b; c=\xff"), (b"content-encoding", b"gzip")], bytes(range(256)) * 9
    )
    assert cache.get(key(1), NOW) is None
    assert keep(cache, 1, answer)
    assert cache.get(key(1), NOW) == answer
    assert cache.get(key(2), NOW) is None


@pytest.mark.parametrize("size", [0, 1, 8192, 300_000])
def test_answers_of_any_size(cache: CacheStore, size: int) -> None:
    answer = CachedAnswer([], b"\0" * size)
    assert keep(cache, "sized", answer)
    assert cache.get(key("sized"), NOW) == answer


def test_an_answer_ends_with_its_time(cache: CacheStore) -> None:
    keep(cache, 1, lives=1000)
    assert cache.get(key(1), NOW + 999) is not None
    assert cache.get(key(1), NOW + 1000) is None


def test_a_new_answer_takes_the_place_of_the_old_with_its_time(cache: CacheStore) -> None:
    keep(cache, 1, an_answer("old"), lives=1000)
    keep(cache, 1, an_answer("new"), lives=5000)
    found = cache.get(key(1), NOW + 4000)
    assert found is not None
    assert found.body == b"new"


def test_emptying_a_gateway_leaves_the_others(cache: CacheStore) -> None:
    keep(cache, 1)
    for number, other in enumerate(OTHERS):
        keep(cache, f"other{number}", scope=other)
    cache.clear(SCOPE, NOW)
    assert cache.get(key(1), NOW) is None
    assert all(cache.get(key(f"other{number}"), NOW) for number in range(len(OTHERS)))


def test_what_was_asked_for_before_the_gateway_was_emptied_is_not_kept(cache: CacheStore) -> None:
    cache.clear(SCOPE, NOW)
    assert not keep(cache, 1, asked_at=NOW - 5, now=NOW + 10)
    assert not keep(cache, 1, asked_at=NOW, now=NOW + 10)
    assert cache.get(key(1), NOW + 10) is None
    assert keep(cache, 1, asked_at=NOW + 1, now=NOW + 10)
    assert keep(cache, 2, scope=OTHERS[0], asked_at=NOW - 5)
    cache.clear(SCOPE, NOW - 1000)  # the clock was set back: what was emptied later still counts
    assert not keep(cache, 3, asked_at=NOW - 500, now=NOW + 10)


def test_the_bound_holds_and_what_was_not_used_for_longest_goes(cache: CacheStore) -> None:
    for number in range(9):
        assert keep(cache, number, an_answer(size=100_000), now=NOW + number)
    for at in (120_000, 240_000):  # the first is used again and again
        assert cache.get(key(0), NOW + at) is not None
        cache.sweep(NOW + at)
    assert keep(cache, "new", an_answer(size=250_000), now=NOW + 300_000)
    there = [number for number in range(9) if cache.get(key(number), NOW + 300_000)]
    assert there == [0, 3, 4, 5, 6, 7, 8]
    assert cache.get(key("new"), NOW + 300_000) is not None


def test_an_answer_larger_than_the_whole_cache_is_not_kept_and_displaces_nothing(cache: CacheStore) -> None:
    keep(cache, 1)
    assert not keep(cache, 2, an_answer(size=CAPACITY))
    assert cache.get(key(1), NOW) is not None
    assert cache.get(key(2), NOW) is None


def test_many_small_answers_are_bounded_too(cache: CacheStore) -> None:
    for number in range(3000):
        assert keep(cache, number, CachedAnswer([], b""), now=NOW + number)
    there = [number for number in range(3000) if cache.get(key(number), NOW + 3000)]
    assert 1000 < len(there) <= CAPACITY // 400
    assert there == list(range(3000 - len(there), 3000))


def test_sweeping_gives_the_space_back(cache: CacheStore) -> None:
    for number in range(9):
        keep(cache, number, an_answer(size=100_000), lives=1000)
    keep(cache, "stays", an_answer(size=50_000), now=NOW + 2, lives=HOUR)
    cache.sweep(NOW + 2000)
    assert cache.get(key("stays"), NOW + 2000) is not None
    for number in range(9):  # the room is there again: nothing is displaced
        assert cache.get(key(number), NOW) is None
        assert keep(cache, f"new{number}", an_answer(size=100_000), now=NOW + 2000)
    assert cache.get(key("stays"), NOW + 2000) is not None
    cache.sweep(NOW + 30 * 24 * HOUR)
    assert keep(cache, 1, asked_at=NOW - 10, now=NOW + 30 * 24 * HOUR)


def test_another_opening_sees_it_at_once(address: str, cache: CacheStore) -> None:
    another = open_stores(address, cache_bytes=CAPACITY)
    keep(cache, 1)
    assert another.cache.get(key(1), NOW) is not None
    another.cache.clear(SCOPE, NOW)
    assert cache.get(key(1), NOW) is None
    assert not keep(cache, 1)
    another.close()


def test_answers_outlive_a_restart(address: str) -> None:
    first = open_stores(address)
    keep(first.cache, 1)
    first.close()
    with pytest.raises(StoreUnusable, match="was closed"):
        first.cache.get(key(1), NOW)
    second = open_stores(address)
    assert second.cache.get(key(1), NOW) == an_answer("1")
    second.close()


def test_threads_write_and_read_at_once(cache: CacheStore) -> None:
    def work(number: int) -> bool:
        keep(cache, number % 10, an_answer(f"{number % 10}", size=2000))
        found = cache.get(key(number % 10), NOW)
        return found is not None and found.body == f"{number % 10}".encode().ljust(2000, b".")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


def test_a_process_killed_while_it_keeps_answers_leaves_whole_ones(address: str, cache: CacheStore) -> None:
    process = store_process.start("keep_answers", address)
    for _ in range(20):
        assert store_process.wait_for_line(process) == "kept"
    process.kill()
    process.communicate(timeout=20)
    found = [answer for number in range(1000) if (answer := cache.get(key(number), NOW)) is not None]
    assert len(found) >= 2
    assert {len(answer.body) for answer in found} == {200_000}
    assert keep(cache, "after")
    assert cache.get(key("after"), NOW) is not None
