"""The exact cache: lookup before anything is asked, fill while the answer is passed on (contract 5.1)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from gaugeway.core import ids
from gaugeway.core.errors import StoreUnusable
from gaugeway.core.ports import CachedAnswer, CacheStore, Clock, FlightLocks
from gaugeway.proxy.cache_key import cache_key
from gaugeway.proxy.cache_policy import HIT, MISS, NO_WISHES, CacheWishes, lifetime
from gaugeway.proxy.exchange import Exchange, Reply
from gaugeway.proxy.filling import (
    Allowance,
    Copying,
    decoded,
    header_of,
    is_sound,
    kept_headers,
    may_be_kept,
)
from gaugeway.proxy.flights import End, Filling, Flight, Flights, Name

MAX_COPIES = 256 * 1024 * 1024
"""Bytes of answers that are being collected at once in one process; beyond it they are passed on only."""

FOLLOW_S = 5.0
"""Seconds that followers wait for the rest of an answer that has begun: its leader may read slowly."""

LOOK_EVERY_S = 0.01, 0.1
"""Seconds between looks for an answer that another process asks for: at first, and at most."""

STORE_WAIT_S = 0.25
"""Seconds that an answer's last piece waits for the store at most, so that whoever has it whole finds it cached."""

MAX_WRITES = 100
"""Answers waiting to be written; beyond it they are not kept."""

SMALL = 64 * 1024
"""Bytes that are hashed, decoded and checked at once; more is done in a thread."""

SWEEP_EVERY_S = 60.0
SAY_EVERY_S = 60.0

_logger = logging.getLogger("uvicorn.error")


