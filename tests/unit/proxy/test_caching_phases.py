"""Lookup and fill over a store that fails, hangs or is too slow: requests are answered all the same."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gaugeway.core.errors import StoreUnusable
from gaugeway.core.model import Scope
from gaugeway.core.ports import CachedAnswer
from gaugeway.core.provider import Asked
from gaugeway.proxy.cache_policy import CacheWishes
from gaugeway.proxy.caching import MAX_WRITES, Caching
from gaugeway.proxy.exchange import Exchange, Options, Reply
from gaugeway.system_clock import CLOCK
from support.exchanges import an_exchange

JSON = [(b"content-type", b"application/json")]
ANSWER = CachedAnswer(JSON, b'{"id": 1}')


class Store:
    """A cache in memory that can be told to fail or to hang."""

    def __init__(self) -> None:
        self.kept: dict[bytes, CachedAnswer] = {}
        self.reading: Exception | None = None
        self.writing: Exception | None = None
        self.go_on = threading.Event()
        self.go_on.set()
        self.swept = 0

    def get(self, key: bytes, now_ms: int) -> CachedAnswer | None:
        if self.reading is not None:
            raise self.reading
        return self.kept.get(key)

    def put(self, scope: Scope, key: bytes, answer: CachedAnswer, **_times: int) -> bool:
        assert self.go_on.wait(20)
        if self.writing is not None:
            raise self.writing
        self.kept[key] = answer
        return True

    def clear(self, scope: Scope, now_ms: int) -> None:
        self.kept.clear()

    def sweep(self, now_ms: int) -> None:
        self.swept += 1


class Locks:
    """Another process has those names of which `elsewhere` says so."""

    def __init__(self) -> None:
        self.elsewhere = False
        self.problem: Exception | None = None
        self.held: set[bytes] = set()

    def take(self, name: bytes) -> bool:
        if self.problem is not None:
            raise self.problem
        if not self.elsewhere:
            self.held.add(name)
        return not self.elsewhere

    def free(self, name: bytes) -> None:
        self.held.discard(name)


class Whole:
    """A provider's answer that arrived together with its headers."""

    status = 200
    headers = JSON

    def __init__(self, body: bytes = ANSWER.body) -> None:
        self.whole: bytes | None = body

    async def read(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


@asynccontextmanager
async def caching(store: Store, locks: Locks | None = None) -> AsyncGenerator[Caching]:
    phases = Caching(store, locks or Locks(), CLOCK)
    try:
        yield phases
    finally:
        store.go_on.set()
        await phases.aclose()


def asks(text: str = "hello", **fields: Any) -> Exchange:
    return an_exchange(options=Options(cache=CacheWishes(ttl=60)), body=text.encode(), **fields)


def the_reply(body: bytes = ANSWER.body) -> Reply:
    return Reply(status=200, headers=list(JSON), body=body, incoming=Whole(body))


async def ask(phases: Caching, exchange: Exchange, body: bytes = ANSWER.body) -> bytes | None:
    """One request through lookup, the provider and fill; the cache's word on it."""
    looking = phases.lookup(exchange)
    if looking is None or await looking is None:
        await phases.fill(exchange, the_reply(body))
    phases.leave(exchange)
    return exchange.cache_status


async def test_a_request_that_does_not_use_the_cache_leaves_it_alone() -> None:
    store = Store()
    store.reading = AssertionError("it was read")
    async with caching(store) as phases:
        exchange = an_exchange()
        assert await ask(phases, exchange) is None
        assert exchange.filling is None
    assert store.kept == {}


async def test_a_store_that_cannot_be_used_is_told_and_answers_nobody(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.reading = store.writing = StoreUnusable("cache.db: the disk is gone")
    with caplog.at_level(logging.WARNING):
        async with caching(store) as phases:
            assert [await ask(phases, asks()) for _ in range(3)] == [b"MISS"] * 3
    assert "the disk is gone" in caplog.text
    assert len(caplog.records) == 1  # and not once for each request


async def test_a_store_that_hangs_delays_nobody_for_long_and_its_answer_is_there_meanwhile() -> None:
    store = Store()
    store.go_on.clear()
    async with caching(store) as phases:
        assert await ask(phases, asks()) == b"MISS"
        assert store.kept == {}
        assert await ask(phases, asks()) == b"HIT"
        store.go_on.set()
    assert len(store.kept) == 1


async def test_what_waits_to_be_written_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    store = Store()
    store.go_on.clear()
    async with caching(store) as phases:
        await asyncio.gather(*(ask(phases, asks(f"{number}")) for number in range(MAX_WRITES + 20)))
        store.go_on.set()
    assert len(store.kept) == MAX_WRITES
    assert "cannot be written as fast" in caplog.text


async def test_followers_get_the_answer_and_the_flight_is_over() -> None:
    store = Store()
    async with caching(store) as phases:
        leader = asks()
        assert await phases.lookup(leader) is None
        followers = [asyncio.create_task(phases.lookup(asks())) for _ in range(5)]
        await asyncio.sleep(0)
        await phases.fill(leader, the_reply())
        phases.leave(leader)
        replies = await asyncio.gather(*followers)
        assert {reply.body for reply in replies if reply is not None} == {ANSWER.body}
        assert len([reply for reply in replies if reply is not None]) == 5
        store.kept.clear()
        assert await ask(phases, asks()) == b"MISS"


def hang_up(phases: Caching, leader: Exchange) -> None:
    leader.connection.hung_up = True
    phases.leave(leader)


async def test_a_leader_that_is_gone_is_followed_by_one_and_one_that_fails_by_all() -> None:
    ends: tuple[tuple[Callable[[Caching, Exchange], None], int], ...] = (
        (hang_up, 1),
        (lambda phases, leader: phases.leave(leader), 5),
    )
    for end, expected in ends:
        async with caching(Store()) as phases:
            leader = asks()
            assert await phases.lookup(leader) is None
            followers = [asks() for _ in range(5)]
            tasks = [asyncio.create_task(phases.lookup(one)) for one in followers]
            await asyncio.sleep(0)
            end(phases, leader)
            for _ in range(10):
                await asyncio.sleep(0)
            assert [task.done() for task in tasks].count(True) == expected
            for one in followers:  # whoever asks now is answered, one after another
                phases.leave(one)
                for _ in range(10):
                    await asyncio.sleep(0)
            assert [await task for task in tasks] == [None] * 5


async def test_another_steps_answer_is_not_kept() -> None:
    store = Store()
    async with caching(store) as phases:
        exchange = asks()
        assert await phases.lookup(exchange) is None
        exchange.turn = 1
        await phases.fill(exchange, the_reply())
        phases.leave(exchange)
    assert store.kept == {}


async def test_streams_and_whole_answers_are_apart_even_under_a_key_of_their_own() -> None:
    wishes = Options(cache=CacheWishes(key=b"k", streams=True))
    async with caching(Store()) as phases:
        assert await ask(phases, an_exchange(options=wishes)) == b"MISS"
        assert await ask(phases, an_exchange(options=wishes)) == b"HIT"
        assert await ask(phases, an_exchange(options=wishes, asked=Asked(model="ok", stream=True))) == b"MISS"


# What other processes ask


async def test_the_answer_that_another_process_brings_is_a_hit_for_all_who_wait_here() -> None:
    store, locks = Store(), Locks()
    async with caching(store, locks) as phases:
        first = asks()
        await ask(phases, first)  # to learn the key
        (key,) = store.kept
        store.kept.clear()
        assert not locks.held
        locks.elsewhere = True
        waiting = [asyncio.create_task(ask(phases, asks())) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in waiting)
        store.kept[key] = ANSWER
        locks.elsewhere = False
        assert await asyncio.gather(*waiting) == [b"HIT"] * 5
        assert not locks.held


async def test_where_another_process_has_no_answer_to_give_this_one_asks_and_holds_nobody_up() -> None:
    store, locks = Store(), Locks()
    locks.elsewhere = True
    async with caching(store, locks) as phases:
        exchange = asks()
        looking_up = asyncio.create_task(phases.lookup(exchange))
        await asyncio.sleep(0.03)
        locks.elsewhere = False
        assert await looking_up is None
        assert exchange.cache_status == b"MISS"
        assert not locks.held  # a third process need not wait for the second try
        await phases.fill(exchange, the_reply())
        phases.leave(exchange)
    assert list(store.kept.values()) == [ANSWER]


async def test_who_hangs_up_while_another_process_is_asked_lets_the_next_in_line_wait() -> None:
    store, locks = Store(), Locks()
    locks.elsewhere = True
    async with caching(store, locks) as phases:
        leaving = asyncio.create_task(phases.lookup(asks()))
        await asyncio.sleep(0)
        staying = asyncio.create_task(ask(phases, asks()))
        await asyncio.sleep(0.02)
        leaving.cancel()
        await asyncio.wait((leaving,))
        locks.elsewhere = False
        assert await staying == b"MISS"
        assert not locks.held


async def test_locks_that_cannot_be_used_hold_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    store, locks = Store(), Locks()
    locks.problem = StoreUnusable("flights: no locks on this disk")
    async with caching(store, locks) as phases:
        assert await ask(phases, asks()) == b"MISS"
    assert "no locks on this disk" in caplog.text
