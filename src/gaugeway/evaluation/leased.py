"""Takes jobs from a queue that several processes share, each held by a lease while it is worked on.

What dies is taken over when its lease runs out; what fails is put back, and given up if that goes on for too long.
What a holder writes is written as its claim's owner, and the store refuses it to whoever no longer holds the claim:
a job is concluded once, whoever dies, hangs or comes back meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import ClassVar, Generic, Protocol, TypeVar

from msgspec import Struct

from gaugeway.core.ports import Clock
from gaugeway.evaluation.conclusion import reason
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.threads import in_thread

_logger = logging.getLogger(__name__)


class Pace(Struct, frozen=True, kw_only=True):
    """A queue's times and limits."""

    poll_s: float = 1.0  # between looks for jobs that other processes accepted
    lease_ms: int = 10_000  # a claim not renewed for so long is anybody's
    renew_s: float = 3.0  # between renewals
    flush_timeout_s: float = 10.0  # for the logs accepted so far to be durable
    retry_s: float = 1.0  # before the second try; doubles with each
    retry_max_s: float = 30.0
    patience_s: float = 300.0  # of failing tries, until the job is concluded as failed
    at_once: int = 4  # jobs that one process works on at a time, so that a long one does not hold up a short one

    def delay_s(self, tries: int) -> float:
        """How long to wait after so many failed tries in a row."""
        return min(self.retry_s * 2 ** min(tries - 1, 30), self.retry_max_s)


STANDARD = Pace()


class Job(Protocol):
    """What is in a queue."""

    @property
    def id(self) -> str:
        """Unlike any other's."""
        ...


T = TypeVar("T", bound=Job)


class Queue(Protocol[T]):
    """Where jobs wait. `owner` is unlike any other of any process and any claim."""

    def claim(self, owner: str, now_ms: int, lease_ms: int, /) -> T | None: ...
    def renew(self, job: T, owner: str, now_ms: int, lease_ms: int, /) -> bool:
        """Hold on to it for that long (0: let go at once); False where it was lost."""
        ...


class Held(Generic[T]):
    """A job that we hold, as it was written last. Each claim has an owner of its own: a stale one cannot write."""

    def __init__(self, job: T, owner: str) -> None:
        self.job = job
        self.owner = owner
        self.when_lost: Callable[[], None] | None = None
        """Ends what is being done for it."""


