"""A shadow's run over real stores, with time and models in the test's hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.errors import BadInput
from gaugeway.core.model import Bodies, Dataset, Logged, RawFilter, Scope
from gaugeway.core.pricing import Priced
from gaugeway.core.replays import Call, Called, Candidate, ReplayStatus
from gaugeway.core.shadows import DAY_S, LOOKS_S, MAX_LAG_S, Shadow, ShadowCounts
from gaugeway.core.spending import Budget, NoRoom
from gaugeway.core.timestamps import to_rfc3339
from gaugeway.evaluation.item_run import ClaimLost
from gaugeway.evaluation.replaying.sides import SideParts
from gaugeway.evaluation.shadowing.run import ShadowParts, ShadowRun
from gaugeway.stores import Stores, open_stores
from support.control_plane import NOW, SetClock
from support.laboratory import ReadySink
from support.some_logs import at, keep_all
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

ASKED = b'{"messages": [{"role": "user", "content": "hello"}]}'


class Models:
    """A Caller whose answers are good, as long as the purse has room."""

    def __init__(self) -> None:
        self.purses: list[Budget] = []
        self.is_full = False

    async def call(
        self, scope: Scope, call: Call, purse: Budget, most: Decimal, metadata: Mapping[str, str]
    ) -> Called:
        if self.is_full:
            raise NoRoom("the cap has no room")
        self.purses.append(purse)
        record = at(NOW, len(self.purses), cost=Decimal("0.01"))
        return Called(status=200, record=record, bodies=Bodies(request=call.body, response=b"{}"))

    async def at_most(self, scope: Scope, call: Call) -> Priced:
        return Priced(Decimal("0.02"))

    async def would_cost(self, scope: Scope, call: Call, tokens_in: int, tokens_out: int) -> Priced:
        raise AssertionError("a shadow forecasts nothing")


class Case:
    """One shadow of everything, held by `me`."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.clock = SetClock()
        self.models = Models()
        self.written = 0

    def create(self, **fields: Any) -> None:
        plain = {
            "account_id": ACCOUNT,
            "gateway_id": SCOPE.gateway_id,
            "id": "shadow-1",
            "name": "all",
            "created_at": NOW,
            "modified_at": NOW,
            "through": "other",
            "candidates": (Candidate(label="a", model="openai/a"),),
            "share": Decimal(100),
            "daily_cap": Decimal(1),
            "until": NOW + 3600_000,
        }
        self.stores.shadows.create(Shadow(**{**plain, **fields}))

    def log(self, after_s: float, **fields: Any) -> None:
        """The log of a request that arrived so long after the shadow's creation is written now."""
        self.written += 1
        record = at(
            NOW + round(after_s * 1000), self.written, path="v1/chat/completions", cost=Decimal("0.05"), **fields
        )
        self.stores.logs.append([Logged(record, Bodies(request=ASKED, response=b"{}"))], keep_all)

    @property
    def counts(self) -> ShadowCounts:
        return self.stores.shadows.counts(self.shadow)

    @property
    def shadow(self) -> Shadow:
        found = self.stores.shadows.get(SCOPE, "shadow-1")
        assert found is not None
        return found

    def run(self) -> ShadowRun:
        held = self.stores.shadows.claim("me", 0, 10**15)
        assert held is not None
        sides = SideParts(
            logs=self.stores.logs,
            sink=ReadySink(),
            caller=self.models,
            evaluators={},
            open_scoring=_no_scoring,
        )

        async def tell(shadow: Shadow) -> None:
            if not await asyncio.to_thread(self.stores.shadows.save, shadow, "me"):
                raise ClaimLost

        parts = ShadowParts(store=self.stores.shadows, sides=sides, clock=self.clock, poll_s=0.001)
        return ShadowRun(held, "me", parts, tell, lambda: None)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.Task[None]]:
        task = asyncio.create_task(self.run().run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def until(self, is_so: Callable[[ShadowCounts], bool], task: asyncio.Task[None]) -> ShadowCounts:
        async with asyncio.timeout(30):
            while not is_so(counts := await asyncio.to_thread(lambda: self.counts)):
                assert not task.done(), task.exception()
                await asyncio.sleep(0.005)
        return counts

    def pass_s(self, seconds: float) -> None:
        self.clock.now += round(seconds * 1000)


def _no_scoring(_scorers: object) -> Any:
    raise AssertionError("nothing is scored")


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    stores = open_stores(f"sqlite:{tmp_path / 'data'}")
    stores.accounts.create(an_account())
    stores.gateways.create(a_gateway())
    yield Case(stores)
    stores.close()


async def test_a_long_answer_is_found_by_a_later_look_and_nothing_twice(case: Case) -> None:
    case.create()
    case.log(1)
    async with case.running() as task:
        case.pass_s(4)
        await case.until(lambda now: now.called == now.sides[1].replayed == 1 if now.sides else False, task)
        for number, age in enumerate(LOOKS_S[1:], start=2):
            case.log(1.5, duration=round((age - 5) * 1000))
            case.clock.now = NOW + round((4 + age) * 1000)
            counts = await case.until(lambda now, n=number: now.called == n and now.waiting == 0, task)
            assert (counts.seen, counts.sampled) == (number, number)
        case.log(1.5)  # nobody looks there again: docs/shadowing.md says so
        case.log(700)
        case.pass_s(100)
        await case.until(lambda now: now.called == 5, task)
        assert case.counts.seen == 5
    assert len(case.models.purses) == 5


async def test_what_waited_for_too_long_is_missed_and_counted(case: Case) -> None:
    case.create(until=NOW + DAY_S * 1000)
    for second in range(3):
        case.log(second)
    case.log(MAX_LAG_S)
    case.pass_s(MAX_LAG_S + 100)  # no process was there meanwhile
    async with case.running() as task:
        counts = await case.until(lambda now: now.sampled == 4 and now.waiting == 0, task)
    assert (counts.seen, counts.called, counts.missed) == (4, 1, {"behind": 3})


async def test_the_day_s_cap_pauses_until_the_next_day(case: Case) -> None:
    case.create(until=NOW + 3 * DAY_S * 1000)
    case.models.is_full = True
    case.log(1)
    async with case.running() as task:
        case.pass_s(4)
        counts = await case.until(lambda now: bool(now.missed), task)
        assert (counts.called, counts.missed, counts.sides) == (0, {"cap_reached": 1}, {})
        case.models.is_full = False
        case.log(4)
        case.pass_s(4)
        await case.until(lambda now: now.missed == {"cap_reached": 2}, task)
        assert case.models.purses == []
        midnight = case.shadow.paused_until
        assert midnight == (case.clock.now // (DAY_S * 1000) + 1) * DAY_S * 1000
        assert case.shadow.status_description.endswith("the daily cap is reached")
    # whoever takes it over keeps the pause, and ends it in time
    case.stores.shadows.change(SCOPE, "shadow-1", lambda one: one)
    async with case.running() as task:
        case.log(8)
        case.pass_s(4)
        await case.until(lambda now: now.missed == {"cap_reached": 3}, task)
        case.clock.now = midnight + 1000
        case.log((midnight - NOW) / 1000)
        case.pass_s(5)
        counts = await case.until(lambda now: now.called == 1, task)
        assert case.shadow.paused_until is None
    [purse] = case.models.purses
    assert (purse.limit, purse.window, purse.sliding) == (10**12, DAY_S, False)


async def test_it_ends_with_its_time_when_late_logs_were_looked_for(case: Case) -> None:
    case.create(until=NOW + 10_000)
    case.log(1)
    case.log(9.999)
    case.log(10)  # too late
    async with case.running() as task:
        case.pass_s(13)
        await case.until(lambda now: now.called == 2 and now.waiting == 0, task)
        assert not task.done()
        case.log(5, duration=500_000)
        case.pass_s(LOOKS_S[-1])
        await asyncio.wait_for(task, 30)
    counts = case.counts
    assert (counts.seen, counts.sampled, counts.called, counts.missed) == (3, 3, 3, {})


async def test_its_dataset_says_which_and_one_that_cannot_be_read_is_no_everything(case: Case) -> None:
    filters = [RawFilter("model", "eq", ["wanted"])]
    dataset = Dataset(
        account_id=ACCOUNT,
        gateway_id=SCOPE.gateway_id,
        id="d",
        name="some",
        enable=True,
        filters=filters,
        created_at=0,
        modified_at=0,
    )
    case.create(dataset=dataset)
    case.log(1, model="wanted")
    case.log(1, model="other")
    async with case.running() as task:
        case.pass_s(4)
        counts = await case.until(lambda now: now.called == 1, task)
        assert (counts.seen, counts.sampled) == (1, 1)
    broken = structs.replace(dataset, filters=[RawFilter("nothing", "eq", ["x"])])
    case.stores.shadows.change(SCOPE, "shadow-1", lambda one: structs.replace(one, dataset=broken))
    with pytest.raises(BadInput, match="'some' cannot be read"):
        case.run()


async def test_taken_away_it_writes_nothing_more(case: Case) -> None:
    case.create()
    async with case.running() as task:
        case.stores.shadows.change(
            SCOPE, "shadow-1", lambda one: structs.replace(one, status=ReplayStatus.QUEUED, stopped_at=NOW + 1)
        )
        case.log(1)
        case.pass_s(10)
        with pytest.raises(ClaimLost):
            await asyncio.wait_for(task, 30)
    assert case.counts == ShadowCounts()


async def test_resumed_it_sees_what_arrives_from_then_on_and_keeps_what_was(case: Case) -> None:
    case.create()
    case.log(1)
    async with case.running() as task:
        case.pass_s(4)
        await case.until(lambda now: now.called == 1 and now.waiting == 0, task)

    def stopped(one: Shadow) -> Shadow:
        return structs.replace(one, stopped_at=case.clock.now, status=ReplayStatus.QUEUED)

    case.stores.shadows.change(SCOPE, "shadow-1", stopped)
    async with case.running() as task:
        await asyncio.wait_for(task, 30)
    case.log(6)  # while it is stopped
    case.pass_s(10)

    def resumed(one: Shadow) -> Shadow:
        return structs.replace(one, stopped_at=None, status=ReplayStatus.QUEUED)

    case.stores.shadows.resume(SCOPE, "shadow-1", resumed, case.clock.now)
    async with case.running() as task:
        case.log((case.clock.now - NOW) / 1000 + 1)
        case.pass_s(5)
        counts = await case.until(lambda now: now.called == 2 and now.waiting == 0, task)
        case.pass_s(LOOKS_S[-1])
        await case.until(lambda _: not case.stores.shadows.spans(case.shadow, case.clock.now, 1), task)
        counts = case.counts
    assert (counts.seen, counts.sampled, counts.called) == (2, 2, 2)
    assert len(case.models.purses) == 2


async def test_where_the_clock_was_set_back_it_says_that_it_sees_nothing_until_when(case: Case) -> None:
    case.create(until=NOW + 3 * DAY_S * 1000)
    async with case.running() as task:
        case.pass_s(3600)
        await case.until(lambda _: case.stores.shadows.looked_until(case.shadow) > NOW + 3_000_000, task)
        case.clock.now = NOW + 1_800_000
        case.log(1800)
        await case.until(lambda _: case.shadow.status_description.endswith("the clock was set back"), task)
        assert to_rfc3339(case.stores.shadows.looked_until(case.shadow)) in case.shadow.status_description
        case.pass_s(3600)
        await case.until(lambda _: case.shadow.status_description == "running", task)
        case.log(5400)
        case.pass_s(5)
        await case.until(lambda now: now.called == 1 and now.waiting == 0, task)


async def test_a_pause_of_a_clock_that_ran_ahead_ends_with_that(case: Case) -> None:
    case.create(until=NOW + 90 * DAY_S * 1000)
    case.models.is_full = True
    case.clock.now = NOW + 40 * DAY_S * 1000
    case.log(40 * DAY_S - 10)
    async with case.running() as task:
        await case.until(lambda now: now.missed == {"cap_reached": 1}, task)
        case.clock.now = NOW
        await case.until(lambda _: case.shadow.paused_until is None, task)
