"""Makes the snapshots that were asked for: claim → wait for all logs → choose → copy, redacted and hashed → ready.

Each server process has one Freezer. A claim is a lease, and each claim freezes into a scope of its own: a maker
that lost its claim (slow, stopped, cut off) can spoil nothing, and what it left is swept.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count

from msgspec import Struct, structs

from gaugeway.core.erasing import finish_erasing
from gaugeway.core.errors import GaugewayError, SearchTooLong
from gaugeway.core.model import Bodies, Logged, LogRecord, Scope
from gaugeway.core.ports import Clock, LogSink, LogStore, LossJournal, Retention
from gaugeway.core.query import Slice
from gaugeway.core.snapshot_hashes import content, item_hash
from gaugeway.core.snapshots import (
    FROZEN,
    MAX_ITEMS,
    Snapshot,
    SnapshotItem,
    SnapshotStatus,
    SnapshotStore,
    Tally,
)
from gaugeway.evaluation.conclusion import reason, warning_of_losses
from gaugeway.evaluation.durable import until_durable
from gaugeway.evaluation.freezing.choosing import Chooser
from gaugeway.evaluation.freezing.redaction import redact, rules_of
from gaugeway.evaluation.selection import Unselectable, select_dataset
from gaugeway.evaluation.threads import in_thread, in_thread_until

_logger = logging.getLogger(__name__)

MAX_SELECTED = 250_000
"""Logs that a dataset may select for a snapshot, of which MAX_ITEMS become items."""
BATCH_LOGS = 64
BATCH_BYTES = 8 * 1024 * 1024
"""Of bodies that are held at once; one log more than that may be held."""
PROGRESS_S = 1.0


class FreezingPace(Struct, frozen=True, kw_only=True):
    """The freezer's times and limits."""

    poll_s: float = 2.0
    lease_ms: int = 10_000
    renew_s: float = 3.0
    flush_timeout_s: float = 10.0
    retry_s: float = 5.0
    tries: int = 10  # in one process, until the snapshot is given up
    sweep_s: float = 60.0  # between looks for frozen logs that belong to nobody
    rest: float = 1.0  # of the time that copying a batch takes, what is left to requests after it


class FreezingFailed(GaugewayError):
    """The snapshot cannot be made, and trying again would not help."""


class Lost(GaugewayError):
    """Somebody else makes it, or it was deleted."""


class _Claim(Struct):
    snapshot: Snapshot
    owner: str
    abandoned: bool = False

    def check(self) -> None:
        """Raise Lost where nobody wants it any more."""
        if self.abandoned:
            raise Lost


