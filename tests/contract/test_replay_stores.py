"""What every adapter of the store of replays must do."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from gaugeway.core.comparisons import Comparison, Gate
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.replays import (
    Candidate,
    ItemState,
    Reason,
    Replay,
    ReplayCounts,
    ReplayItem,
    ReplayStatus,
)
from gaugeway.core.samples import Mark
from gaugeway.stores import Stores, open_stores
from support.state import ACCOUNT, SCOPE, a_dataset, a_gateway, an_account

DATASET = a_dataset()
LOGS = [bytes([0] * 15 + [number]) for number in range(1, 6)]


def a_replay(number: int = 1, **fields: object) -> Replay:
    plain = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": f"replay-{number}",
        "name": f"name {number}",
        "created_at": number,
        "modified_at": number,
        "dataset": DATASET,
        "through": "other",
        "candidates": (Candidate(label="a", model="openai/a"), Candidate(label="b", parameters={"seed": None})),
        "max_cost": Decimal("0.5"),
    }
    return Replay(**{**plain, **fields})


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


@pytest.fixture
def held(stores: Stores) -> Replay:
    stores.replays.create(a_replay())
    claimed = stores.replays.claim("me", 1, 1000)
    assert claimed == a_replay()
    assert stores.replays.plan(claimed, "me", LOGS)
    return claimed


def item(place: int, side: int, state: ItemState = ItemState.REPLAYED, **fields: object) -> ReplayItem:
    return ReplayItem(place=place, side=side, state=state, **fields)


def test_names_are_its_gateway_s_own(stores: Stores) -> None:
    stores.replays.create(a_replay())
    with pytest.raises(Conflict):
        stores.replays.create(a_replay(2, name="name 1"))
    with pytest.raises(NotFound):
        stores.replays.create(a_replay(3, gateway_id="absent"))
    stores.replays.create(a_replay(4))
    listed = stores.replays.list(SCOPE, name=None, processed=None, offset=0, limit=10)
    assert [one.name for one in listed.items] == ["name 4", "name 1"]
    assert stores.replays.list(SCOPE, name="name 1", processed=False, offset=0, limit=10).total == 1
    assert stores.replays.list(SCOPE, name=None, processed=True, offset=0, limit=10).total == 0
    assert stores.replays.delete(SCOPE, "replay-1").name == "name 1"
    with pytest.raises(NotFound):
        stores.replays.delete(SCOPE, "replay-1")


def test_one_holds_it_until_the_lease_ends(stores: Stores, held: Replay) -> None:
    assert stores.replays.claim("you", 1000, 1000) is None
    assert stores.replays.renew(held, "me", 1000, 1000)
    assert stores.replays.claim("you", 1900, 1000) is None
    assert stores.replays.claim("you", 2000, 1000) is not None
    assert not stores.replays.renew(held, "me", 2000, 1000)
    assert not stores.replays.save(held, "me")
    assert not stores.replays.put(held, "me", [item(0, 0)])
    assert not stores.replays.plan(held, "me", LOGS)


def test_an_end_is_kept_with_its_comparison(stores: Stores, held: Replay) -> None:
    comparison = Comparison(subjects=(), totals=(), overlaps=(), metrics=(), differences=(), gate=Gate.CANNOT_TELL)
    done = structs.replace(held, status=ReplayStatus.COMPLETED, comparison=comparison)
    assert stores.replays.save(done, "me")
    assert stores.replays.get(SCOPE, held.id) == done
    assert stores.replays.claim("you", 10_000, 1000) is None


def test_a_plan_is_kept_once_and_what_is_unfinished_is_known(stores: Stores, held: Replay) -> None:
    assert stores.replays.planned(held) == 5
    assert stores.replays.plan(held, "me", LOGS[:1])
    assert stores.replays.planned(held) == 5
    sent = item(1, 1, ItemState.SENT)
    done = [item(0, side) for side in range(3)]
    ended = [item(2, 0), item(2, 1, ItemState.FAILED), item(2, 2, ItemState.SKIPPED, reason=Reason.BODY_CUT)]
    assert stores.replays.put(held, "me", [*done, sent, *ended])
    [first, second, third] = stores.replays.unfinished(held, -1, 10)
    assert [(one.place, one.log_id) for one in (first, second, third)] == [
        (1, LOGS[1]),
        (3, LOGS[3]),
        (4, LOGS[4]),
    ]
    assert first.sides == {1: sent}
    assert [one.place for one in stores.replays.unfinished(held, 1, 1)] == [3]
    counts = stores.replays.counts(held)
    assert counts[1] == ReplayCounts(replayed=1, failed=1, under_way=1)
    assert counts[2] == ReplayCounts(replayed=1, skipped=1, reasons={"body_cut": 1})


def test_items_are_replaced_and_read_in_pages(stores: Stores, held: Replay) -> None:
    assert stores.replays.put(held, "me", [item(n, 1, ItemState.SENT) for n in range(4)])
    whole = item(
        2,
        1,
        log_id=LOGS[0],
        cost=Decimal("0.000000000001"),
        duration=3,
        resent=True,
        marks=(Mark(1.5, False, "n"), Mark(None, True, "broke")),
    )
    assert stores.replays.put(held, "me", [whole])
    page = stores.replays.items(held, side=1, state=ItemState.REPLAYED, offset=0, limit=10)
    assert (page.items, page.total) == ([(LOGS[2], whole)], 1)
    page = stores.replays.items(held, side=None, state=None, offset=1, limit=2)
    assert ([one.place for _, one in page.items], page.total) == ([1, 2], 4)
    assert stores.replays.counts(held)[1].resent == 1


def test_failures_are_forgotten_and_answers_stay(stores: Stores, held: Replay) -> None:
    judged = item(1, 1, marks=(Mark(None, True, "broke"),), cost=Decimal(1))
    fine = item(2, 1, marks=(Mark(1.0),))
    assert stores.replays.put(held, "me", [item(0, 1, ItemState.FAILED), judged, fine])
    changed = stores.replays.change(
        SCOPE, held.id, lambda one: structs.replace(one, status_description="again"), forget_failures=True
    )
    assert changed.status_description == "again"
    kept = {one.place: one for _, one in stores.replays.items(held, side=1, state=None, offset=0, limit=9).items}
    assert kept == {1: structs.replace(judged, state=ItemState.ANSWERED), 2: fine}
    assert not stores.replays.put(held, "me", [fine])  # it was taken from whoever ran it
    with pytest.raises(NotFound):
        stores.replays.change(SCOPE, "absent", lambda one: one)


def test_items_go_with_their_replay_and_a_replay_with_its_gateway(stores: Stores, held: Replay) -> None:
    assert stores.replays.put(held, "me", [item(0, 0)])
    stores.replays.delete(SCOPE, held.id)
    assert (stores.replays.planned(held), stores.replays.counts(held)) == (0, {})
    stores.replays.create(a_replay(7))
    stores.gateways.delete(SCOPE)
    assert stores.replays.get(SCOPE, "replay-7") is None
