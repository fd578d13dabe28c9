"""What every adapter of the store of shadows must do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from gaugeway.core import ids
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.replays import Candidate, ItemState, Reason, ReplayCounts, ReplayItem, ReplayStatus
from gaugeway.core.shadows import LOOKS_S, MAX_ACTIVE, Drawn, Looked, Shadow, ShadowCounts, Span, Unshadowed
from gaugeway.stores import Stores, open_stores
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

LOGS = [ids.first_at(1000 + number) for number in range(5)]
SPAN = Span(low=1000, high=2000, seen=7, looks=1)


def a_shadow(number: int = 1, **fields: object) -> Shadow:
    plain = {
        "account_id": ACCOUNT,
        "gateway_id": SCOPE.gateway_id,
        "id": f"shadow-{number}",
        "name": f"name {number}",
        "created_at": number,
        "modified_at": number,
        "through": "other",
        "candidates": (Candidate(label="a", model="openai/a"), Candidate(label="b")),
        "share": Decimal(5),
        "daily_cap": Decimal("0.5"),
        "until": 10_000_000,
    }
    return Shadow(**{**plain, **fields})


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


@pytest.fixture
def held(stores: Stores) -> Shadow:
    stores.shadows.create(a_shadow())
    claimed = stores.shadows.claim("me", 1, 1000)
    assert claimed == a_shadow()
    return claimed


def item(place: int, side: int, state: ItemState = ItemState.REPLAYED, **fields: object) -> ReplayItem:
    return ReplayItem(place=place, side=side, state=state, **fields)


def look(stores: Stores, held: Shadow, drawn: Sequence[bytes], span: Span = SPAN) -> None:
    assert stores.shadows.look(held, "me", [Looked(span, drawn)])


def test_names_are_its_gateway_s_own(stores: Stores) -> None:
    stores.shadows.create(a_shadow())
    with pytest.raises(Conflict):
        stores.shadows.create(a_shadow(2, name="name 1"))
    with pytest.raises(NotFound):
        stores.shadows.create(a_shadow(3, gateway_id="absent"))
    stores.shadows.create(a_shadow(4))
    listed = stores.shadows.list(SCOPE, name=None, processed=None, offset=0, limit=10)
    assert [one.name for one in listed.items] == ["name 4", "name 1"]
    assert stores.shadows.list(SCOPE, name="name 1", processed=False, offset=0, limit=10).total == 1
    assert stores.shadows.delete(SCOPE, "shadow-1").name == "name 1"
    with pytest.raises(NotFound):
        stores.shadows.delete(SCOPE, "shadow-1")


def test_one_that_ended_is_resumed_from_a_moment_on_where_there_is_room(stores: Stores, held: Shadow) -> None:
    look(stores, held, LOGS[:1], structs.replace(SPAN, looks=len(LOOKS_S)))
    assert stores.shadows.save(structs.replace(held, status=ReplayStatus.COMPLETED), "me")

    def resumed(one: Shadow) -> Shadow:
        return structs.replace(one, status=ReplayStatus.QUEUED)

    with pytest.raises(NotFound):
        stores.shadows.resume(SCOPE, "absent", resumed, 5000)
    for number in range(2, MAX_ACTIVE + 2):
        stores.shadows.create(a_shadow(number))
    with pytest.raises(Conflict, match="running already"):
        stores.shadows.resume(SCOPE, held.id, resumed, 5000)
    kept = stores.shadows.get(SCOPE, held.id)
    assert kept is not None
    assert (kept.status, stores.shadows.looked_until(held)) == (ReplayStatus.COMPLETED, SPAN.high)
    stores.shadows.delete(SCOPE, "shadow-2")
    assert stores.shadows.resume(SCOPE, held.id, resumed, 5000).status == ReplayStatus.QUEUED
    assert stores.shadows.looked_until(held) == 5000
    assert (stores.shadows.counts(held).seen, stores.shadows.counts(held).sampled) == (7, 1)


def test_so_many_run_and_not_more(stores: Stores) -> None:
    for number in range(MAX_ACTIVE):
        stores.shadows.create(a_shadow(number))
    with pytest.raises(Conflict, match="running already"):
        stores.shadows.create(a_shadow(MAX_ACTIVE))
    held = stores.shadows.claim("me", 1, 1000)
    assert held is not None
    assert stores.shadows.save(structs.replace(held, status=ReplayStatus.COMPLETED), "me")
    stores.shadows.create(a_shadow(MAX_ACTIVE))


def test_one_holds_it_until_the_lease_ends(stores: Stores, held: Shadow) -> None:
    assert stores.shadows.claim("you", 1000, 1000) is None
    assert stores.shadows.renew(held, "me", 1000, 1000)
    assert stores.shadows.claim("you", 1900, 1000) is None
    assert stores.shadows.claim("you", 2000, 1000) is not None
    assert not stores.shadows.renew(held, "me", 2000, 1000)
    assert not stores.shadows.save(held, "me")
    assert not stores.shadows.put(held, "me", [item(0, 0)])
    assert not stores.shadows.look(held, "me", [Looked(SPAN, LOGS)])
    assert not stores.shadows.end(held, "me", None, Drawn.MISSED, "ended")
    assert stores.shadows.counts(held) == ShadowCounts()


def test_a_change_takes_it_from_whoever_runs_it(stores: Stores, held: Shadow) -> None:
    changed = stores.shadows.change(SCOPE, held.id, lambda one: structs.replace(one, stopped_at=9))
    assert not stores.shadows.save(held, "me")
    assert stores.shadows.claim("you", 1, 1000) == changed
    with pytest.raises(NotFound):
        stores.shadows.change(SCOPE, "absent", lambda one: one)


def test_what_is_drawn_waits_once_however_often_it_is_looked_at(stores: Stores, held: Shadow) -> None:
    assert stores.shadows.looked_until(held) == held.created_at
    look(stores, held, LOGS[:2])
    look(stores, held, LOGS[:3], structs.replace(SPAN, seen=9, looks=2))
    assert stores.shadows.waiting(held, 10) == list(enumerate(LOGS[:3]))
    assert stores.shadows.waiting(held, 1) == [(0, LOGS[0])]
    assert stores.shadows.looked_until(held) == 2000
    assert stores.shadows.counts(held) == ShadowCounts(seen=9, sampled=3, waiting=3)


def test_a_span_is_due_until_it_was_looked_at_often_enough(stores: Stores, held: Shadow) -> None:
    later = Span(low=2000, high=3000, seen=1, looks=1)
    assert stores.shadows.look(held, "me", [Looked(SPAN, []), Looked(later, [])])
    due = 2000 + LOOKS_S[1] * 1000
    assert stores.shadows.spans(held, due - 1, 10) == []
    assert stores.shadows.spans(held, due, 10) == [SPAN]
    assert stores.shadows.spans(held, None, 10) == [SPAN, later]
    look(stores, held, [], structs.replace(SPAN, looks=len(LOOKS_S)))
    assert stores.shadows.spans(held, None, 10) == [later]
    assert stores.shadows.counts(held).seen == 8


def test_every_drawn_one_is_counted_for_good(stores: Stores, held: Shadow) -> None:
    look(stores, held, LOGS)
    assert stores.shadows.put(held, "me", [item(0, 1, ItemState.SENT), item(1, 1)])
    assert stores.shadows.end(held, "me", 2, Drawn.SKIPPED, Reason.NO_BODIES)
    assert stores.shadows.end(held, "me", 0, Drawn.MISSED, Unshadowed.CAP_REACHED)  # nothing of it was sent
    told = ShadowCounts(
        seen=7,
        sampled=5,
        waiting=2,
        called=1,
        skipped={"no_bodies": 1},
        missed={"cap_reached": 1},
        sides={1: ReplayCounts(replayed=1)},
    )
    assert stores.shadows.counts(held) == told
    assert stores.shadows.end(held, "me", 2, Drawn.MISSED, Unshadowed.BEHIND)  # it has ended already
    assert stores.shadows.counts(held) == told
    look(stores, held, LOGS, structs.replace(SPAN, looks=len(LOOKS_S)))
    assert stores.shadows.counts(held) == told
    assert stores.shadows.end(held, "me", None, Drawn.MISSED, Unshadowed.ENDED)
    assert stores.shadows.counts(held) == structs.replace(told, waiting=0, missed={"cap_reached": 1, "ended": 2})


def test_what_is_unfinished_is_known(stores: Stores, held: Shadow) -> None:
    look(stores, held, LOGS)
    sent = item(1, 1, ItemState.SENT)
    done = [item(0, side) for side in range(3)]
    assert stores.shadows.put(held, "me", [*done, sent, item(2, 2, ItemState.FAILED, reason=Reason.TIMEOUT)])
    [first, second] = stores.shadows.unfinished(held, -1, 10)
    assert (first.place, first.log_id, first.sides) == (1, LOGS[1], {1: sent})
    assert (second.place, list(second.sides)) == (2, [2])
    assert [one.place for one in stores.shadows.unfinished(held, 1, 10)] == [2]
    page = stores.shadows.items(held, side=1, state=ItemState.REPLAYED, offset=0, limit=10)
    assert (page.items, page.total) == ([(LOGS[0], item(0, 1))], 1)


def test_all_goes_with_its_shadow_and_a_shadow_with_its_gateway(stores: Stores, held: Shadow) -> None:
    look(stores, held, LOGS)
    assert stores.shadows.put(held, "me", [item(0, 0)])
    stores.shadows.delete(SCOPE, held.id)
    assert stores.shadows.counts(held) == ShadowCounts()
    stores.shadows.create(a_shadow(7))
    stores.gateways.delete(SCOPE)
    assert stores.shadows.get(SCOPE, "shadow-7") is None
