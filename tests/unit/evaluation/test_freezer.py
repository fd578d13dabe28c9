"""Snapshots are made once and whole, whoever dies, hangs or comes back meanwhile."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.erasing import drop_strays, erase
from gaugeway.core.model import Account, Bodies, Dataset, Gateway, Logged, LogRecord, RawFilter, Scope
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.snapshot_hashes import content, item_hash, snapshot_hash
from gaugeway.core.snapshots import FROZEN, Recipe, Redaction, Sampling, Snapshot, SnapshotItem, SnapshotStatus
from gaugeway.evaluation.freezing.freezer import Freezer, FreezingPace, keep_all
from gaugeway.stores import Stores, open_stores
from support import laboratory as lab

TESTS = Path(__file__).parents[2]
QUICK = FreezingPace(rest=0, retry_s=0, tries=3)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(tmp_path / "data")
    opened.accounts.create(Account(id=lab.ACCOUNT, name="x", created_at=1))
    opened.gateways.create(Gateway(account_id=lab.ACCOUNT, id="main", created_at=1, modified_at=1))
    yield opened
    opened.close()


def freezer(stores: Stores, name: str = "me", **parts: Any) -> Freezer:
    plain: dict[str, Any] = {
        "snapshots": stores.snapshots,
        "logs": stores.logs,
        "frozen_scopes": stores.frozen_scopes,
        "sink": lab.ReadySink(),
        "clock": lab.SystemClock(),
        "owner": name,
        "pace": QUICK,
    }
    return Freezer(**plain | parts)


def fill(stores: Stores, number: int) -> list[LogRecord]:
    logs = [lab.log("0.1", feedback=1, metadata={"user": f"u{n % 3}"}) for n in range(number)]
    for n, record in enumerate(logs):
        body = f'{{"messages": ["{n} me@example.com"]}}'.encode()
        stores.logs.append([Logged(record, Bodies(request=body, response=b"answer"))], keep_all)
    return logs


def ask(stores: Stores, dataset: Dataset | None = None, **fields: Any) -> Snapshot:
    now = lab.SystemClock().now_ms()
    identifier = lab.new_id()
    plain: dict[str, Any] = {
        "account_id": lab.ACCOUNT,
        "gateway_id": "main",
        "id": identifier,
        "name": identifier,
        "dataset": dataset or lab.dataset(),
        "created_at": now,
        "modified_at": now,
    }
    made = Snapshot(**plain | fields)
    stores.snapshots.create(made)
    return made


def made(stores: Stores, snapshot: Snapshot) -> Snapshot:
    found = stores.snapshots.get(snapshot.scope, snapshot.id)
    assert found is not None
    return found


def check_whole(stores: Stores, snapshot: Snapshot, number: int) -> None:
    """Every item is there and is what its hash says."""
    assert (snapshot.status, snapshot.items) == (SnapshotStatus.READY, number)
    items = stores.snapshots.items(snapshot, b"", 1000)
    assert stores.logs.ids(snapshot.source, EVERYTHING, Slice(limit=1000, descending=False)) == [
        item.log_id for item in items
    ]
    for item in items:
        record = stores.logs.get(snapshot.source, item.log_id)
        assert record is not None
        assert item_hash(content(record, stores.logs.bodies(snapshot.source, item.log_id))) == item.hash
    assert snapshot.hash == snapshot_hash(item.hash for item in items)


def test_it_is_what_the_dataset_selects_up_to_its_moment(stores: Stores) -> None:
    logs = fill(stores, 150)
    one_user = lab.dataset(("metadata.user", "eq", ["u1"]))
    snapshot = ask(stores, one_user)
    later = lab.log(created_at=snapshot.created_at + 5, metadata={"user": "u1"})
    stores.logs.append([Logged(later, None)], keep_all)
    assert asyncio.run(freezer(stores).step())
    ready = made(stores, snapshot)
    check_whole(stores, ready, 50)
    assert ready.tally.selected == 50
    stores.logs.delete_scope(snapshot.scope)
    check_whole(stores, made(stores, snapshot), 50)
    assert logs[1].id in {item.log_id for item in stores.snapshots.items(ready, b"", 100)}


def test_the_same_content_has_the_same_hash(stores: Stores) -> None:
    fill(stores, 20)
    recipe = Recipe(sampling=Sampling(size=7, seed=3), redact=(Redaction(kind="email"),))
    first, second = ask(stores, recipe=recipe), ask(stores, recipe=recipe)
    working = freezer(stores)
    assert [asyncio.run(working.step()) for _ in range(3)] == [True, True, False]
    hashes = {made(stores, each).hash for each in (first, second)}
    assert len(hashes) == 1
    check_whole(stores, made(stores, first), 7)
    assert made(stores, first).tally.redacted == 7


def test_one_that_is_killed_is_made_anew_and_swept(stores: Stores, tmp_path: Path) -> None:
    fill(stores, 150)
    snapshot = ask(stores)
    process = subprocess.Popen(
        [sys.executable, "-m", "support.freezing_process", str(tmp_path / "data"), "killed"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    half = made(stores, snapshot)
    assert half.status is SnapshotStatus.RUNNING
    assert stores.logs.count(half.source, EVERYTHING) == 64, "a batch was written"

    async def until_ready() -> None:
        working = freezer(stores)
        while not await working.step():  # until the lease of the dead one has run out
            await asyncio.sleep(0.01)
        working.wake()
        await freezer(stores, "sweeper").step()

    asyncio.run(until_ready())
    check_whole(stores, made(stores, snapshot), 150)
    assert stores.frozen_scopes() == [made(stores, snapshot).source]


def test_one_that_was_overtaken_spoils_nothing(stores: Stores) -> None:
    fill(stores, 130)
    snapshot = ask(stores)

    class Overtaken:
        """A SnapshotStore in which somebody else takes over before the second batch is kept."""

        def __init__(self) -> None:
            self.calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(stores.snapshots, name)

        def put(self, claimed: Snapshot, owner: str, items: list[SnapshotItem]) -> bool:
            self.calls += 1
            if self.calls == 2:
                now = lab.SystemClock().now_ms()
                taken = stores.snapshots.claim("other", f"{FROZEN}other", now + 10**9, 0)
                assert taken is not None
                assert stores.snapshots.renew(taken, "other", now, 0)
            return stores.snapshots.put(claimed, owner, items)

    asyncio.run(freezer(stores, "slow", snapshots=Overtaken()).step())
    assert made(stores, snapshot).frozen == f"{FROZEN}other"
    asyncio.run(freezer(stores).step())
    check_whole(stores, made(stores, snapshot), 130)


def test_it_is_tried_again_and_then_given_up(stores: Stores) -> None:
    snapshot = ask(stores)
    working = freezer(stores, sink=lab.ReadySink(refuse=99))
    asyncio.run(working.step())
    waiting = made(stores, snapshot)
    assert waiting.status is SnapshotStatus.QUEUED
    assert "the recorder did not confirm" in waiting.status_description
    for _ in range(2):
        asyncio.run(working.step())
    assert made(stores, snapshot).status is SnapshotStatus.FAILED
    assert made(stores, snapshot).status_description.startswith("failed: given up after 3 tries")
    assert not asyncio.run(working.step())


def test_a_filter_that_cannot_be_read_selects_nothing(stores: Stores) -> None:
    fill(stores, 1)
    broken = structs.replace(lab.dataset(), filters=[RawFilter("no such key", "eq", ["x"])])
    snapshot = ask(stores, broken)
    asyncio.run(freezer(stores).step())
    assert made(stores, snapshot).status is SnapshotStatus.FAILED
    assert "filters.0.key" in made(stores, snapshot).status_description


def test_what_is_gone_before_it_is_copied_is_counted(stores: Stores) -> None:
    logs = fill(stores, 3)
    snapshot = ask(stores)

    class Losing:
        """A LogStore that loses a log between the choice and the copy."""

        def __init__(self) -> None:
            self.seen = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(stores.logs, name)

        def get(self, scope: Scope, log_id: bytes) -> LogRecord | None:
            self.seen += log_id == logs[1].id
            return None if self.seen == 2 and log_id == logs[1].id else stores.logs.get(scope, log_id)

    asyncio.run(freezer(stores, logs=Losing()).step())
    check_whole(stores, made(stores, snapshot), 2)
    assert made(stores, snapshot).tally.gone == 1


def test_erasing_ends_even_where_it_was_cut_off(stores: Stores) -> None:
    logs = fill(stores, 5)
    snapshot = ask(stores)
    asyncio.run(freezer(stores).step())
    ready = made(stores, snapshot)
    holed = stores.snapshots.erase(ready.scope, ready.id, [logs[0].id], 1)
    assert stores.logs.get(ready.source, logs[0].id) is not None, "killed in between"
    asyncio.run(freezer(stores).step())
    assert stores.logs.get(ready.source, logs[0].id) is None
    assert stores.snapshots.to_erase() == []
    after = erase(stores.snapshots, stores.logs, holed, [logs[1].id, logs[0].id], 2)
    assert (after.holes, after.hash) == (2, ready.hash)
    assert stores.logs.count(ready.source, EVERYTHING) == 3


def test_strays_of_an_import_are_dropped(stores: Stores) -> None:
    opened = ask(stores, status=SnapshotStatus.OPEN, frozen=f"{FROZEN}import")
    frozen = [structs.replace(lab.log(), gateway_id=opened.frozen) for _ in range(3)]
    stores.logs.append([Logged(record, None) for record in frozen], keep_all)
    item = SnapshotItem(log_id=frozen[1].id, hash=item_hash(content(frozen[1], None)))
    stores.snapshots.add(opened.scope, opened.id, [item], 1)
    drop_strays(stores.snapshots, stores.logs, opened)
    check_whole(stores, stores.snapshots.seal(opened.scope, opened.id, 2), 1)


def test_what_belongs_to_nobody_is_swept(stores: Stores) -> None:
    fill(stores, 2)
    snapshot = ask(stores)
    working = freezer(stores)
    asyncio.run(working.step())
    stores.gateways.delete(snapshot.scope)
    asyncio.run(freezer(stores).step())
    assert stores.frozen_scopes() == []
