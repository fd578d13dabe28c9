"""Evaluations over the real stores: exact figures, and one conclusion each, whoever is killed or paused."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from gaugeway.core.model import (
    Account,
    Dataset,
    Evaluation,
    Gateway,
    Logged,
    LogRecord,
    Outcome,
    ResultStatus,
    Scope,
)
from gaugeway.core.money import plain
from gaugeway.core.ports import LogChange, Retention
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.runner import Runner
from gaugeway.evaluation.selection import select
from gaugeway.stores import Stores, open_stores
from support import laboratory as lab
from support.laboratory_run import PATIENT, SHORT, kept, laboratory, wait_until


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def stores(data: Path) -> Iterator[Stores]:
    opened = open_stores(data)
    opened.accounts.create(Account(id=lab.ACCOUNT, name="test", created_at=lab.NOON))
    for gateway_id in (lab.SCOPE.gateway_id, "other"):
        opened.gateways.create(
            Gateway(account_id=lab.ACCOUNT, id=gateway_id, created_at=lab.NOON, modified_at=lab.NOON)
        )
    yield opened
    opened.close()


def keep(stores: Stores, *logs: LogRecord) -> None:
    stores.logs.append([Logged(item) for item in logs], lambda _: Retention(None, None))


async def finish(stores: Stores, *items: Evaluation) -> list[Evaluation]:
    """Run them with a runner in this process; what they became."""
    runner = Runner(
        evaluations=stores.evaluations,
        logs=stores.logs,
        sink=lab.ReadySink(),
        evaluators=load(),
        clock=lab.SystemClock(),
        owner=f"pytest {os.getpid()}",
        pace=PATIENT,
    )
    task = asyncio.create_task(runner.run_forever())
    async with asyncio.timeout(60):
        while not all(kept(stores, item).processed for item in items):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait((task,))
    return [kept(stores, item) for item in items]


def some_logs(count: int, seed: int, scope: Scope = lab.SCOPE) -> list[LogRecord]:
    dice = random.Random(seed)
    return [
        lab.log(
            dice.choice(
                [None, Decimal(dice.randrange(10**13)).scaleb(-12), Decimal(dice.randrange(900)).scaleb(-4)]
            ),
            dice.choice([dice.randrange(2_000), dice.randrange(10**7)]),
            dice.choice([None, None, 1, -1]),
            created_at=lab.NOON - dice.randrange(1_000_000),
            model=dice.choice(["gpt-5-mini", "GPT-5", "claude-sonnet-5", "100%_x"]),
            provider=dice.choice(["openai", "anthropic"]),
            outcome=dice.choice([Outcome.SUCCESS, Outcome.SUCCESS, Outcome.CACHED, Outcome.TIMEOUT]),
            tokens_out=dice.choice([None, dice.randrange(1000)]),
            scope=scope,
        )
        for _ in range(count)
    ]


OVERLAPPING: list[list[Dataset]] = [
    [lab.dataset()],
    [lab.dataset(("provider", "eq", ["openai"])), lab.dataset(("model", "contains", ["GPT"]))],
    [lab.dataset(("cost", "gt", [1]), ("success", "eq", [True])), lab.dataset(("cost", "gt", [0.5]))],
    [lab.dataset(("feedback", "eq", [1])), lab.dataset(("feedback", "eq", [-1])), lab.dataset()],
    [lab.dataset(("cached", "eq", [True])), lab.dataset(("duration", "lt", [1500]), ("tokens_out", "gt", [500]))],
    [lab.dataset(("model", "eq", ["100%_x"])), lab.dataset(("model", "contains", ["%_"]))],
    [lab.dataset(("created_at", "lt", ["2026-11-18T11:50:00Z"])), lab.dataset(("duration", "gt", [10**6]))],
    [lab.dataset(("cost", "eq", [0]), ("feedback", "eq", [0]))],
    [lab.dataset(("model", "eq", ["nobody"]))],
]


async def test_figures_over_overlapping_datasets_equal_the_oracle(stores: Stores):
    logs = some_logs(3_000, seed=7)
    keep(stores, *logs, *some_logs(500, seed=8, scope=Scope(lab.ACCOUNT, "other")))
    items = [
        lab.evaluation(*datasets, created_at=lab.NOON - 250_000 * (index % 2))
        for index, datasets in enumerate(OVERLAPPING)
    ]
    for item in items:
        stores.evaluations.create(item)
    for item in await finish(stores, *items):
        selected = lab.chosen(logs, select(item))
        assert item.total_logs == len(selected)
        for row in item.results:
            exact, n = lab.figure(row.evaluation_type_id, selected)
            assert (row.total_logs, row.skipped, row.failed) == (n, len(selected) - n, 0)
            assert row.status == (ResultStatus.COMPLETED if n else ResultStatus.COMPLETED_WITHOUT_LOGS)
            if exact is None:
                assert row.result == ""
            else:
                assert lab.is_nearest(row.result, exact), (row.evaluation_type_id, row.result, exact)
                assert row.result == plain(Decimal(row.result))


async def test_the_moment_of_creation_is_the_end_and_feedback_is_as_it_stands(stores: Stores):
    before, at, after = (lab.log("0.01", 100, created_at=lab.NOON + step) for step in (-1, 0, 1))
    keep(stores, before, at, after)
    item = lab.evaluation(created_at=lab.NOON)
    stores.evaluations.create(item)
    for record, mark in ((before, 1), (at, -1), (after, 1)):
        assert stores.logs.patch(record.scope, record.id, LogChange(fields=frozenset({"feedback"}), feedback=mark))
    keep(stores, lab.log("5", 5_000, 1, created_at=lab.NOON + 2))
    [first] = await finish(stores, item)
    assert first.total_logs == 2
    assert [row.result for row in first.results] == ["0.01", "100", "50"]

    assert stores.logs.patch(at.scope, at.id, LogChange(fields=frozenset({"feedback"}), feedback=1))
    again = lab.evaluation(created_at=lab.NOON)
    stores.evaluations.create(again)
    [_, second] = await finish(stores, item, again)
    assert [row.result for row in second.results] == ["0.01", "100", "100"]
    assert kept(stores, item) == first


async def test_what_cannot_be_computed_says_so_and_still_counts_the_logs(stores: Stores):
    keep(stores, lab.log("0.01"), lab.log("0.02"))
    gone = lab.evaluation(types=("sold_last_year",))
    unreadable = lab.evaluation(lab.dataset(("shoe_size", "gt", [43])))
    for item in (gone, unreadable):
        stores.evaluations.create(item)
    gone, unreadable = await finish(stores, gone, unreadable)
    assert (gone.total_logs, unreadable.total_logs) == (2, 0)
    for row in (*gone.results, *unreadable.results):
        assert (row.status, row.result, row.total_logs) == (ResultStatus.FAILED, "", 0)
    assert "no evaluator 'sold_last_year'" in gone.results[0].status_description
    assert "'shoe_size'" in unreadable.results[0].status_description


def test_what_a_killed_process_was_running_another_one_finishes(stores: Stores, data: Path):
    keep(stores, lab.log("0.01", 100, 1), lab.log("0.02", 200))
    item = lab.evaluation()
    stores.evaluations.create(item)
    with laboratory(data, "doomed", gate=data / "never", pace=SHORT) as doomed:
        wait_until(lambda: bool(doomed.did("selecting")))
        assert {row.status_description for row in kept(stores, item).results} == {"running"}
        doomed.process.send_signal(signal.SIGKILL)
        doomed.process.wait()
    assert {row.status for row in kept(stores, item).results} == {ResultStatus.RUNNING}
    with laboratory(data, "heir", pace=SHORT) as heir:
        wait_until(lambda: kept(stores, item).processed)
        assert heir.end() == 0
    assert (doomed.did("concluded"), heir.did("concluded")) == ([], [item.id])
    assert [row.result for row in kept(stores, item).results] == ["0.015", "150", "100"]


def test_what_a_stopped_process_was_running_is_free_at_once(stores: Stores, data: Path):
    keep(stores, lab.log("0.01", 100, 1))
    item = lab.evaluation()
    stores.evaluations.create(item)
    gate = data / "gate"
    with laboratory(data, "leaving", gate=gate) as leaving, laboratory(data, "staying", gate=gate) as staying:
        wait_until(lambda: bool(leaving.did("selecting") + staying.did("selecting")))
        holder, other = (leaving, staying) if leaving.did("selecting") else (staying, leaving)
        assert holder.process.stdin is not None
        holder.process.stdin.close()
        gate.touch()
        assert holder.process.wait(60) == 0
        wait_until(lambda: kept(stores, item).processed)
        assert other.end() == 0
    assert sorted(leaving.did("concluded") + staying.did("concluded")) == [item.id]
    assert [row.result for row in kept(stores, item).results] == ["0.01", "100", "100"]


def test_a_process_that_was_paused_past_its_lease_is_refused(stores: Stores, data: Path):
    first = lab.log("0.01", 100, 1)
    keep(stores, first)
    item = lab.evaluation()
    stores.evaluations.create(item)
    gate = data / "gate"
    with laboratory(data, "paused", gate=gate, pace=SHORT) as paused:
        wait_until(lambda: bool(paused.did("selecting")))
        paused.process.send_signal(signal.SIGSTOP)
        with laboratory(data, "quick", pace=SHORT) as quick:
            wait_until(lambda: kept(stores, item).processed)
            assert quick.end() == 0
        concluded = kept(stores, item)
        stores.logs.patch(first.scope, first.id, LogChange(fields=frozenset({"feedback"}), feedback=-1))
        gate.touch()
        paused.process.send_signal(signal.SIGCONT)
        wait_until(lambda: paused.did("refused") == [item.id])
        assert paused.end() == 0
    assert (quick.did("concluded"), paused.did("concluded")) == ([item.id], [])
    assert kept(stores, item) == concluded


def test_four_processes_run_forty_evaluations_once_each(stores: Stores, data: Path):
    logs = some_logs(500, seed=11)
    keep(stores, *logs)
    items = [
        lab.evaluation(*OVERLAPPING[number % len(OVERLAPPING)], created_at=lab.NOON - number)
        for number in range(40)
    ]
    with (
        laboratory(data, "one") as one,
        laboratory(data, "two") as two,
        laboratory(data, "three") as three,
        laboratory(data, "four") as four,
    ):
        everybody = (one, two, three, four)
        for item in items:
            stores.evaluations.create(item)
        wait_until(lambda: all(kept(stores, item).processed for item in items))
        assert [each.end() for each in everybody] == [0, 0, 0, 0]
    expected = sorted(item.id for item in items)
    assert sorted(done for each in everybody for done in each.did("claimed")) == expected
    assert sorted(done for each in everybody for done in each.did("concluded")) == expected
    assert sum(len(each.did("selecting")) for each in everybody) == len(items)
    for item in items:
        done = kept(stores, item)
        selected = lab.chosen(logs, select(item))
        figures = [(lab.figure(row.evaluation_type_id, selected), row) for row in done.results]
        assert [row.total_logs for row in done.results] == [n for (_, n), _ in figures]
        assert all(
            row.result == "" if exact is None else lab.is_nearest(row.result, exact) for (exact, _), row in figures
        )
