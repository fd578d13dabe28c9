"""Writing: groups, prices, retries, and what one bad log may do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

import msgspec
import pytest

from gaugeway.core.errors import StoreFull
from gaugeway.core.model import Logged, LogRecord, Scope
from gaugeway.core.ports import Mark, Retention
from gaugeway.core.pricing import Priced
from gaugeway.recorder import writing as module
from gaugeway.recorder.losses import Loss
from gaugeway.recorder.wire import HEADER, batch
from gaugeway.recorder.writing import Arrival, Parts, Writing
from support.recorder_parts import ACCOUNT, logged

KEEP_ALL = Retention(None, None)


class Store:
    """A LogStore that can be made to fail."""

    def __init__(self) -> None:
        self.batches: list[list[Logged]] = []
        self.problem: Exception | None = None
        self.kept_marks: dict[str, Mark] = {}
        self.bad: Callable[[LogRecord], Exception | None] = lambda record: None

    def marks(self, living: Collection[str]) -> dict[str, Mark]:
        return {client: mark for client, mark in self.kept_marks.items() if client in living}

    def append(
        self, logs: Sequence[Logged], retention: Callable[[Scope], Retention], marks: Mapping[str, Mark]
    ) -> None:
        if self.problem is not None:
            raise self.problem
        for log in logs:
            assert retention(log.record.scope) == KEEP_ALL
            if (problem := self.bad(log.record)) is not None:
                raise problem
        self.batches.append(list(logs))
        self.kept_marks |= marks

    @property
    def logs(self) -> list[Logged]:
        return [log for one in self.batches for log in one]


class Sender:
    """A connection."""

    def __init__(self) -> None:
        self.durable_up_to = 0

    def durable(self, number: int) -> None:
        assert number > self.durable_up_to
        self.durable_up_to = number


class Desk:
    """A Writing with everything around it."""

    def __init__(self) -> None:
        self.store = Store()
        self.sender = Sender()
        self.losses: list[Loss] = []
        self.said: list[str] = []
        self.troubles: list[str | None] = []
        self.room: list[bool] = []
        self.price: Callable[[LogRecord], Priced] = lambda record: Priced(Decimal(1))
        parts = Parts(
            open_store=lambda: self.store,  # type: ignore[arg-type, return-value]
            retention=lambda scope: KEEP_ALL,
            price=self._price,
            saved=lambda record: Decimal(3),
            note_losses=self.losses.extend,
            say=self.said.append,
            living=lambda: {"worker"},
        )
        self.writing = Writing(parts, self.troubles.append, self.room.append)
        self._number = 0

    def _price(self, record: LogRecord) -> Priced:
        return self.price(record)

    def arrive(self, *logs: Logged, payload: bytes | None = None) -> None:
        self._number += 1
        data = bytearray(batch(self._number, logs)[HEADER.size :] if payload is None else payload)
        self.take_in(self._number, data, len(logs))

    def take_in(self, number: int, data: bytearray, rows: int) -> None:
        self.writing.take_in(Arrival(self.sender, "worker", number, data, rows))

    async def until_written(self) -> None:
        async with asyncio.timeout(10):
            while self.writing.written < self.writing.received:
                await asyncio.sleep(0.001)


@asynccontextmanager
async def running() -> AsyncIterator[Desk]:
    desk = Desk()
    task = asyncio.create_task(desk.writing.run())
    yield desk
    task.cancel()
    await asyncio.wait((task,))


async def test_frames_that_wait_are_written_together_and_acknowledged_once() -> None:
    async with running() as desk:
        for number in range(5):
            desk.arrive(logged(number), logged(number))
        await desk.until_written()
        assert [len(one) for one in desk.store.batches] == [10]
        assert desk.sender.durable_up_to == 5


async def test_what_comes_while_it_writes_waits_for_company_unless_somebody_waits_for_it() -> None:
    async with running() as desk:
        desk.arrive(logged(1))
        await desk.until_written()
        desk.arrive(logged(2))
        desk.arrive(logged(3))
        await desk.until_written()
        desk.arrive(logged(4))
        desk.writing.hurry()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        desk.arrive(logged(5))
        await desk.until_written()
        assert [[log.record.duration for log in one] for one in desk.store.batches] == [[1], [2, 3], [4], [5]]


async def test_a_group_is_bounded_by_rows() -> None:
    async with running() as desk:
        for number in range(5):
            desk.arrive(*(logged(number) for _ in range(900)))
        await desk.until_written()
        assert [len(one) for one in desk.store.batches] == [1800, 1800, 900]


async def test_a_group_is_bounded_by_bytes() -> None:
    async with running() as desk:
        for number in range(3):
            desk.arrive(logged(number, body=b"x" * (module.GROUP_BYTES // 4)))
        await desk.until_written()
        assert [len(one) for one in desk.store.batches] == [1, 1, 1]


async def test_a_log_with_a_cost_or_a_reason_is_not_priced_again() -> None:
    async with running() as desk:
        desk.arrive(logged(1), logged(2, cost=Decimal(7)), logged(3, cost_reason="the provider said nothing"))
        await desk.until_written()
        assert [log.record.cost for log in desk.store.logs] == [1, 7, None]


async def test_pricing_that_fails_leaves_its_reason() -> None:
    def price(record: LogRecord) -> Priced:
        raise ZeroDivisionError("no rate")

    async with running() as desk:
        desk.price = price
        desk.arrive(logged(1))
        await desk.until_written()
        (log,) = desk.store.logs
        assert log.record.cost is None
        assert log.record.cost_reason == "pricing failed: ZeroDivisionError: no rate"
        assert len(desk.said) == 1


async def test_a_store_that_fails_is_tried_again_and_nothing_is_acknowledged_before() -> None:
    async with running() as desk:
        desk.store.problem = StoreFull("no room left on the disk")
        desk.arrive(logged(1))
        while not desk.troubles:
            await asyncio.sleep(0.001)
        assert desk.sender.durable_up_to == 0
        assert "no room left on the disk" in (desk.troubles[0] or "")
        desk.store.problem = None
        await desk.until_written()
        assert desk.sender.durable_up_to == 1
        assert desk.troubles[1:] == [None]
        assert len(desk.store.logs) == 1
        assert len(desk.said) == 2  # that it began and that it ended


@pytest.mark.parametrize("problem", [OverflowError("too large"), RuntimeError("a fault of the store's")])
async def test_one_bad_log_is_replaced_and_the_others_are_written(problem: Exception) -> None:
    def bad(record: LogRecord) -> Exception | None:
        return problem if record.duration == 13 and record.error is None else None

    async with running() as desk:
        desk.store.bad = bad
        desk.arrive(*(logged(number) for number in range(30)))
        await desk.until_written()
        assert len({log.record.id for log in desk.store.logs}) == 30
        (replaced,) = [log.record for log in desk.store.logs if log.record.error]
        assert replaced.duration == 13
        assert replaced.bodies_lost
        assert "could not be stored whole" in (replaced.error or "")
        assert desk.sender.durable_up_to == 1
        assert desk.losses == []


async def test_what_is_sent_again_is_acknowledged_again_and_written_once() -> None:
    """Its acknowledgement was lost with the connection, or it waits twice here."""
    first = bytearray(batch(1, [logged(1), logged(2)])[HEADER.size :])
    async with running() as desk:
        desk.take_in(1, first, 2)
        desk.take_in(1, first, 2)
        await desk.until_written()
        desk.sender = Sender()
        desk.take_in(1, first, 2)
        desk.take_in(2, bytearray(batch(2, [logged(3)])[HEADER.size :]), 1)
        await desk.until_written()
        assert [log.record.duration for log in desk.store.logs] == [1, 2, 3]
        assert desk.store.kept_marks == {"worker": (2, 1)}
        assert desk.sender.durable_up_to == 2


async def test_a_recorder_that_died_half_way_is_continued_where_it_was() -> None:
    """One bad log has the others written in parts, and each part has its mark."""
    payload = bytearray(batch(1, [logged(number) for number in range(8)])[HEADER.size :])
    looks = 0

    def bad(record: LogRecord) -> Exception | None:
        nonlocal looks
        if record.duration != 6 or record.error is not None:
            return None
        looks += 1
        if looks == 4:  # of eight, four, two logs, one: its stand-in finds no room
            store.problem = StoreFull("no room left on the disk")
        return TypeError("a fault of the log's")

    async with running() as desk:
        store = desk.store
        store.bad = bad
        desk.take_in(1, payload, 8)
        while not desk.troubles:
            await asyncio.sleep(0.001)
    assert [log.record.duration for log in store.logs] == [0, 1, 2, 3, 4, 5]
    assert store.kept_marks == {"worker": (1, 6)}
    store.problem, store.bad = None, lambda record: None
    async with running() as another:
        another.store = store
        another.take_in(1, payload, 8)
        await another.until_written()
    assert [log.record.duration for log in store.logs] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert store.kept_marks == {"worker": (1, 8)}


async def test_a_store_that_takes_nothing_at_all_is_not_the_logs_fault() -> None:
    """Else a fault of the store would turn every log into a stand-in, or lose it."""
    async with running() as desk:
        desk.store.problem = TypeError("a fault of the store's")
        desk.arrive(logged(1), logged(2))
        while not desk.troubles:
            await asyncio.sleep(0.001)
        desk.store.problem = None
        await desk.until_written()
        assert [log.record.error for log in desk.store.logs] == [None, None]


async def test_a_log_that_cannot_be_decoded_is_replaced() -> None:
    async with running() as desk:
        desk.arrive(logged(1), logged(2, status_code="200"), logged(3))
        await desk.until_written()
        assert [log.record.error is None for log in desk.store.logs] == [True, False, True]


async def test_a_log_without_a_name_is_lost_and_counted() -> None:
    nameless = msgspec.msgpack.encode([[{"account_id": ACCOUNT}, None], logged(1)])
    async with running() as desk:
        desk.arrive(payload=nameless)
        await desk.until_written()
        assert len(desk.store.logs) == 1
        assert [loss.count for loss in desk.losses] == [1]
        assert len(desk.said) == 1


async def test_a_batch_that_is_none_is_lost_and_counted_once_however_often_it_is_tried() -> None:
    async with running() as desk:
        desk.store.problem = StoreFull("no room left on the disk")
        desk.arrive(logged(1), logged(2), payload=b"\xc1rubbish")
        desk.arrive(logged(3))
        while not desk.troubles:
            await asyncio.sleep(0.001)
        desk.store.problem = None
        await desk.until_written()
        assert [loss.count for loss in desk.losses] == [2]
        assert len(desk.store.logs) == 1
        assert desk.sender.durable_up_to == 2


async def test_above_the_high_water_nothing_more_is_read_until_there_is_room() -> None:
    async with running() as desk:
        desk.store.problem = OSError("input/output error")
        for number in range(5):
            desk.arrive(logged(number, body=b"x" * (module.HIGH_WATER // 8)))
        assert desk.room == [False]
        desk.store.problem = None
        await desk.until_written()
        assert desk.room == [False, True]