class Freezer:
    """Takes snapshots from the queue, one at a time, until cancelled. `owner` differs between all processes."""

    def __init__(
        self,
        *,
        snapshots: SnapshotStore,
        logs: LogStore,
        frozen_scopes: Callable[[], Sequence[Scope]],
        sink: LogSink,
        clock: Clock,
        owner: str,
        losses: LossJournal | None = None,
        pace: FreezingPace | None = None,
    ) -> None:
        self._snapshots = snapshots
        self._logs = logs
        self._frozen_scopes = frozen_scopes
        self._sink = sink
        self._clock = clock
        self._owner = owner
        self._losses = losses
        self._pace = pace or FreezingPace()
        self._claims = count(1)
        self._tries: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._swept = -float("inf")

    def wake(self) -> None:
        """Look now: a snapshot was asked for or deleted. From any thread, at any time."""
        if self._loop is not None and not self._loop.is_closed():
            self._swept = -float("inf")
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run_forever(self) -> None:
        """Make what is asked for, and tidy up, until cancelled; what is being made is then put back."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            try:
                busy = await self.step()
            except Exception:
                _logger.exception("the queue of snapshots cannot be worked on")
                busy = False
                await asyncio.sleep(self._pace.retry_s)
            if not busy:
                try:
                    async with asyncio.timeout(self._pace.poll_s):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def step(self) -> bool:
        """Tidy up where it is time to, and make the next snapshot; whether there was one."""
        if time.monotonic() - self._swept > self._pace.sweep_s:
            self._swept = time.monotonic()
            await in_thread(self._sweep)
        number = next(self._claims)
        owner = f"{self._owner}/freezer/{number}"
        frozen = f"{FROZEN}{owner}"
        claim = self._snapshots.claim
        snapshot = await in_thread(claim, owner, frozen, self._clock.now_ms(), self._pace.lease_ms)
        if snapshot is None:
            return False
        await self._run(_Claim(snapshot, owner))
        return True

    def _sweep(self) -> None:
        """End what was begun, and delete frozen logs that belong to no snapshot (any more)."""
        for snapshot in self._snapshots.to_erase():
            finish_erasing(self._snapshots, self._logs, snapshot)
        # In this order: a snapshot names its scope before anything is frozen in it.
        there = self._frozen_scopes()
        known = self._snapshots.frozen() if there else set[Scope]()
        for scope in there:
            if scope not in known:
                self._logs.delete_scope(scope)

    async def _run(self, claim: _Claim) -> None:
        snapshot = claim.snapshot
        try:
            async with self._held(claim):
                made = await self._make(claim)
        except asyncio.CancelledError:
            await self._put_back(claim, "the server was stopped", 0)
            raise
        except Lost:
            _logger.info("snapshot %s was taken over or deleted", snapshot.id)
            return
        except (FreezingFailed, Unselectable, SearchTooLong) as problem:
            made = self._failed(snapshot, str(problem))
        except Exception as problem:
            _logger.warning("snapshot %s could not be made", snapshot.id, exc_info=True)
            tries = self._tries[snapshot.id] = self._tries.get(snapshot.id, 0) + 1
            if tries < self._pace.tries:
                why = f"try {tries} ended with {reason(problem)}"
                await self._put_back(claim, why, round(self._pace.retry_s * 1000))
                return
            made = self._failed(snapshot, f"given up after {tries} tries, the last ended with {reason(problem)}")
        self._tries.pop(snapshot.id, None)
        await in_thread(self._snapshots.save, made, claim.owner)

    def _failed(self, snapshot: Snapshot, why: str) -> Snapshot:
        return self._told(snapshot, SnapshotStatus.FAILED, f"failed: {why}")

    def _told(self, snapshot: Snapshot, status: SnapshotStatus, description: str) -> Snapshot:
        now_ms = self._clock.now_ms()
        return structs.replace(snapshot, status=status, status_description=description, modified_at=now_ms)

    async def _put_back(self, claim: _Claim, why: str, delay_ms: int) -> None:
        """Say why it waits, and let the lease end in `delay_ms`. If that fails too, it ends by itself."""
        waiting = self._told(claim.snapshot, SnapshotStatus.QUEUED, f"queued again: {why}")
        try:
            if await in_thread(self._snapshots.save, waiting, claim.owner):
                await in_thread(self._snapshots.renew, claim.snapshot, claim.owner, self._clock.now_ms(), delay_ms)
        except Exception:
            _logger.warning("snapshot %s waits for its lease to end", claim.snapshot.id, exc_info=True)

    @asynccontextmanager
    async def _held(self, claim: _Claim) -> AsyncGenerator[None]:
        """Keep the lease alive meanwhile."""
        renewing = asyncio.create_task(self._renew(claim))
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait((renewing,))

    async def _renew(self, claim: _Claim) -> None:
        renew = self._snapshots.renew
        while not claim.abandoned:
            await asyncio.sleep(self._pace.renew_s)
            try:
                now_ms = self._clock.now_ms()
                claim.abandoned = not await in_thread(
                    renew, claim.snapshot, claim.owner, now_ms, self._pace.lease_ms
                )
            except Exception:
                _logger.warning("the lease of %s was not renewed", claim.snapshot.id, exc_info=True)

    async def _make(self, claim: _Claim) -> Snapshot:
        """The snapshot, whole."""
        snapshot = claim.snapshot
        await until_durable(self._sink, self._pace.flush_timeout_s)

        def abandon() -> None:
            claim.abandoned = True

        losses = self._losses
        lost = 0 if losses is None else await in_thread(losses.lost, snapshot.scope, snapshot.created_at)
        log_ids, tally = await in_thread_until(abandon, self._choose, claim)
        copied = await in_thread_until(abandon, self._copy, claim, log_ids, structs.replace(tally, lost=lost))
        description = "; ".join(filter(None, ("ready", warning_of_losses(lost))))
        return structs.replace(self._told(snapshot, SnapshotStatus.READY, description), tally=copied)

    def _choose(self, claim: _Claim) -> tuple[list[bytes], Tally]:
        snapshot = claim.snapshot
        where = select_dataset(snapshot.dataset, snapshot.created_at)
        part = Slice(limit=MAX_SELECTED + 1, descending=False)
        log_ids = self._logs.ids(snapshot.scope, where, part)
        if len(log_ids) > MAX_SELECTED:
            raise FreezingFailed(f"the dataset selects more than {MAX_SELECTED} logs; narrow its filters")
        chooser, gone = Chooser(snapshot.recipe), 0
        for log_id in log_ids:
            claim.check()
            record = self._logs.get(snapshot.scope, log_id)
            bodies = self._logs.bodies(snapshot.scope, log_id) if chooser.reads_bodies else None
            if record is None:
                gone += 1
            else:
                chooser.see(record, bodies)
        chosen, tally = chooser.chosen()
        if len(chosen) > MAX_ITEMS:
            raise FreezingFailed(
                f"{len(chosen)} items were chosen, and a snapshot has at most {MAX_ITEMS}: take a sample"
            )
        return chosen, structs.replace(tally, gone=gone)

    def _copy(self, claim: _Claim, log_ids: Sequence[bytes], tally: Tally) -> Tally:
        snapshot = claim.snapshot
        copying = Copying(self._snapshots, self._logs, snapshot, claim.owner)
        told = began = time.monotonic()
        for done, log_id in enumerate(log_ids, 1):
            claim.check()
            record = self._logs.get(snapshot.scope, log_id)
            if record is None:
                tally = structs.replace(tally, gone=tally.gone + 1)
            else:
                tally = copying.take(record, self._logs.bodies(snapshot.scope, log_id), tally)
            if copying.is_full:
                copying.write()
                time.sleep((time.monotonic() - began) * self._pace.rest)
                began = time.monotonic()
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                description = f"running: {done} of {len(log_ids)} items"
                self._snapshots.save(self._told(snapshot, SnapshotStatus.RUNNING, description), claim.owner)
        copying.write()
        return tally


class Copying:
    """Freezes logs into a snapshot that its owner makes, batch by batch."""

    def __init__(self, snapshots: SnapshotStore, logs: LogStore, snapshot: Snapshot, owner: str) -> None:
        self._snapshots = snapshots
        self._logs = logs
        self._snapshot = snapshot
        self._owner = owner
        self._rules = rules_of(snapshot.recipe.redact)
        self._batch: list[Logged] = []
        self._items: list[SnapshotItem] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether it is time to write."""
        return len(self._batch) >= BATCH_LOGS or self._size > BATCH_BYTES

    def take(self, record: LogRecord, bodies: Bodies | None, tally: Tally) -> Tally:
        """Add a log to the batch; the tally with what became of it."""
        redacted = redact(self._rules, record, bodies)
        frozen = structs.replace(redacted.record, gateway_id=self._snapshot.frozen)
        kept = redacted.bodies
        self._batch.append(Logged(frozen, kept))
        self._items.append(SnapshotItem(log_id=record.id, hash=item_hash(content(frozen, kept))))
        self._size += 0 if kept is None else len(kept.request or b"") + len(kept.response or b"")
        return structs.replace(
            tally,
            redacted=tally.redacted + redacted.changed,
            bodies_dropped=tally.bodies_dropped + redacted.dropped,
        )

    def write(self) -> None:
        """Keep the batch; Lost where it is nobody's any more."""
        self._logs.append(self._batch, keep_all)
        if not self._snapshots.put(self._snapshot, self._owner, self._items):
            raise Lost
        self._batch, self._items, self._size = [], [], 0


def keep_all(_scope: Scope) -> Retention:
    """Frozen logs have no limit."""
    return Retention(None, None)
