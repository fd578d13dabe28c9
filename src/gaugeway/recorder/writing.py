"""From frames to durable rows: group commit, prices, retries, and what one bad log may do (nothing)."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import force_setattr

from gaugeway.core.errors import GaugewayError, StoreFull
from gaugeway.core.model import Logged, LogRecord, Scope
from gaugeway.core.ports import LogStore, Mark, Retention
from gaugeway.core.pricing import Priced
from gaugeway.recorder.losses import Loss, Losses
from gaugeway.recorder.notice import Notice, Seldom
from gaugeway.recorder.salvage import BAD_DATA, describe, stand_in, stand_in_for_bytes

GROUP_ROWS = 2000
GROUP_BYTES = 16 * 1024 * 1024
ENOUGH_ROWS = 500
ENOUGH_BYTES = 2 * 1024 * 1024
COMMIT_EVERY_S = 0.15
"""A commit costs as much as some twenty rows, so fewer than ENOUGH_ROWS wait this long for company."""
RETRY_S = 1.0
HIGH_WATER = 32 * 1024 * 1024
LOW_WATER = HIGH_WATER // 2


class Sender(Protocol):
    """The connection a batch came through."""

    def durable(self, number: int) -> None:
        """Everything up to that number has been written."""
        ...


class Arrival(Struct):
    """A BATCH or LOSSES frame that waits to be written, as it came: encoded it is smallest."""

    sender: Sender
    client: str
    number: int
    payload: bytearray
    rows: int
    is_losses: bool = False


class Parts(Struct, frozen=True, kw_only=True):
    """What writing needs from outside."""

    open_store: Callable[[], LogStore]
    retention: Callable[[Scope], Retention]
    price: Callable[[LogRecord], Priced]
    saved: Callable[
        [LogRecord], Decimal | None
    ]  # what a cached answer did not cost; None: not known, or not cached
    note_losses: Callable[[Sequence[Loss]], None]  # makes losses durable; raises where it cannot
    living: Callable[[], set[str]]  # the clients that may still send
    say: Notice


class _Batch:
    """Logs of several arrivals in a row, and whose they are."""

    def __init__(self) -> None:
        self.logs: list[Logged] = []
        self._parts: list[tuple[Arrival, int, int, int]] = []  # with its place, and its logs left out before that

    def add(self, arrival: Arrival, logs: list[Logged], done: int) -> None:
        """All of an arrival's logs but those `done` before."""
        begin = len(self.logs)
        self.logs += logs[done:] if done else logs
        self._parts.append((arrival, begin, len(self.logs), done))

    def marks(self, begin: int, end: int) -> dict[str, Mark]:
        """How far each client is once the logs up to `end` are written, those up to `begin` being so."""
        marks: dict[str, Mark] = {}
        for arrival, first, last, done in self._parts:
            if last <= end and (last > begin or first >= begin):
                marks[arrival.client] = (arrival.number, arrival.rows)
            elif begin < last and first < end:
                marks[arrival.client] = (arrival.number, done + end - first)
        return marks


