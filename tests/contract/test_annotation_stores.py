"""What every adapter of the store behind annotation must do."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gaugeway.core.annotations import HOLD_MS, MAX_ANNOTATORS, Annotation, AnnotationQueue, Measure, Progress
from gaugeway.core.errors import Conflict, NotFound
from gaugeway.core.model import Scope
from gaugeway.stores import Stores, open_stores
from support.state import ACCOUNT, SCOPE, a_gateway, an_account

LOGS = [bytes([0] * 15 + [number]) for number in (3, 1, 2)]


def a_queue(number: int = 1, wanted: int = 2) -> AnnotationQueue:
    return AnnotationQueue(
        account_id=ACCOUNT,
        gateway_id=SCOPE.gateway_id,
        id=f"queue-{number}",
        name=f"Queue {number}",
        instructions="Is it right?",
        labels=("bad", "good"),
        positive=("good",),
        measure=Measure.NOMINAL,
        annotators_per_item=wanted,
        dataset_names=("all",),
        seed=0,
        created_at=number,
    )


def said(log_id: bytes, annotator: str, label: str | None = "good", note: str = "", at: int = 5) -> Annotation:
    return Annotation(log_id=log_id, annotator=annotator, label=label, note=note, created_at=at)


@pytest.fixture(params=["sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    opened = open_stores(f"{request.param}:{tmp_path / 'data'}")
    opened.accounts.create(an_account())
    opened.gateways.create(a_gateway())
    yield opened
    opened.close()


@pytest.fixture
def queue(stores: Stores) -> AnnotationQueue:
    stores.annotations.create(a_queue(), LOGS)
    return a_queue()


def test_a_queue_is_found_listed_and_deleted(stores: Stores, queue: AnnotationQueue) -> None:
    stores.annotations.create(a_queue(2), LOGS[:1])
    assert stores.annotations.get(SCOPE, "queue-1") == queue
    assert stores.annotations.get(Scope(ACCOUNT, "another"), "queue-1") is None
    page = stores.annotations.list(SCOPE, offset=0, limit=1)
    assert (page.items, page.total) == ([a_queue(2)], 2)
    stores.annotations.put(queue, said(LOGS[0], "ann"))
    assert stores.annotations.delete(SCOPE, "queue-1") == queue
    assert stores.annotations.annotations(queue) == []
    with pytest.raises(NotFound):
        stores.annotations.delete(SCOPE, "queue-1")
    with pytest.raises(NotFound):
        stores.annotations.delete(Scope(ACCOUNT, "another"), "queue-2")


def test_a_name_is_given_once_and_a_gateway_is_needed(stores: Stores, queue: AnnotationQueue) -> None:
    with pytest.raises(Conflict):
        stores.annotations.create(queue, LOGS)
    stores.gateways.delete(SCOPE)
    assert stores.annotations.get(SCOPE, queue.id) is None
    with pytest.raises(NotFound):
        stores.annotations.create(queue, LOGS)


def test_items_are_handed_out_in_order_and_kept_from_others_for_a_while(
    stores: Stores, queue: AnnotationQueue
) -> None:
    annotations = stores.annotations
    assert annotations.next(queue, "ann", 1000) == LOGS[0]
    assert annotations.next(queue, "ann", 2000) == LOGS[0], "asked again, the same"
    assert annotations.next(queue, "bob", 2000) == LOGS[0], "two are wanted"
    assert annotations.next(queue, "cid", 2000) == LOGS[1], "both hold it"
    assert annotations.next(queue, "dan", 2000 + HOLD_MS) == LOGS[0], "they have gone"


def test_who_has_seen_an_item_is_not_asked_again(stores: Stores, queue: AnnotationQueue) -> None:
    annotations = stores.annotations
    annotations.put(queue, said(LOGS[0], "ann"))
    assert annotations.next(queue, "ann", 1000) == LOGS[1]
    annotations.put(queue, said(LOGS[0], "bob", "bad"))
    assert annotations.next(queue, "cid", 1000) == LOGS[1], "as many as were wanted have seen it"
    annotations.put(queue, said(LOGS[1], "ann"))
    annotations.put(queue, said(LOGS[2], "ann", None, "in a language I do not read"))
    assert annotations.next(queue, "ann", 2000) is None
    assert annotations.remove(queue, LOGS[0], "ann") == said(LOGS[0], "ann")
    assert annotations.next(queue, "ann", 3000) == LOGS[0]
    with pytest.raises(NotFound):
        annotations.remove(queue, LOGS[0], "ann")


def test_what_is_taken_back_is_asked_about_next(stores: Stores, queue: AnnotationQueue) -> None:
    annotations = stores.annotations
    assert annotations.next(queue, "ann", 1000) == LOGS[0]
    annotations.put(queue, said(LOGS[0], "ann", at=1001))
    assert annotations.next(queue, "ann", 1002) == LOGS[1]
    annotations.remove(queue, LOGS[0], "ann")
    assert annotations.next(queue, "ann", 1003) == LOGS[0]
    assert annotations.progress(queue).annotators == {}


def test_what_is_said_again_takes_the_place_of_what_was_said(stores: Stores, queue: AnnotationQueue) -> None:
    stores.annotations.put(queue, said(LOGS[0], "ann"))
    stores.annotations.put(queue, said(LOGS[0], "ann", "bad", "on second thought", 9))
    assert stores.annotations.annotations(queue) == [said(LOGS[0], "ann", "bad", "on second thought", 9)]


def test_what_is_no_item_cannot_be_annotated(stores: Stores, queue: AnnotationQueue) -> None:
    with pytest.raises(NotFound):
        stores.annotations.put(queue, said(bytes(16), "ann"))


def test_an_item_has_so_many_annotators_and_no_more(stores: Stores, queue: AnnotationQueue) -> None:
    for number in range(MAX_ANNOTATORS):
        stores.annotations.put(queue, said(LOGS[0], f"annotator {number}"))
    with pytest.raises(Conflict):
        stores.annotations.put(queue, said(LOGS[0], "one more"))
    stores.annotations.put(queue, said(LOGS[0], "annotator 3", "bad"))


def test_progress_counts_what_was_said_and_not_what_was_handed_out(stores: Stores, queue: AnnotationQueue) -> None:
    annotations = stores.annotations
    annotations.next(queue, "cid", 1000)
    annotations.put(queue, said(LOGS[0], "ann"))
    annotations.put(queue, said(LOGS[0], "bob", None, "cannot tell"))
    annotations.put(queue, said(LOGS[1], "ann"))
    annotations.mark_gone(queue, LOGS[2])
    assert annotations.progress(queue) == Progress(
        items=3, complete=1, begun=1, gone=1, annotators={"ann": 2, "bob": 1}
    )


def test_a_log_that_is_gone_is_not_handed_out_and_what_was_said_of_it_stays(
    stores: Stores, queue: AnnotationQueue
) -> None:
    annotations = stores.annotations
    annotations.put(queue, said(LOGS[0], "ann"))
    assert annotations.next(queue, "bob", 1000) == LOGS[0]
    annotations.mark_gone(queue, LOGS[0])
    assert annotations.next(queue, "bob", 1001) == LOGS[1]
    page = annotations.items(queue, offset=0, limit=2)
    assert page.total == 3
    assert [(item.log_id, item.gone, len(item.annotations)) for item in page.items] == [
        (LOGS[0], True, 1),
        (LOGS[1], False, 0),
    ]


def test_many_who_ask_at_once_get_no_item_more_often_than_wanted(stores: Stores) -> None:
    queue = a_queue(7, wanted=1)
    logs = [bytes([1] * 15 + [number]) for number in range(20)]
    stores.annotations.create(queue, logs)
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda number: stores.annotations.next(queue, f"a{number}", 1000), range(20)))
    assert sorted(one for one in given if one is not None) == logs
