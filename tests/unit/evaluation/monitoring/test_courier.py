"""Delivering notices: growing pauses, patience, and one delivery whatever number of processes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.monitors import Monitor, Window
from gaugeway.core.notices import (
    KEPT_TRIES,
    LONGEST_RETRY_MS,
    PATIENCE_MS,
    Delivery,
    Event,
    Notice,
    Tried,
    Webhook,
    retry_delay_ms,
)
from gaugeway.evaluation.leased import Pace
from gaugeway.evaluation.monitoring.courier import Courier, after
from gaugeway.stores import Stores, open_stores
from support.laboratory import NOON, SCOPE, dataset, new_id
from support.state import a_gateway, an_account

PACE = Pace(poll_s=0.01, at_once=4)


class SetClock:
    now = NOON

    def now_ms(self) -> int:
        return self.now


class Receiving:
    """A Notifier that keeps what it was given, and answers what it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[Webhook, Notice]] = []

    async def deliver(self, webhook: Webhook, notice: Notice) -> Tried:
        self.got.append((webhook, notice))
        await asyncio.sleep(0)
        return Tried(at=NOON, duration_ms=1, status_code=self.status)


@pytest.fixture
def stores(tmp_path: Path) -> Any:
    opened = open_stores(tmp_path / "data")
    opened.accounts.create(an_account(SCOPE.account_id))
    opened.gateways.create(a_gateway(SCOPE.gateway_id, account_id=SCOPE.account_id))
    yield opened
    opened.close()


def a_notice(monitor_id: str, **fields: Any) -> Notice:
    plain: dict[str, Any] = {
        "account_id": SCOPE.account_id,
        "gateway_id": SCOPE.gateway_id,
        "id": new_id(),
        "monitor_id": monitor_id,
        "window_id": new_id(),
        "event": Event.ALERT,
        "created_at": NOON,
        "body": "{}",
        "state": Delivery.PENDING,
        "due_at": NOON,
    }
    return Notice(**plain | fields)


def kept_monitor(stores: Stores, *notices: Any, url: str = "https://example.com/x") -> Monitor:
    monitor = Monitor(
        account_id=SCOPE.account_id,
        gateway_id=SCOPE.gateway_id,
        id=new_id(),
        name="m",
        created_at=NOON,
        modified_at=NOON,
        enabled=True,
        interval_minutes=60,
        settle_seconds=0,
        datasets=(dataset(),),
        types=(),
        webhook_url=url,
        counted_until=NOON,
        due_at=NOON,
    )
    stores.monitors.create(monitor, "the secret that signs")
    assert stores.monitors.claim("me", NOON, 1000) is not None
    made = [a_notice(monitor.id, **fields) for fields in notices]
    later = structs.replace(monitor, due_at=NOON + 10**9)
    assert stores.monitors.conclude(later, "me", [], made)
    return later


async def let_work(*couriers: Courier, until: Any) -> None:
    tasks = [asyncio.create_task(one.run_forever()) for one in couriers]
    try:
        async with asyncio.timeout(20):
            while not until():
                await asyncio.sleep(0.01)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_pauses_grow_up_to_an_hour_and_patience_ends() -> None:
    assert [retry_delay_ms(tries) for tries in (1, 2, 3, 4)] == [1000, 2000, 4000, 8000]
    assert retry_delay_ms(100) == LONGEST_RETRY_MS
    notice = a_notice("m")
    failed = Tried(at=NOON, duration_ms=1, error="no connection")
    for number in range(30):
        notice = after(notice, failed, NOON + number)
    assert (notice.state, notice.tries, len(notice.tried)) == (Delivery.PENDING, 30, KEPT_TRIES)
    assert after(notice, failed, NOON + PATIENCE_MS).state is Delivery.GIVEN_UP
    assert after(notice, Tried(at=NOON, duration_ms=1, status_code=302), NOON).state is Delivery.PENDING
    assert after(notice, Tried(at=NOON, duration_ms=1, status_code=204), NOON).state is Delivery.DELIVERED