class Writing:
    """Everything that came and is not durable yet, and the loop that makes it so.

    `on_trouble` hears why nothing can be written, and None when it can again; `on_room` hears True when
    more may be read from the sockets and False when not.
    """

    def __init__(
        self, parts: Parts, on_trouble: Callable[[str | None], None], on_room: Callable[[bool], None]
    ) -> None:
        self._parts = parts
        self._on_trouble = on_trouble
        self._on_room = on_room
        self._store: LogStore | None = None
        self._marks: dict[str, Mark] = {}
        self._waiting: deque[Arrival] = deque()
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._has_room = True
        self._began_at = 0.0
        self._enough = asyncio.Event()
        self._wake = asyncio.Event()
        self._say_trouble = Seldom(parts.say, time.monotonic)
        self._say_bad_log = Seldom(parts.say, time.monotonic)
        self._bad_logs = 0
        self._bad_now = 0
        self._losses = Losses()
        self.trouble: str | None = None
        self.is_full = False  # whether the trouble is that there is no room
        self.received = 0
        self.written = 0
        self.on_written: Callable[[], None] = lambda: None

    @property
    def waiting_rows(self) -> int:
        """Logs that came and are not durable yet."""
        return self._waiting_rows

    @property
    def is_done(self) -> bool:
        """Whether all that came is durable."""
        return not self._waiting

    def take_in(self, arrival: Arrival) -> None:
        """Queue a frame."""
        self.received += 1
        self._waiting.append(arrival)
        self._waiting_rows += arrival.rows
        self._waiting_bytes += len(arrival.payload)
        if self._waiting_rows >= ENOUGH_ROWS or self._waiting_bytes >= ENOUGH_BYTES:
            self._enough.set()
        if self._has_room and self._waiting_bytes > HIGH_WATER:
            self._has_room = False
            self._on_room(False)
        self._wake.set()

    def hurry(self) -> None:
        """Somebody waits for what has come: write it at once."""
        if self._waiting:
            self._enough.set()

    async def run(self) -> None:
        """Write for ever; a failure is told and tried again, once a second."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            pause = self._began_at + COMMIT_EVERY_S - loop.time()
            if pause > 0 and not self._enough.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._enough.wait(), pause)
            self._began_at = loop.time()
            group = self._next_group()
            try:
                self._write(group)
            except Exception as problem:  # noqa: BLE001  whatever the store raises, the logs are kept
                self._failed(problem)
                await asyncio.sleep(RETRY_S)
                continue
            self._done(len(group))
            await asyncio.sleep(0)  # the sockets' turn

    def _next_group(self) -> list[Arrival]:
        group: list[Arrival] = []
        rows = size = 0
        for arrival in self._waiting:
            rows += arrival.rows
            size += len(arrival.payload)
            if group and (rows > GROUP_ROWS or size > GROUP_BYTES):
                break
            group.append(arrival)
        return group

    def _write(self, group: Sequence[Arrival]) -> None:
        if self._store is None:
            store = self._parts.open_store()
            self._marks = store.marks(self._parts.living())
            self._store = store
        self._losses = Losses()  # what was lost in an attempt that failed is found again in the next one
        self._bad_now = 0
        batch = _Batch()
        losses: list[Loss] = []
        marks = self._marks.copy()
        for arrival in group:
            if arrival.is_losses:
                losses.extend(self._losses_of(arrival))
                continue
            number, done = marks.get(arrival.client, (0, 0))
            if arrival.number < number or (arrival.number == number and done >= arrival.rows):
                continue  # sent again, because its acknowledgement was lost
            batch.add(arrival, self._decode(arrival), done if arrival.number == number else 0)
            marks[arrival.client] = (arrival.number, arrival.rows)
        for logged in batch.logs:
            self._price(logged.record)
        if batch.logs:
            self._append(batch, 0, len(batch.logs))
        losses.extend(self._losses.unreported())
        if losses:
            self._parts.note_losses(losses)
        self._bad_logs += self._bad_now

    def _done(self, count: int) -> None:
        numbers: dict[int, tuple[Sender, int]] = {}
        for _ in range(count):
            arrival = self._waiting.popleft()
            self._waiting_rows -= arrival.rows
            self._waiting_bytes -= len(arrival.payload)
            numbers[id(arrival.sender)] = (arrival.sender, arrival.number)
        self.written += count
        for sender, number in numbers.values():
            sender.durable(number)
        if self._waiting_rows < ENOUGH_ROWS and self._waiting_bytes < ENOUGH_BYTES:
            self._enough.clear()
        if not self._waiting:
            self._wake.clear()
        if not self._has_room and self._waiting_bytes < LOW_WATER:
            self._has_room = True
            self._on_room(True)
        if self.trouble is not None:
            self.trouble, self.is_full = None, False
            self._say_trouble = Seldom(self._parts.say, time.monotonic)
            self._parts.say("logs are written again")
            self._on_trouble(None)
        self.on_written()

    def _failed(self, problem: Exception) -> None:
        trouble = f"logs cannot be written, trying every second: {describe(problem)}"
        self._say_trouble(trouble)
        if trouble != self.trouble:
            self.trouble, self.is_full = trouble, _is_no_room(problem)
            self._on_trouble(trouble)

    # --- decode and price

    def _decode(self, arrival: Arrival) -> list[Logged]:
        try:
            return _decode_logs(arrival.payload)
        except BAD_DATA:
            return self._decode_one_by_one(arrival)

    def _decode_one_by_one(self, arrival: Arrival) -> list[Logged]:
        """One log breaks the contract (or the frame is no batch at all): the others must not suffer."""
        try:
            encoded = _decode_raw(arrival.payload)
        except BAD_DATA as problem:
            self._lose(Scope("", ""), problem, arrival.rows)
            return []
        logs: list[Logged] = []
        for one in encoded:
            try:
                logs.append(_decode_log(one))
            except BAD_DATA as problem:
                replacement = stand_in_for_bytes(one, problem)
                if replacement is None:
                    self._lose(Scope("", ""), problem)
                else:
                    self._tell_bad(f"log {replacement.record.id.hex()} was kept in part only: {describe(problem)}")
                    logs.append(replacement)
        return logs

    def _price(self, record: LogRecord) -> None:
        if record.cost is not None or record.cost_reason is not None:
            return
        try:
            priced = self._parts.price(record)
            saved = self._parts.saved(record) if record.usage_saved is not None else None
        except Exception as problem:  # noqa: BLE001  a log without its price is better than none
            priced, saved = Priced(reason=f"pricing failed: {describe(problem)}"), None
            self._tell_bad(f"log {record.id.hex()}: {priced.reason}")
        # The record was decoded here and nobody else has it, so it may still be finished.
        force_setattr(record, "cost", priced.cost)
        force_setattr(record, "cost_reason", priced.reason)
        force_setattr(record, "priced_by", priced.by)
        force_setattr(record, "cost_saved", saved)

    # --- append

    def _append(self, batch: _Batch, begin: int, end: int) -> None:
        """Append some; where the fault is in a log and not in the disk, find it and set it aside."""
        if self._store is None:
            raise RuntimeError("the store is not open")
        marks = batch.marks(begin, end)
        try:
            self._store.append(batch.logs[begin:end], self._parts.retention, marks)
        except (GaugewayError, OSError, MemoryError):  # the store's own troubles
            raise
        except Exception as problem:  # noqa: BLE001  a log may break the store's code in any way
            if end - begin > 1:
                middle = (begin + end) // 2
                self._append(batch, begin, middle)
                self._append(batch, middle, end)
                return
            self._append_stand_in(self._store, batch.logs[begin], marks, problem)
        self._marks |= marks

    def _append_stand_in(
        self, store: LogStore, logged: Logged, marks: Mapping[str, Mark], problem: Exception
    ) -> None:
        """That the store takes the stand-in proves that the fault was the log's; else it is the store's."""
        replacement = stand_in(logged, problem)
        if replacement is not None:
            store.append([replacement], self._parts.retention, marks)
            self._tell_bad(f"log {logged.record.id.hex()} was kept in part only: {describe(problem)}")
        else:
            self._lose(logged.record.scope, problem)

    def _losses_of(self, arrival: Arrival) -> list[Loss]:
        try:
            return _decode_losses(arrival.payload)
        except BAD_DATA as problem:
            self._tell_bad(f"a count of lost logs cannot be decoded: {describe(problem)}")
            return []

    def _lose(self, scope: Scope, problem: Exception, count: int = 1) -> None:
        cause = f"cannot be stored: {describe(problem)}"
        self._losses.add(scope, time.time_ns() // 1_000_000, cause, count)
        self._tell_bad(f"lost {count} logs: {cause}")

    def _tell_bad(self, text: str) -> None:
        self._bad_now += 1
        self._say_bad_log(f"{text} ({self._bad_logs + self._bad_now} such cases since the recorder's start)")


def _is_no_room(problem: Exception) -> bool:
    return isinstance(problem, StoreFull) or (
        isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, errno.EDQUOT)
    )


_decode_logs = msgspec.msgpack.Decoder(list[Logged]).decode
_decode_log = msgspec.msgpack.Decoder(Logged).decode
_decode_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_decode_losses = msgspec.msgpack.Decoder(list[Loss]).decode