class Leased(ABC, Generic[T]):
    """Works a queue, a few jobs at a time, until cancelled.

    `owner` must differ between all processes that share the store, and from that of an earlier start.
    """

    NAME: ClassVar[str]
    """What a job is called in messages."""

    def __init__(self, queue: Queue[T], clock: Clock, owner: str, at_once: int, pace: Pace) -> None:
        self._queue = queue
        self._clock = clock
        self._owner = owner
        self._at_once = at_once
        self._pace = pace
        self._claims = count(1)
        self._troubles = _Troubles()
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @abstractmethod
    async def work(self, held: Held[T]) -> None:
        """Do a job to its end, and write that; ClaimLost where somebody else has it, or it was deleted."""

    @abstractmethod
    def put_back(self, held: Held[T], why: str) -> bool:
        """Write down why it waits for another try; False where the claim is lost, or the job has ended."""

    @abstractmethod
    def give_up(self, held: Held[T], why: str) -> None:
        """Write down that it failed for good."""

    def went_well(self, held: Held[T]) -> None:
        """A job that goes on for long has come on, so that its earlier troubles count no more."""
        self._troubles.forget(held.job.id)

    def wake(self) -> None:
        """Look into the queue now: there is a new job. From any thread, at any time."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run_forever(self) -> None:
        """Work what is in the queue and what comes, until cancelled; what is under way is then put back."""
        self._loop = asyncio.get_running_loop()
        running: set[asyncio.Task[None]] = set()
        try:
            await self._take_turns(running)
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)

    async def _take_turns(self, running: set[asyncio.Task[None]]) -> None:
        """Claim, as long as there is room for one more job, and let it be worked on in a task of its own."""
        failures = 0
        while True:
            while len(running) >= self._at_once:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            self._woken.clear()
            try:
                held = await self._claim_next()
            except Exception:
                failures += 1
                _logger.exception("the queue of %ss cannot be read (%d times in a row)", self.NAME, failures)
                await asyncio.sleep(self._pace.delay_s(failures))
                continue
            failures = 0
            if held is None:
                await self._wait_for_work()
                continue
            task = asyncio.create_task(self._run(held))
            running.add(task)
            task.add_done_callback(running.discard)

    async def _wait_for_work(self) -> None:
        try:
            async with asyncio.timeout(self._pace.poll_s):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _claim_next(self) -> Held[T] | None:
        """The next job of the queue, held by us; None where there is none to do."""
        owner = f"{self._owner}/{next(self._claims)}"
        job = await in_thread(self._queue.claim, owner, self._clock.now_ms(), self._pace.lease_ms)
        return None if job is None else Held(job, owner)

    async def _run(self, held: Held[T]) -> None:
        """Work a claimed job to its end, or see to it that it is tried again."""
        key = held.job.id
        try:
            async with self._kept(held):
                await self.work(held)
        except asyncio.CancelledError:
            await self._put_back(held, "the server was stopped", 0)
            raise
        except ClaimLost:
            _logger.info("%s %s was taken over, cancelled or deleted", self.NAME, key)
        except Exception as problem:
            _logger.warning("%s %s could not be run", self.NAME, key, exc_info=True)
            await self._retry(held, problem)
            return
        self._troubles.forget(key)

    @asynccontextmanager
    async def _kept(self, held: Held[T]) -> AsyncGenerator[None]:
        """Keep the lease alive meanwhile."""
        renewing = asyncio.create_task(self._renew(held))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait((renewing,))

    async def _renew(self, held: Held[T]) -> None:
        """Renew until cancelled or lost. A lost claim needs no more than that: what it writes is refused."""
        while True:
            await asyncio.sleep(self._pace.renew_s)
            try:
                if not await self._lease(held, self._pace.lease_ms):
                    if held.when_lost is not None:
                        held.when_lost()
                    return
            except Exception:
                _logger.warning("the lease of %s %s was not renewed", self.NAME, held.job.id, exc_info=True)

    async def _retry(self, held: Held[T], problem: Exception) -> None:
        """Put it back for a later try, or conclude it as failed when these went on for too long."""
        key, why = held.job.id, reason(problem)
        tries, since_s = self._troubles.add(key, asyncio.get_running_loop().time())
        if since_s < self._pace.patience_s:
            delay_s = self._pace.delay_s(tries)
            await self._put_back(held, f"try {tries} ended with {why}", round(delay_s * 1000))
            return
        why = f"given up after {tries} tries in {since_s:.0f} s, the last ended with {why}"
        try:
            await in_thread(self.give_up, held, why)
        except Exception:
            _logger.exception("%s %s: not even its failure could be written", self.NAME, key)
        else:
            self._troubles.forget(key)

    async def _put_back(self, held: Held[T], why: str, delay_ms: int) -> None:
        """Say why it waits, and let the lease end in `delay_ms`. If that fails too, it ends by itself."""
        try:
            if await in_thread(self.put_back, held, why):
                await self._lease(held, delay_ms)
        except Exception:
            _logger.warning("%s %s waits for its lease to end", self.NAME, held.job.id, exc_info=True)

    async def _lease(self, held: Held[T], lease_ms: int) -> bool:
        return await in_thread(self._queue.renew, held.job, held.owner, self._clock.now_ms(), lease_ms)


class _Troubles:
    """How often and since when jobs have failed in this process, of the latest 1000 of them."""

    LIMIT = 1000

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, float]] = {}

    def add(self, key: str, now_s: float) -> tuple[int, float]:
        """Count one more; how many in a row, and seconds since the first."""
        tries, first_s = self._known.pop(key, (0, now_s))
        self._known[key] = (tries + 1, first_s)
        if len(self._known) > self.LIMIT:
            del self._known[next(iter(self._known))]
        return tries + 1, now_s - first_s

    def forget(self, key: str) -> None:
        """It went well."""
        self._known.pop(key, None)