async def test_several_couriers_deliver_each_notice_once(stores: Stores) -> None:
    monitor = kept_monitor(stores, *({} for _ in range(20)))
    receiving = Receiving()

    def notices() -> list[Notice]:
        return stores.monitors.notices(monitor, offset=0, limit=50).items

    couriers = [Courier(stores.notices, receiving, SetClock(), f"process {n}", PACE) for n in range(3)]
    await let_work(*couriers, until=lambda: all(one.state is Delivery.DELIVERED for one in notices()))
    assert len(receiving.got) == 20
    assert len({notice.id for _, notice in receiving.got}) == 20
    webhook, _ = receiving.got[0]
    assert webhook == Webhook("https://example.com/x", "the secret that signs")
    assert "secret that signs" not in repr(webhook)


async def test_a_failed_try_waits_for_its_time(stores: Stores) -> None:
    monitor = kept_monitor(stores, {})
    receiving, clock = Receiving(), SetClock()
    receiving.status = 503
    courier = Courier(stores.notices, receiving, clock, "me", PACE)

    def notice() -> Notice:
        return stores.monitors.notices(monitor, offset=0, limit=1).items[0]

    await let_work(courier, until=lambda: notice().tries == 1)
    assert notice().due_at == NOON + 1000
    assert stores.notices.claim("me", NOON + 999, 1000) is None
    clock.now, receiving.status = NOON + 1000, 200
    await let_work(courier, until=lambda: notice().state is Delivery.DELIVERED)
    assert [one.status_code for one in notice().tried] == [503, 200]


async def test_a_webhook_that_was_taken_away_ends_its_notices(stores: Stores) -> None:
    monitor = kept_monitor(stores, {})
    stores.monitors.change(SCOPE, monitor.id, lambda kept: structs.replace(kept, webhook_url=""), "")
    receiving = Receiving()
    courier = Courier(stores.notices, receiving, SetClock(), "me", PACE)
    await let_work(
        courier,
        until=lambda: stores.monitors.notices(monitor, offset=0, limit=1).items[0].state is Delivery.NOT_SENT,
    )
    assert receiving.got == []


def test_who_lost_the_claim_writes_nothing(stores: Stores) -> None:
    monitor = kept_monitor(stores, {})
    first = stores.notices.claim("slow", NOON, 10)
    assert first is not None
    second = stores.notices.claim("quick", NOON + 10, 1000)
    assert second == first
    assert not stores.notices.save(structs.replace(first, state=Delivery.GIVEN_UP), "slow")
    assert stores.notices.save(structs.replace(first, state=Delivery.DELIVERED), "quick")
    assert stores.monitors.notices(monitor, offset=0, limit=1).items[0].state is Delivery.DELIVERED

    due = structs.replace(monitor, due_at=NOON)
    stores.monitors.change(SCOPE, monitor.id, lambda _kept: due)
    assert stores.monitors.claim("slow", NOON, 10) is not None
    assert stores.monitors.claim("quick", NOON + 10, 1000) is not None
    window = Window(
        id=new_id(),
        monitor_id=monitor.id,
        created_at=NOON,
        after_ms=NOON,
        until_ms=NOON + 1,
        revision=1,
        evaluation_id="",
    )
    assert not stores.monitors.open(due, "slow", window, None)
    assert not stores.monitors.conclude(due, "slow", [window], [a_notice(monitor.id)])
    assert stores.monitors.windows(monitor, offset=0, limit=9).total == 0
    assert stores.monitors.notices(monitor, offset=0, limit=9).total == 1


def test_secrets_are_sealed_and_sealed_anew(stores: Stores, tmp_path: Path) -> None:
    monitor = kept_monitor(stores, {})
    [notice] = stores.monitors.notices(monitor, offset=0, limit=1).items
    for file in (tmp_path / "data").iterdir():
        if file.is_file():
            assert b"the secret that signs" not in file.read_bytes()
    assert stores.provider_configs.rotate() == 1
    assert stores.notices.webhook(notice) == Webhook("https://example.com/x", "the secret that signs")


def test_a_deleted_monitor_takes_its_notices_along(stores: Stores) -> None:
    monitor = kept_monitor(stores, {}, {})
    stores.monitors.delete(SCOPE, monitor.id)
    assert stores.notices.claim("me", NOON, 1000) is None
    assert stores.monitors.list(SCOPE, name=None, offset=0, limit=9).total == 0


def test_a_clock_that_was_set_back_holds_up_no_notice(stores: Stores) -> None:
    kept_monitor(stores, {"due_at": NOON + LONGEST_RETRY_MS})
    assert stores.notices.claim("me", NOON, 1000) is None
    assert stores.notices.claim("me", NOON - 3 * LONGEST_RETRY_MS, 1000) is not None
