"""What every adapter of the stores behind item-wise evaluations must do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.errors import BadInput, Conflict, NotFound
from gaugeway.core.items import Counts, CustomType, Item, ItemStatus, Pending
from gaugeway.core.model import Evaluation, ResultStatus
from gaugeway.core.votes import Vote
from gaugeway.stores import Stores, open_stores
from support.state import ACCOUNT, SCOPE, a_gateway, an_account, an_evaluation

SCORED, FAILED, SKIPPED = ItemStatus.SCORED, ItemStatus.FAILED, ItemStatus.SKIPPED
ALL: Any = {"position": None, "status": None, "worst_first": True, "offset": 0, "limit": 100}
LOGS = [bytes([0] * 15 + [number]) for number in range(1, 6)]


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


@pytest.fixture
def held(stores: Stores) -> Evaluation:
    stores.evaluations.create(an_evaluation())
    claimed = stores.evaluations.claim("me", 1, 1000)
    assert claimed is not None
    return claimed


def item(number: int, position: int = 0, status: ItemStatus = SCORED, score: float | None = None) -> Item:
    badness = None if score is None else -score
    return Item(
        log_id=LOGS[number], position=position, status=status, score=score, badness=badness, note=f"n{number}"
    )


def found(stores: Stores, held: Evaluation, **chosen) -> list[tuple[int, int]]:
    plain = {"position": None, "status": None, "worst_first": True, "offset": 0, "limit": 100}
    page = stores.items.page(held, **{**plain, **chosen})
    return [(each.position, LOGS.index(each.log_id)) for each in page.items]


def test_a_plan_is_kept_once(stores: Stores, held: Evaluation) -> None:
    assert stores.items.planned(held) == 0
    assert stores.items.plan(held, "me", LOGS[:3])
    assert stores.items.plan(held, "me", LOGS)
    assert stores.items.planned(held) == 3


def test_nobody_but_the_holder_writes(stores: Stores, held: Evaluation) -> None:
    assert not stores.items.plan(held, "you", LOGS)
    assert stores.items.plan(held, "me", LOGS)
    assert not stores.items.put(held, "you", [item(0, score=1)])
    assert stores.items.counts(held) == {}
    assert stores.evaluations.claim("you", 5000, 1000) is not None
    assert not stores.items.put(held, "me", [item(0, score=1)])
    assert stores.items.put(held, "you", [item(0, score=1)])


def test_what_is_pending(stores: Stores, held: Evaluation) -> None:
    stores.items.plan(held, "me", LOGS)
    stores.items.put(
        held, "me", [item(0, 0, score=1), item(0, 1, score=2), item(1, 1, SKIPPED), item(2, 0, FAILED)]
    )
    assert stores.items.pending(held, [0, 1], b"", 3) == [
        Pending(LOGS[1], (0,)),
        Pending(LOGS[2], (1,)),
        Pending(LOGS[3], (0, 1)),
    ]
    assert stores.items.pending(held, [1, 0], LOGS[3], 3) == [Pending(LOGS[4], (0, 1))]
    assert stores.items.pending(held, [0], LOGS[1], 9) == [Pending(LOGS[3], (0,)), Pending(LOGS[4], (0,))]
    assert stores.items.pending(held, [], b"", 9) == []


def test_an_item_is_kept_once(stores: Stores, held: Evaluation) -> None:
    assert stores.items.put(held, "me", [item(0, score=1)])
    assert stores.items.put(held, "me", [item(0, score=2), item(1, score=3)])
    assert stores.items.scores(held, 0) == [1.0, 3.0]


def test_counts_scores_and_pages(stores: Stores, held: Evaluation) -> None:
    stores.items.put(
        held,
        "me",
        [item(0, 0, score=5), item(1, 0, FAILED), item(2, 0, score=-2.5), item(3, 0, SKIPPED), item(4, 0, score=7)],
    )
    stores.items.put(held, "me", [item(2, 1, score=0.1), item(1, 1, score=0.2)])
    assert stores.items.counts(held) == {0: Counts(3, 1, 1), 1: Counts(2, 0, 0)}
    assert stores.items.scores(held, 0) == [5.0, -2.5, 7.0]
    assert stores.items.scores(held, 1) == [0.2, 0.1]
    assert found(stores, held) == [(0, 2), (0, 0), (0, 4), (0, 1), (0, 3), (1, 2), (1, 1)]
    assert found(stores, held, worst_first=False) == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 1), (1, 2)]
    assert found(stores, held, position=1) == [(1, 2), (1, 1)]
    assert found(stores, held, status=FAILED) == [(0, 1)]
    assert found(stores, held, offset=1, limit=2) == [(0, 0), (0, 4)]
    page = stores.items.page(held, position=0, status=SCORED, worst_first=True, offset=0, limit=1)
    assert (page.total, page.items) == (3, [item(2, 0, score=-2.5)])


def test_items_go_with_their_evaluation_and_with_its_gateway(stores: Stores, held: Evaluation) -> None:
    stores.items.plan(held, "me", LOGS)
    stores.items.put(held, "me", [item(0, score=1)])
    stores.evaluations.delete(SCOPE, held.id)
    assert (stores.items.planned(held), stores.items.counts(held)) == (0, {})
    assert not stores.items.put(held, "me", [item(1, score=1)])
    again = structs.replace(an_evaluation(), id="0" * 36)
    stores.evaluations.create(again)
    assert stores.items.counts(again) == {}
    assert stores.evaluations.claim("me", 1, 1) is not None
    stores.items.put(again, "me", [item(0, score=1)])
    stores.gateways.delete(SCOPE)
    assert stores.items.counts(again) == {}


def test_a_change_takes_the_evaluation_from_its_holder(stores: Stores, held: Evaluation) -> None:
    stores.items.put(held, "me", [item(0, score=1), item(1, 0, FAILED)])
    ended = [structs.replace(row, status=ResultStatus.CANCELLED, modified_at=99) for row in held.results]
    changed = stores.evaluations.change(SCOPE, held.id, lambda _: ended)
    assert (changed.processed, changed.modified_at, changed.results) == (True, 99, ended)
    assert stores.evaluations.get(SCOPE, held.id) == changed
    assert not stores.items.put(held, "me", [item(2, score=1)])
    assert not stores.evaluations.renew(held, "me", 1, 1000)
    assert not stores.evaluations.save(held, "me", held.results, 1)
    assert stores.evaluations.claim("you", 5000, 1000) is None
    stores.evaluations.change(SCOPE, held.id, lambda _: held.results, forget_failures=True)
    assert stores.items.counts(held) == {0: Counts(1, 0, 0)}
    assert stores.evaluations.claim("you", 5000, 1000) is not None


def test_a_change_that_is_refused_changes_nothing(stores: Stores, held: Evaluation) -> None:
    def refuse(_: Evaluation) -> list:
        raise Conflict("no")

    with pytest.raises(Conflict):
        stores.evaluations.change(SCOPE, held.id, refuse, forget_failures=True)
    assert stores.evaluations.renew(held, "me", 1, 1000)
    with pytest.raises(NotFound):
        stores.evaluations.change(SCOPE, "absent", lambda each: each.results)


# --- custom evaluation types ------------------------------------------------------------------------------


def a_type(number: int = 1, **changes) -> CustomType:
    plain = CustomType(
        account_id=ACCOUNT,
        id=f"type {number}",
        name=f"name {number}",
        evaluator_id="regex",
        description="d",
        parameters={"pattern": "a", "nested": [1, 2.5, None, {"b": True}]},
        created_at=number,
        modified_at=number,
    )
    return structs.replace(plain, **changes)


def test_custom_types(stores: Stores) -> None:
    types = stores.custom_types
    for number in (2, 1):
        types.create(a_type(number))
    assert types.list(ACCOUNT) == [a_type(1), a_type(2)]
    assert types.get(ACCOUNT, "type 1") == a_type(1)
    assert types.get("f" * 32, "type 1") is None
    assert types.list("f" * 32) == []
    with pytest.raises(Conflict):
        types.create(a_type(3, name="name 1"))
    with pytest.raises(NotFound):
        types.create(a_type(3, account_id="f" * 32))
    with pytest.raises(NotFound):
        types.delete("f" * 32, "type 1")
    assert types.delete(ACCOUNT, "type 1") == a_type(1)
    assert types.list(ACCOUNT) == [a_type(2)]


def test_what_is_no_text_is_refused(stores: Stores) -> None:
    with pytest.raises(BadInput):
        stores.custom_types.create(a_type(parameters={"pattern": "\ud800"}))


def test_the_votes_of_a_panel_are_kept_with_its_items(stores: Stores, held: Evaluation) -> None:
    stores.items.plan(held, "me", LOGS)
    votes = (Vote("openai/a", "pass", 100, "so it is"), Vote("openai/b", note="it broke off"))
    given = [
        structs.replace(item(0, 0, score=100), votes=votes),
        structs.replace(item(2, 0, FAILED), votes=votes[1:]),
        structs.replace(item(1, 0, SKIPPED), votes=votes[:1]),
        structs.replace(item(3, 1, score=1), votes=votes[:1]),
        item(4, 0, score=0),
    ]
    assert stores.items.put(held, "me", given)
    kept = {each.log_id: each.votes for each in stores.items.page(held, **ALL).items}
    assert kept == {each.log_id: each.votes for each in given}
    assert list(stores.items.votes(held, 0)) == [(100, votes), (None, votes[:1]), (None, votes[1:])]
    assert list(stores.items.votes(held, 1)) == [(1, votes[:1])]
    assert list(stores.items.votes(held, 2)) == []
    stores.evaluations.change(SCOPE, held.id, lambda kept: list(kept.results), forget_failures=True)
    assert [score for score, _ in stores.items.votes(held, 0)] == [100, None]


def test_more_votes_than_are_read_at_once(stores: Stores, held: Evaluation) -> None:
    logs = [number.to_bytes(16) for number in range(5_003)]
    stores.items.plan(held, "me", logs)
    vote = (Vote("openai/a", "pass", 100),)
    many = [
        Item(log_id=log, position=0, status=SCORED, score=float(number), badness=0, votes=vote)
        for number, log in enumerate(logs)
    ]
    assert stores.items.put(held, "me", many)
    assert [score for score, _ in stores.items.votes(held, 0)] == list(range(5_003))
