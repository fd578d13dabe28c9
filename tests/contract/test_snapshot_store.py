"""What every adapter of SnapshotStore must do, and a log store with the frozen logs of snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.model import Bodies, Scope
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.snapshot_hashes import answer_hash, expected_hash, snapshot_hash
from gaugeway.core.snapshots import FROZEN, Snapshot, SnapshotItem, SnapshotStatus, reference
from gaugeway.stores import Stores, open_stores
from support.some_logs import a_log, keep_all, logged
from support.state import ACCOUNT, SCOPE, a_dataset, a_gateway, an_account, new_id

LOGS = [bytes([0] * 15 + [number]) for number in range(1, 6)]
HASHES = [sha256(each).hexdigest() for each in LOGS]
ITEMS = [SnapshotItem(log_id=log_id, hash=digest) for log_id, digest in zip(LOGS, HASHES, strict=True)]
DATASET = a_dataset()


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


def a_snapshot(**fields) -> Snapshot:
    plain = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": new_id(),
        "name": "one",
        "dataset": DATASET,
        "created_at": 1,
        "modified_at": 1,
    }
    return Snapshot(**{**plain, **fields})


@pytest.fixture
def ready(stores: Stores) -> Snapshot:
    """With all five items."""
    stores.snapshots.create(a_snapshot())
    claimed = stores.snapshots.claim("me", f"{FROZEN}1", 1, 1000)
    assert claimed is not None
    assert stores.snapshots.put(claimed, "me", ITEMS)
    assert stores.snapshots.save(structs.replace(claimed, status=SnapshotStatus.READY), "me")
    found = stores.snapshots.get(SCOPE, claimed.id)
    assert found is not None
    return found


def now(stores: Stores, snapshot: Snapshot) -> Snapshot:
    found = stores.snapshots.get(SCOPE, snapshot.id)
    assert found is not None
    return found


def test_it_is_claimed_made_and_ready(stores: Stores, ready: Snapshot) -> None:
    assert ready.is_ready
    assert (ready.items, ready.holes, ready.expected, ready.expected_hash) == (5, 0, 0, "")
    assert ready.hash == snapshot_hash(HASHES)
    assert stores.snapshots.claim("you", f"{FROZEN}2", 10**12, 1000) is None
    assert stores.snapshots.items(ready, b"", 3) == ITEMS[:3]
    assert stores.snapshots.items(ready, LOGS[2], 3) == ITEMS[3:]
    assert stores.snapshots.item(ready, LOGS[1]) == ITEMS[1]
    assert stores.snapshots.item(ready, bytes(16)) is None


def test_names_are_a_dataset_s_own(stores: Stores, ready: Snapshot) -> None:
    with pytest.raises(Conflict, match="named 'one'"):
        stores.snapshots.create(a_snapshot())
    stores.snapshots.create(a_snapshot(dataset=structs.replace(DATASET, id=new_id())))
    stores.snapshots.create(a_snapshot(name="two", created_at=2))
    listed = stores.snapshots.list(SCOPE, dataset_id=DATASET.id, offset=0, limit=10)
    assert ([each.name for each in listed.items], listed.total) == (["two", "one"], 2)
    assert stores.snapshots.list(SCOPE, dataset_id=None, offset=0, limit=10).total == 3
    with pytest.raises(NotFound):
        stores.snapshots.create(a_snapshot(gateway_id="other"))


def test_who_lost_it_writes_nothing(stores: Stores) -> None:
    stores.snapshots.create(a_snapshot())
    first = stores.snapshots.claim("me", f"{FROZEN}1", 1, 1000)
    assert first is not None
    assert stores.snapshots.put(first, "me", ITEMS[:2])
    assert stores.snapshots.claim("you", f"{FROZEN}2", 900, 1000) is None
    assert stores.snapshots.renew(first, "me", 900, 1000)
    assert stores.snapshots.claim("you", f"{FROZEN}2", 1100, 1000) is None
    second = stores.snapshots.claim("you", f"{FROZEN}2", 2000, 1000)
    assert second is not None
    assert stores.snapshots.items(second, b"", 10) == [], "what the first one kept is forgotten"
    assert stores.snapshots.frozen() == {Scope(ACCOUNT, f"{FROZEN}2")}
    assert not stores.snapshots.put(first, "me", ITEMS[2:])
    assert not stores.snapshots.renew(first, "me", 2000, 1000)
    assert not stores.snapshots.save(structs.replace(first, status=SnapshotStatus.FAILED), "me")
    assert stores.snapshots.put(second, "you", ITEMS)
    assert stores.snapshots.save(structs.replace(second, status=SnapshotStatus.READY), "you")
    assert now(stores, first).hash == snapshot_hash(HASHES)
    assert now(stores, first).frozen == f"{FROZEN}2"


def test_one_that_is_put_back_waits_as_long_as_it_was_told_to(stores: Stores) -> None:
    stores.snapshots.create(a_snapshot())
    claimed = stores.snapshots.claim("me", f"{FROZEN}1", 1, 1000)
    assert claimed is not None
    assert stores.snapshots.save(structs.replace(claimed, status=SnapshotStatus.QUEUED), "me")
    assert stores.snapshots.renew(claimed, "me", 1, 5)
    assert stores.snapshots.claim("you", f"{FROZEN}2", 2, 1000) is None
    assert stores.snapshots.renew(claimed, "me", 2, 0)
    assert stores.snapshots.claim("you", f"{FROZEN}2", 2, 1000) is not None


def test_expected_answers_have_versions(stores: Stores, ready: Snapshot) -> None:
    first = stores.snapshots.expect(SCOPE, ready.id, [(LOGS[0], "yes"), (LOGS[1], "")], 5)
    assert (first.expected, first.expected_version, first.modified_at) == (2, 1, 5)
    assert first.expected_hash == expected_hash([(HASHES[0], answer_hash("yes")), (HASHES[1], answer_hash(""))])
    assert first.hash == ready.hash
    second = stores.snapshots.expect(SCOPE, ready.id, [(LOGS[0], None), (LOGS[2], "no")], 6)
    assert (second.expected, second.expected_version) == (2, 2)
    assert second.expected_hash == expected_hash([(HASHES[1], answer_hash("")), (HASHES[2], answer_hash("no"))])

    def answers(snapshot: Snapshot) -> list[str | None]:
        return [stores.snapshots.expected(reference(snapshot), log_id) for log_id in LOGS]

    assert answers(ready) == [None] * 5
    assert answers(first) == ["yes", "", None, None, None]
    assert answers(second) == [None, "", "no", None, None]
    assert [each.expected for each in stores.snapshots.items(first, b"", 10)] == answers(first)


def test_wrong_answers_change_nothing(stores: Stores, ready: Snapshot) -> None:
    with pytest.raises(BadInput) as caught:
        stores.snapshots.expect(SCOPE, ready.id, [(LOGS[0], "yes"), (bytes(16), "no")], 5)
    assert caught.value.path == (1,)
    stores.snapshots.erase(SCOPE, ready.id, [LOGS[0]], 5)
    with pytest.raises(BadInput, match="erased"):
        stores.snapshots.expect(SCOPE, ready.id, [(LOGS[0], "yes")], 5)
    assert now(stores, ready).expected_version == 0
    with pytest.raises(NotFound):
        stores.snapshots.expect(SCOPE, new_id(), [], 5)


def test_erasing_leaves_a_hole(stores: Stores, ready: Snapshot) -> None:
    before = stores.snapshots.expect(SCOPE, ready.id, [(LOGS[0], "a secret"), (LOGS[1], "plain")], 5)
    after = stores.snapshots.erase(SCOPE, ready.id, [LOGS[0], bytes(16)], 6)
    assert (after.items, after.holes, after.expected) == (5, 1, 1)
    assert (after.hash, after.expected_hash) == (before.hash, before.expected_hash)
    assert stores.snapshots.expected(reference(before), LOGS[0]) is None
    assert stores.snapshots.items(after, b"", 1) == [structs.replace(ITEMS[0], erased=True)]
    assert [each.id for each in stores.snapshots.to_erase()] == [ready.id]
    assert stores.snapshots.holes(after) == [LOGS[0]]
    stores.snapshots.erased(before)
    assert stores.snapshots.to_erase() != [], "more holes have come since"
    stores.snapshots.erased(after)
    assert stores.snapshots.to_erase() == []
    assert stores.snapshots.erase(SCOPE, ready.id, [LOGS[0]], 7).holes == 1


def test_an_open_one_takes_items_until_it_is_sealed(stores: Stores) -> None:
    opened = a_snapshot(status=SnapshotStatus.OPEN, frozen=f"{FROZEN}1")
    stores.snapshots.create(opened)
    assert stores.snapshots.claim("me", f"{FROZEN}2", 10**12, 1000) is None
    given = [structs.replace(ITEMS[0], expected="yes"), ITEMS[1]]
    assert stores.snapshots.add(SCOPE, opened.id, given, 2).expected == 1
    assert stores.snapshots.add(SCOPE, opened.id, ITEMS[2:], 3).items == 5
    sealed = stores.snapshots.seal(SCOPE, opened.id, 4)
    assert (sealed.status, sealed.hash) == (SnapshotStatus.READY, snapshot_hash(HASHES))
    assert (sealed.expected, sealed.expected_hash) == (1, expected_hash([(HASHES[0], answer_hash("yes"))]))
    assert stores.snapshots.items(sealed, b"", 10)[0].expected == "yes"
    for change in (stores.snapshots.seal, lambda *named: stores.snapshots.add(*named[:2], [], 5)):
        with pytest.raises(Conflict, match="ready"):
            change(SCOPE, opened.id, 5)


def test_it_goes_with_its_gateway_and_stays_without_its_dataset(stores: Stores, ready: Snapshot) -> None:
    assert stores.datasets.get(SCOPE, DATASET.id) is None
    assert now(stores, ready).dataset == DATASET
    stores.gateways.delete(SCOPE)
    assert stores.snapshots.get(SCOPE, ready.id) is None
    assert stores.snapshots.frozen() == set()


def test_deletion(stores: Stores, ready: Snapshot) -> None:
    assert stores.snapshots.delete(SCOPE, ready.id) == ready
    with pytest.raises(NotFound):
        stores.snapshots.delete(SCOPE, ready.id)
    assert stores.snapshots.items(ready, b"", 10) == []


def test_frozen_logs_are_logs_of_a_scope_of_their_own(stores: Stores) -> None:
    record = a_log()
    frozen = Scope(record.account_id, f"{FROZEN}1")
    copy = structs.replace(record, gateway_id=frozen.gateway_id, feedback=1)
    bodies = Bodies(request=b"q", response=b"a")
    assert stores.frozen_scopes() == []
    stores.logs.append(logged([record], bodies), keep_all)
    stores.logs.append(logged([copy], bodies), keep_all)
    stores.logs.delete_scope(record.scope)
    assert stores.logs.get(record.scope, record.id) is None
    assert stores.logs.get(frozen, record.id) == copy
    assert stores.logs.bodies(frozen, record.id) == bodies
    assert stores.logs.count(frozen, EVERYTHING) == 1
    assert stores.frozen_scopes() == [frozen]
    assert stores.logs.delete(frozen, EVERYTHING, Slice(limit=10)) == 1
    assert stores.frozen_scopes() == []