class Caching:
    """The phases lookup and fill."""

    def __init__(self, store: CacheStore, locks: FlightLocks, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._flights = Flights(locks)
        self._allowance = Allowance(MAX_COPIES)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cache")
        self._writes: set[asyncio.Future[None]] = set()
        self._said_at = -SAY_EVERY_S

    def lookup(self, exchange: Exchange) -> Awaitable[Reply | None] | None:
        """Answer from the cache; else note that the answer is to be kept, or wait for who already asks the same.

        Runs after routing, which knows the provider's credentials and the model, and before rate limits: a hit
        is not limited.
        """
        gateway, wishes = exchange.gateway, exchange.options.cache
        if wishes is None and not gateway.cache_ttl:
            return None
        wishes = wishes or NO_WISHES
        lives = lifetime(wishes, gateway, exchange.method, exchange.asked, len(exchange.body))
        return self._look_up(exchange, wishes, lives) if lives else None

    async def _look_up(self, exchange: Exchange, wishes: CacheWishes, lives: int) -> Reply | None:
        if len(exchange.body) > SMALL:
            key = await asyncio.to_thread(cache_key, exchange, wishes.key)
        else:
            key = cache_key(exchange, wishes.key)
        found = await self._find_or_lead(exchange, key)
        if isinstance(found, CachedAnswer):
            reply = await _reply_with(found, exchange)
            if reply is not None:
                exchange.cache_status, exchange.hit = HIT, found
                return reply
            found = self._flights.alone((key, exchange.gateway.modified_at))
        exchange.cache_status = MISS
        exchange.filling = Filling(
            key=key,
            scope=exchange.gateway.scope,
            flight=found,
            lifetime=lives,
            streams=wishes.streams,
            turn=exchange.turn,
            asked_at=ids.time_ms(exchange.log_id),
        )
        return None

    async def _find_or_lead(self, exchange: Exchange, key: bytes) -> CachedAnswer | Flight:
        """The answer, kept or just arrived for another; else the flight in which this request asks itself."""
        name = (key, exchange.gateway.modified_at)
        while True:
            kept = self._read(key)
            if kept is not None:
                return kept
            flight = self._flights.find(name)
            if flight is None:
                return await self._lead(name)
            landed = await flight.follow()
            if isinstance(landed, CachedAnswer):
                return landed
            if landed is End.EACH_ALONE:
                return self._flights.alone(name)

    async def _lead(self, name: Name) -> CachedAnswer | Flight:
        """A flight that asks the provider, unless another process that does so brings the answer first."""
        flight = self._flights.start(name)
        try:
            kept = await self._await_elsewhere(name)
        except BaseException:
            flight.end(End.LEADER_GONE)
            raise
        if kept is None:
            return flight
        flight.land(kept)
        flight.leave()
        return kept

    async def _await_elsewhere(self, name: Name) -> CachedAnswer | None:
        """The answer that another process asks for; None where none does, or it has none for others."""
        pause, longest = LOOK_EVERY_S
        waited = False
        while not self._take_lead(name):
            waited = True
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)
        kept = self._read(name[0])  # it may have come between the first look and the lock
        if waited and kept is None:
            self._flights.free_lead(name)  # each asks for itself: what failed elsewhere is not asked one by one
        return kept

    def _take_lead(self, name: Name) -> bool:
        try:
            return self._flights.take_lead(name)
        except StoreUnusable as problem:
            self._say(f"processes cannot wait for each other's answers: {problem}")
            return True

    def _read(self, key: bytes) -> CachedAnswer | None:
        try:
            return self._store.get(key, self._clock.now_ms())
        except StoreUnusable as problem:
            self._say(f"the cache cannot be read, so that every request is asked anew: {problem}")
            return None

    async def fill(self, exchange: Exchange, reply: Reply) -> None:
        """Keep the answer that goes downstream now, if it may be kept and comes whole.

        Runs between forward and relay, for requests that `lookup` could not answer.
        """
        filling = exchange.filling
        if filling is None:
            return
        if (
            reply.incoming is None
            or exchange.turn != filling.turn
            or not may_be_kept(reply, streams=filling.streams)
        ):
            filling.flight.end(End.EACH_ALONE)
            return
        loop = asyncio.get_running_loop()
        filling.timer = loop.call_later(FOLLOW_S, filling.flight.end, End.EACH_ALONE)
        headers = kept_headers(reply.headers)
        if reply.body is not None:
            await self._keep(filling, CachedAnswer(headers, reply.body))
            return

        async def keep(body: bytes) -> None:
            await self._keep(filling, CachedAnswer(headers, body))

        reply.incoming = Copying(reply.incoming, self._allowance, keep, lambda: filling.flight.end(End.EACH_ALONE))

    def leave(self, exchange: Exchange) -> None:
        """The exchange is over: whoever still waits for its answer is told. On every path."""
        filling = exchange.filling
        if filling is not None:
            if filling.timer is not None:
                filling.timer.cancel()
            filling.flight.end(End.LEADER_GONE if exchange.gone else End.EACH_ALONE)

    async def _keep(self, filling: Filling, answer: CachedAnswer) -> None:
        """Hand a whole answer to the followers and to the store; does not wait long for the latter."""
        flight = filling.flight
        sound = is_sound(answer) if len(answer.body) <= SMALL else await asyncio.to_thread(is_sound, answer)
        if not sound:
            flight.end(End.EACH_ALONE)
            return
        flight.land(answer)
        if len(self._writes) >= MAX_WRITES:
            flight.leave()
            self._say(f"the cache cannot be written as fast as answers come: more than {MAX_WRITES} wait")
            return
        write = asyncio.get_running_loop().run_in_executor(self._writer, self._write, filling, answer)
        self._writes.add(write)

        def written(done: asyncio.Future[None]) -> None:
            self._writes.discard(done)
            flight.leave()

        write.add_done_callback(written)
        await asyncio.wait((write,), timeout=STORE_WAIT_S)

    def _write(self, filling: Filling, answer: CachedAnswer) -> None:
        """In the writer's thread; raises nothing."""
        now = self._clock.now_ms()
        try:
            self._store.put(
                filling.scope,
                filling.key,
                answer,
                asked_at=filling.asked_at,
                now_ms=now,
                expires_at=now + filling.lifetime * 1000,
            )
        except StoreUnusable as problem:
            self._say(f"answers are not cached: {problem}")

    async def sweep_forever(self) -> None:
        """Every minute, delete what has expired."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            await loop.run_in_executor(self._writer, self._sweep)

    def _sweep(self) -> None:
        try:
            self._store.sweep(self._clock.now_ms())
        except StoreUnusable as problem:
            self._say(f"expired answers are not deleted from the cache: {problem}")

    async def aclose(self) -> None:
        """Wait for what is being written. The store may be closed after."""
        await asyncio.to_thread(self._writer.shutdown)

    def _say(self, text: str) -> None:
        if monotonic() - self._said_at >= SAY_EVERY_S:
            self._said_at = monotonic()
            _logger.warning(text)


async def _reply_with(answer: CachedAnswer, exchange: Exchange) -> Reply | None:
    """A kept answer as this client can read it; None where it cannot."""
    headers, body = list(answer.headers), answer.body
    coding = header_of(answer, b"content-encoding")
    if coding not in (b"", b"identity") and not accepts(exchange, coding):
        plain = decoded(answer) if len(body) <= SMALL else await asyncio.to_thread(decoded, answer)
        if plain is None:
            return None
        headers, body = [pair for pair in headers if pair[0] != b"content-encoding"], plain
    return Reply(status=200, headers=headers, body=body)


def accepts(exchange: Exchange, coding: bytes) -> bool:
    """Whether the request says that it can read a content coding. Who says nothing is given plain bytes."""
    for name, value in exchange.headers:
        if name == b"accept-encoding":
            for item in value.lower().split(b","):
                offered, _, weight = item.partition(b";")
                if offered.strip() in (coding, b"*") and weight.replace(b" ", b"") not in _NEVER:
                    return True
    return False


_NEVER = frozenset((b"q=0", b"q=0.0", b"q=0.00", b"q=0.000"))
