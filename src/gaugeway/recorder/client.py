"""A server worker's end of the recorder: takes logs in microseconds, holds them until they are durable."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, structs

from gaugeway.core.model import Logged, Scope
from gaugeway.recorder import wire
from gaugeway.recorder.address import Presence
from gaugeway.recorder.link import Link, connect
from gaugeway.recorder.losses import Losses
from gaugeway.recorder.notice import Notice, Seldom, notice
from gaugeway.recorder.salvage import BAD_DATA, describe, stand_in

FLUSH_DELAY_S = 0.025
RECORD_BYTES = 1024
"""What a record without bodies is taken to weigh until it is encoded and its size is known."""
MAX_LOG = wire.MAX_FRAME - 1024 * 1024
"""Bytes of one log with its bodies, so that it fits a frame; a larger one is kept without them."""
REPORT_EVERY_S = 1.0
BACKOFF_S = (0.01, 1.0)
STEADY_S = 1.0  # a connection that lasted so long makes the next attempt start at the lowest back-off


class RecorderState(Struct, frozen=True, kw_only=True):
    """How the logs of one worker fare."""

    connected: bool
    held_bytes: int  # of logs that are not known to be durable yet, waiting or sent
    unacknowledged: int  # logs that are not known to be durable yet
    bodies_lost: int  # logs kept without their bodies, because the queue was half full
    lost: int  # logs not kept at all
    lost_by_gateway: dict[Scope, int]
    trouble: str | None  # why logs do not get through right now, in words


class _Sent(Struct):
    number: int
    data: bytes | bytearray
    logs: int


class RecorderClient:
    """The `LogSink` of a server worker. Everything is called in its event loop's thread.

    Batches stay in memory until the recorder says that they are durable, and are sent again after either
    end of the connection broke. At most `queue_bytes` are held: above half of it logs lose their bodies
    (`bodies_lost` on the record), above all of it they are lost, counted, and said aloud.

    `spawn` is called whenever there is no connection: it makes sure that a recorder serves or starts.
    """

    def __init__(self, data: Path, spawn: Callable[[], None], queue_bytes: int, *, say: Notice = notice) -> None:
        self._data = data
        self._spawn = spawn
        self._limit = queue_bytes
        self._half = queue_bytes // 2
        self._easy = min(self._half, MAX_LOG)  # up to here nothing needs a closer look
        self._say = say
        self._queue: list[Logged] = []
        self._queued_bytes = 0
        self._held_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sent: deque[_Sent] = deque()
        self._outbox: deque[bytes | bytearray] = deque()
        self._number = 0
        self._link: Link | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._presence: Presence | None = None
        self._trouble: str | None = "not connected to the recorder yet"
        self._is_full = False
        self._losses = Losses()
        self._bodies_lost = 0
        self._report_timer: asyncio.TimerHandle | None = None
        self._say_loss = Seldom(say, time.monotonic)
        self._say_bad_log = Seldom(say, time.monotonic)
        self._bad_logs = 0
        self._told_lost = 0
        self._asked: asyncio.Future[bool] | None = None  # the barrier that was sent
        self._next: asyncio.Future[bool] | None = None  # the one to send after it
        self._barrier = 0
        self._progress = False
        self._emptied: asyncio.Future[None] | None = None  # somebody waits until nothing is unacknowledged
        self._is_closed = False

    # --- what the data plane calls

    def start(self) -> None:
        """Connect, starting a recorder where there is none. Needs a running loop; a second call does nothing."""
        self._running()

    def put(self, logged: Logged) -> None:
        """Take a log; it is durable within a second."""
        size = RECORD_BYTES
        bodies = logged.bodies
        if bodies is not None:
            if bodies.request is not None:
                size += len(bodies.request)
            if bodies.response is not None:
                size += len(bodies.response)
        if self._held_bytes + size > self._easy:
            fitting = self._fit(logged, size)
            if fitting is None:
                return
            logged, size = fitting
        self._held_bytes += size
        self._queued_bytes += size
        self._queue.append(logged)
        if self._timer is None:
            self._arm()

    async def flush(self, timeout_s: float | None = None) -> bool:
        """Wait until every log that any client of this data folder has put so far is durable."""
        self.start()
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        future = self._next
        self._flush_queue()
        self._ask()
        done, _ = await asyncio.wait((future,), timeout=timeout_s)
        return bool(done) and future.result()

    def is_full(self) -> bool:
        """See LogSink."""
        return self._is_full

    async def aclose(self, timeout_s: float = 10.0) -> bool:
        """Hand everything over and leave. False, and said aloud, where that took too long: the rest is lost."""
        if self._loop is None or self._is_closed:
            return True
        self._flush_queue()
        self._report_losses()
        if self._sent:
            self._emptied = self._loop.create_future()
            await asyncio.wait((self._emptied,), timeout=timeout_s)
        self._is_closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        left = sum(sent.logs for sent in self._sent)
        if left:
            why = self._trouble or "it was too slow"
            self._say(f"{left} logs may be lost: the recorder did not confirm them in {timeout_s:g} s ({why})")
        self._let_go()
        return not left

    def _let_go(self) -> None:
        for timer in (self._timer, self._report_timer):
            if timer is not None:
                timer.cancel()
        for waiting in (self._asked, self._next):
            if waiting is not None and not waiting.done():
                waiting.set_result(False)
        if self._presence is not None:
            self._presence.leave()
        if self._link is not None:
            self._link.send(wire.frame(wire.Kind.BYE))
            self._link.close()
            self._link = None

    @property
    def lost(self) -> int:
        """Logs that were not kept at all, since the start."""
        return self._losses.total

    def state(self) -> RecorderState:
        """How the logs of this worker fare, for /readyz and /metrics."""
        return RecorderState(
            connected=self._link is not None,
            held_bytes=self._held_bytes,
            unacknowledged=len(self._queue) + sum(sent.logs for sent in self._sent),
            bodies_lost=self._bodies_lost,
            lost=self._losses.total,
            lost_by_gateway=dict(self._losses.by_gateway),
            trouble=self._trouble,
        )

    # --- the bounds

    def _fit(self, logged: Logged, size: int) -> tuple[Logged, int] | None:
        """The log as it may be kept, and its weight: whole, without its bodies, or not at all."""
        held = self._held_bytes
        too_much = held > self._half or held + size > self._limit or size > MAX_LOG
        if size > RECORD_BYTES and too_much:
            logged = Logged(structs.replace(logged.record, bodies_lost=True))
            size = RECORD_BYTES
            self._bodies_lost += 1
        if held + size > self._limit:
            self._lose(logged, f"the queue of {self._limit} bytes for the recorder is full")
            return None
        return logged, size

    def _lose(self, logged: Logged, why: str) -> None:
        cause = f"{why}: {self._trouble}" if self._trouble else why
        self._losses.add(logged.record.scope, logged.record.created_at, cause)
        self._tell_losses(cause)
        self._arm_report()

    def _tell_losses(self, cause: str) -> None:
        more = self.lost - self._told_lost
        if self._say_loss(f"{more} logs were lost, {self.lost} since the start: {cause}"):
            self._told_lost = self.lost

    def _arm_report(self) -> None:
        if self._report_timer is None:
            self._report_timer = self._running().call_later(REPORT_EVERY_S, self._report_in_time)

    def _report_in_time(self) -> None:
        """Pass losses on when room has returned, and say those that were not said yet."""
        self._report_timer = None
        if self._held_bytes <= self._half:
            self._report_losses()
        if self._told_lost < self.lost:
            self._tell_losses(self._trouble or "the queue was full")
        if self._losses or self._told_lost < self.lost:
            self._arm_report()

    def _report_losses(self) -> None:
        if self._losses:
            self._number += 1
            losses = wire.message(wire.Kind.LOSSES, self._losses.unreported(), self._number)
            self._losses.reported()
            self._send(_Sent(self._number, losses, 0))

    # --- the queue

    def _running(self) -> asyncio.AbstractEventLoop:
        loop = self._loop
        if loop is None:
            loop = asyncio.get_running_loop()
            self._presence = Presence(self._data)
            self._loop = loop
            self._connecting = loop.create_task(self._stay_connected())
        return loop

    def _arm(self) -> None:
        self._timer = self._running().call_later(FLUSH_DELAY_S, self._flush_queue)

    def _flush_queue(self) -> None:
        """Encode what was put, and send it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._queue:
            return
        logs, self._queue = self._queue, []
        queued, self._queued_bytes = self._queued_bytes, 0
        self._held_bytes -= queued
        if self._is_closed:
            for logged in logs:
                self._lose(logged, "the server is stopping")
            return
        for part in _parts(logs) if queued > wire.TARGET_FRAME else (logs,):
            self._encode(part)

    def _encode(self, logs: Sequence[Logged]) -> None:
        self._number += 1
        try:
            data = wire.batch(self._number, logs)
            if len(data) > wire.MAX_FRAME:
                raise ValueError(f"{len(data)} bytes; the limit is {wire.MAX_FRAME}")
        except BAD_DATA as problem:
            self._number -= 1
            self._encode_one_by_one(logs, problem)
            return
        self._send(_Sent(self._number, data, len(logs)))

    def _encode_one_by_one(self, logs: Sequence[Logged], problem: Exception) -> None:
        """One log among these cannot be encoded: the others must not suffer."""
        if len(logs) > 1:
            for logged in logs:
                self._encode((logged,))
            return
        replacement = stand_in(logs[0], problem)
        if replacement is None:
            self._lose(logs[0], f"a log that cannot be encoded ({describe(problem)})")
            return
        self._bad_logs += 1
        self._say_bad_log(
            f"log {logs[0].record.id.hex()} was kept in part only: {describe(problem)}"
            f" ({self._bad_logs} such logs since the start)"
        )
        self._encode((replacement,))

    def _send(self, sent: _Sent) -> None:
        self._sent.append(sent)
        self._held_bytes += len(sent.data)
        self._post(sent.data)

    def _post(self, data: bytes | bytearray) -> None:
        """Send after all that was posted before. What is due to a broken connection is posted again."""
        if self._link is not None:
            self._outbox.append(data)
            self.may_write()

    def may_write(self) -> None:
        """Write until the socket is full."""
        link, outbox = self._link, self._outbox
        while outbox and link is not None and link.writable:
            link.send(outbox.popleft())

    # --- the recorder's answers (called by Link)

    def acknowledged(self, number: int) -> None:
        """Everything up to that number is durable."""
        self._progress = True
        while self._sent and self._sent[0].number <= number:
            self._held_bytes -= len(self._sent.popleft().data)
        if self._emptied is not None and not self._sent and not self._emptied.done():
            self._emptied.set_result(None)

    def sync_asked(self, token: int) -> None:
        """Somebody waits at a barrier: send what was put so far."""
        self._flush_queue()
        self._report_losses()
        self._post(wire.frame(wire.Kind.SYNCED, token))

    def barrier_passed(self, number: int) -> None:
        """Everything that was put before the barrier was asked for is durable."""
        if self._asked is not None and number == self._barrier:
            if not self._asked.done():
                self._asked.set_result(True)
            self._asked = None
            self._ask()

    def trouble_told(self, trouble: str | None, *, is_full: bool) -> None:
        """What the recorder suffers from, or that it is well again."""
        self._trouble = trouble
        self._is_full = is_full

    def _ask(self) -> None:
        """Send the next barrier, unless one is on its way."""
        if self._asked is None and self._next is not None:
            self._asked, self._next = self._next, None
            self._barrier += 1
            self._post(wire.frame(wire.Kind.BARRIER, self._barrier))

    # --- the connection

    async def _stay_connected(self) -> None:
        lowest, highest = BACKOFF_S
        delay = lowest
        loop = self._running()
        while True:
            self._progress = False
            began = loop.time()
            try:
                self._spawn()
                link = await connect(self._data, self)
            except Exception as problem:  # noqa: BLE001  whatever fails, logs must get through when it is over
                self._trouble = f"no connection to the recorder: {problem}"
            else:
                self._greet(link)
                reason = await link.lost
                self._link = None
                self._outbox.clear()
                self.trouble_told(reason, is_full=False)
            if self._progress or loop.time() - began > STEADY_S:
                delay = lowest
            await asyncio.sleep(delay)
            delay = min(delay * 2, highest)

    def _greet(self, link: Link) -> None:
        if self._presence is None:
            raise RuntimeError("not started")
        hello = wire.Hello(self._presence.name, os.getpid(), wire.LAYOUT)
        link.send(wire.message(wire.Kind.HELLO, hello))

    def welcomed(self, link: Link, trouble: str | None, *, is_full: bool) -> None:
        """The recorder takes our logs: send what it, or the one before it, has not acknowledged."""
        self._link = link
        self.trouble_told(trouble, is_full=is_full)
        self._outbox.clear()
        self._outbox.extend(sent.data for sent in self._sent)
        if self._asked is not None:
            self._outbox.append(wire.frame(wire.Kind.BARRIER, self._barrier))
        self.may_write()


def _parts(logs: list[Logged]) -> list[list[Logged]]:
    """The logs in runs that encode to about TARGET_FRAME bytes each."""
    parts: list[list[Logged]] = [[]]
    size = 0
    for logged in logs:
        weight = RECORD_BYTES
        if logged.bodies is not None:
            weight += len(logged.bodies.request or b"") + len(logged.bodies.response or b"")
        if parts[-1] and size + weight > wire.TARGET_FRAME:
            parts.append([])
            size = 0
        parts[-1].append(logged)
        size += weight
    return parts
