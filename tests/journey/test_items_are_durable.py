"""Item-wise evaluations over the real stores and the real scoring process, whoever is killed, and when."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from gaugeway.core.items import ItemStatus
from gaugeway.core.model import Account, Bodies, Evaluation, Gateway, Logged, LogRecord, ResultStatus
from gaugeway.core.ports import Retention
from gaugeway.core.query import Slice, Where
from gaugeway.stores import Stores, open_stores
from support import laboratory as lab
from support.laboratory_run import SHORT, kept, laboratory, wait_until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def stores(data: Path) -> Iterator[Stores]:
    opened = open_stores(data)
    opened.accounts.create(Account(id=lab.ACCOUNT, name="test", created_at=lab.NOON))
    opened.gateways.create(
        Gateway(account_id=lab.ACCOUNT, id=lab.SCOPE.gateway_id, created_at=lab.NOON, modified_at=lab.NOON)
    )
    yield opened
    opened.close()


def chat(answer: str, *, expected: str | None = None) -> Logged:
    record = structs.replace(
        lab.log(),
        metadata=None if expected is None else {"expected": expected},
        response_content_type="application/json",
    )
    request = {"model": "m", "messages": [{"role": "user", "content": "What is it?"}]}
    response = {"choices": [{"index": 0, "message": {"role": "assistant", "content": answer}}]}
    return Logged(record, Bodies(request=msgspec.json.encode(request), response=msgspec.json.encode(response)))


def keep(stores: Stores, *logs: Logged) -> list[LogRecord]:
    stores.logs.append(logs, lambda _: Retention(None, None))
    return [item.record for item in logs]


def begun(stores: Stores, item: Evaluation) -> int:
    """How many items there are."""
    return sum(each.scored + each.failed + each.skipped for each in stores.items.counts(item).values())


def has_gone_on(stores: Stores, item: Evaluation, before: int) -> bool:
    return begun(stores, item) > before or kept(stores, item).processed


def figures(item: Evaluation) -> list[tuple[str, int, int, int]]:
    return [(row.result, row.total_logs, row.skipped, row.failed) for row in item.results]


def test_killed_again_and_again_it_ends_with_each_log_judged_once(stores: Stores, data: Path) -> None:
    number = 1500
    keep(stores, *(chat(f"answer {n % 3}", expected="answer 0" if n % 5 else None) for n in range(number)))
    item = lab.evaluation(types=("exact_match", "length", "cost"))
    stores.evaluations.create(item)
    deaths = 0
    while not kept(stores, item).processed:
        before = begun(stores, item)
        with laboratory(data, f"run {deaths}", pace=SHORT) as running:
            wait_until(partial(has_gone_on, stores, item, before))
            if deaths < 3:
                running.process.send_signal(signal.SIGKILL)
                running.process.wait()
                deaths += 1
            else:
                wait_until(lambda: kept(stores, item).processed)
                assert running.end() == 0
    assert deaths == 3
    done = kept(stores, item)
    comparable = [n for n in range(number) if n % 5]
    right = sum(n % 3 == 0 for n in comparable)
    match, length, cost = figures(done)
    assert lab.is_nearest(match[0], Fraction(100 * right, len(comparable)))
    assert match[1:] == (1200, 300, 0)
    why = "there is no expected answer: the log's metadata has no 'expected'"
    assert done.results[0].status_description.endswith(f"300 left out; the first: {why}")
    assert length == ("8", number, 0, 0)
    assert cost == ("", 0, number, 0)
    assert begun(stores, item) == 2 * number
    assert done.total_logs == number
    assert {row.pending for row in done.results} == {0}


def test_progress_shows_and_a_cancelled_run_stops_and_can_be_resumed(stores: Stores, data: Path) -> None:
    keep(stores, *(chat("a b c") for _ in range(1000)))
    item = lab.evaluation(types=("slow_length",))
    stores.evaluations.create(item)

    def cancel(evaluation: Evaluation) -> list:
        return [structs.replace(row, status=ResultStatus.CANCELLED) for row in evaluation.results]

    def resume(evaluation: Evaluation) -> list:
        return [structs.replace(row, status=ResultStatus.QUEUED) for row in evaluation.results]

    with laboratory(data, "one", pace=SHORT) as running:
        wait_until(lambda: 0 < kept(stores, item).results[0].total_logs < 1000)
        [row] = kept(stores, item).results
        assert row.status is ResultStatus.RUNNING
        assert row.total_logs + row.pending == 1000
        assert f"{row.total_logs} of 1000 logs" in row.status_description
        stores.evaluations.change(item.scope, item.id, cancel)
        judged = begun(stores, item)
        other = lab.evaluation(types=("length",), created_at=lab.NOON + 1)
        stores.evaluations.create(other)
        wait_until(lambda: kept(stores, other).processed)
        assert kept(stores, item).results[0].status is ResultStatus.CANCELLED
        assert begun(stores, item) == judged < 1000
        stores.evaluations.change(item.scope, item.id, resume)
        wait_until(lambda: kept(stores, item).processed)
        assert running.end() == 0
    assert figures(kept(stores, item)) == [("5", 1000, 0, 0)]


def test_a_log_deleted_meanwhile_is_skipped_and_one_deleted_later_keeps_its_score(
    stores: Stores, data: Path
) -> None:
    first, *_ = keep(stores, chat("one"), chat("three"))
    item = lab.evaluation(types=("length",))
    stores.evaluations.create(item)
    claimed = stores.evaluations.claim("me", lab.NOON, 0)
    assert claimed is not None
    assert stores.items.plan(claimed, "me", stores.logs.ids(item.scope, Where(), Slice(descending=False)))
    stores.evaluations.renew(claimed, "me", lab.NOON, 0)
    stores.logs.delete(item.scope, Where(), Slice(limit=1, descending=False))
    with laboratory(data, "one", pace=SHORT) as running:
        wait_until(lambda: kept(stores, item).processed)
        assert running.end() == 0
    assert figures(kept(stores, item)) == [("5", 1, 1, 0)]
    page = stores.items.page(item, position=0, status=None, worst_first=True, offset=0, limit=10)
    assert [(each.log_id == first.id, each.status) for each in page.items] == [
        (False, ItemStatus.SCORED),
        (True, ItemStatus.SKIPPED),
    ]
    assert "deleted before" in page.items[1].note
    stores.logs.delete_scope(item.scope)
    assert figures(kept(stores, item)) == [("5", 1, 1, 0)]
    stores.evaluations.delete(item.scope, item.id)
    assert stores.items.counts(item) == {}


def test_what_a_scorer_does_to_its_process_costs_that_item_only(stores: Stores, data: Path) -> None:
    answers = ["fine", "exit", "kill", "raise", "hang", "memory", "fine"]
    keep(stores, *(chat(answer) for answer in answers))
    item = lab.evaluation(types=("unruly", "length"))
    stores.evaluations.create(item)
    with laboratory(data, "one", pace=SHORT) as running:
        wait_until(lambda: kept(stores, item).processed)
        assert running.end() == 0
    unruly, length = figures(kept(stores, item))
    assert unruly == ("100", 2, 0, 5)
    assert length == (length[0], 7, 0, 0)
    page = stores.items.page(item, position=0, status=ItemStatus.FAILED, worst_first=False, offset=0, limit=10)
    notes = [each.note for each in page.items]
    assert "ended (3)" in notes[0]
    assert "by SIGKILL" in notes[1]
    assert notes[2] == "RuntimeError: as it was told"
    assert "took longer than 1 s" in notes[3]
    assert "MemoryError" in notes[4]


def test_the_processes_of_a_killed_laboratory_do_not_stay(stores: Stores, data: Path) -> None:
    keep(stores, *(chat("a") for _ in range(500)))
    item = lab.evaluation(types=("slow_length",))
    stores.evaluations.create(item)
    with laboratory(data, "one", pace=SHORT) as running:
        wait_until(lambda: begun(stores, item) > 0)
        tasks = Path(f"/proc/{running.process.pid}/task").iterdir()  # a child is listed by who started it
        beside = [pid for task in tasks for pid in (task / "children").read_text().split()]
        assert beside
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        wait_until(lambda: not any(_runs(int(pid)) for pid in beside))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "zombie" not in Path(f"/proc/{pid}/status").read_text()
