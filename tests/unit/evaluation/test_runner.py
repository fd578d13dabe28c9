"""The runner behind its ports: crashes, lost leases, failing stores, a slow recorder, a stop in the middle."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from gaugeway.core.errors import SearchTooLong
from gaugeway.core.metrics import Direction, Metric
from gaugeway.core.model import Evaluation, ResultStatus, Scope
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.leased import Pace
from gaugeway.evaluation.runner import Runner
from support import laboratory as lab

QUICK = Pace(poll_s=0.01, lease_ms=60_000, renew_s=0.01, flush_timeout_s=0.5, retry_s=0.01, retry_max_s=0.02)
LOGS = (lab.log("0.01", 100, 1), lab.log("0.03", 300, -1), lab.log(None, 200), lab.log("0.02", 200, 1))


class Stopped:
    """A clock that stands still unless it is moved."""

    def __init__(self) -> None:
        self.ms = lab.NOON + 1000

    def now_ms(self) -> int:
        return self.ms


class Bench:
    """A runner with everything around it in memory."""

    def __init__(self, *evaluations: Evaluation, evaluators=None, sink=None, pace: Pace = QUICK) -> None:
        self.evaluations = lab.MemoryEvaluations(*evaluations)
        self.logs = lab.MemoryLogs(*LOGS)
        self.sink = sink or lab.ReadySink()
        self.clock = lab.SystemClock()
        self.evaluators = load() if evaluators is None else evaluators
        self.pace = pace
        self.losses: dict[Scope, int] = {}

    def lost(self, scope: Scope, until_ms: int) -> int:
        """The port LossJournal."""
        return self.losses.get(scope, 0)

    def runner(self, owner: str = "here") -> Runner:
        return Runner(
            evaluations=self.evaluations,
            logs=self.logs,
            sink=self.sink,
            evaluators=self.evaluators,
            clock=self.clock,
            owner=owner,
            losses=self,
            pace=self.pace,
        )

    def now(self, item: Evaluation) -> Evaluation:
        kept = self.evaluations.get(item.scope, item.id)
        assert kept is not None
        return kept


@asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runner.run_forever())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


def rows(item: Evaluation) -> dict[str, tuple[int, str, int, int]]:
    return {
        row.evaluation_type_id: (int(row.status), row.result, row.total_logs, row.skipped) for row in item.results
    }


async def test_one_evaluation_from_queue_to_figures():
    item = lab.evaluation()
    bench = Bench(item)
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    done = bench.now(item)
    assert rows(done) == {
        "cost": (2, "0.02", 3, 1),
        "speed": (2, "200", 4, 0),
        "human_feedback": (2, "66." + "6" * 31 + "7", 3, 1),
    }
    assert done.total_logs == 4
    assert [row.status_description for row in done.results] == [
        "completed: 3 of 4 logs have a known cost; 1 left out",
        "completed: 4 of 4 logs have a duration",
        "completed: 3 of 4 logs have feedback (2 up, 1 down); 1 left out",
    ]


async def test_figures_that_lack_lost_logs_say_so():
    item = lab.evaluation()
    bench = Bench(item)
    bench.losses = {item.scope: 7}
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    for result in bench.now(item).results:
        assert result.status is ResultStatus.COMPLETED
        assert "7 logs of this gateway could not be kept" in result.status_description


async def test_a_search_in_bodies_without_an_end_fails_at_once_and_says_why():
    item = lab.evaluation()
    bench = Bench(item)
    asked: list[int] = []

    def end() -> None:
        asked.append(1)
        raise SearchTooLong("narrow the search")

    bench.logs.trouble = end
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    assert {(row.status, row.result, row.total_logs) for row in bench.now(item).results} == {
        (ResultStatus.FAILED, "", 0)
    }
    assert all("narrow the search" in row.status_description for row in bench.now(item).results)
    assert asked == [1], "trying again would not help"


async def test_all_evaluators_share_one_query_and_the_barrier_comes_before_it():
    item = lab.evaluation(lab.dataset(("model", "eq", ["m"])), lab.dataset())
    bench = Bench(item)
    flushed: list[int] = []
    bench.logs.trouble = lambda: flushed.append(bench.sink.flushed)
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    [(scope, where, wanted)] = bench.logs.asked
    assert (scope, where.until_ms, len(where.alternatives)) == (item.scope, item.created_at, 2)
    assert len(wanted) == len(set(wanted)) == 8
    assert flushed == [1]


async def test_running_is_visible_and_the_final_results_are_one_write():
    item = lab.evaluation()
    bench = Bench(item)
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    progress, final = bench.evaluations.written
    assert {row.status for row in progress[1]} == {ResultStatus.RUNNING}
    assert {row.status_description for row in progress[1]} == {"running"}
    assert {row.status for row in final[1]} == {ResultStatus.COMPLETED}


async def test_a_log_after_the_evaluation_does_not_count():
    item = lab.evaluation(created_at=lab.NOON)
    bench = Bench(item)
    bench.logs.logs.append(lab.log("99", 99_999, -1, created_at=lab.NOON + 1))
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    assert bench.now(item).total_logs == 4


async def test_no_matching_log_is_an_end_not_an_error():
    item = lab.evaluation(lab.dataset(("model", "eq", ["another"])))
    bench = Bench(item)
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    assert set(rows(bench.now(item)).values()) == {(3, "", 0, 0)}
    assert bench.now(item).total_logs == 0


class Crash:
    id, name, type, version, description, unit = "crash", "Crash", "aggregate", "1", "Always raises.", "-"
    direction = Direction.LOWER
    aggregates = ()

    def conclude(self, selected) -> Metric:
        raise ZeroDivisionError(f"over {selected.total} logs")


async def test_an_evaluator_that_raises_fails_alone(caplog):
    item = lab.evaluation(types=("cost", "crash", "speed"))
    bench = Bench(item, evaluators=[*load(), Crash()])
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(item).processed)
    cost, crash, speed = bench.now(item).results
    assert (cost.result, speed.result) == ("0.02", "200")
    assert (crash.status, crash.result, crash.total_logs) == (ResultStatus.FAILED, "", 0)
    assert crash.status_description == "failed: the evaluator 'crash' gave ZeroDivisionError: over 4 logs"


async def test_an_evaluator_that_is_gone_fails_alone():
    item = lab.evaluation(types=("cost", "sold_last_year"))
    bench = Bench(item)
    async with running(bench.runner()):
        await until(lambda: bench.now(item).processed)
    cost, gone = bench.now(item).results
    assert cost.status is ResultStatus.COMPLETED
    assert gone.status is ResultStatus.FAILED
    assert "no evaluator 'sold_last_year'" in gone.status_description


async def test_a_dataset_that_cannot_be_read_fails_the_evaluation_and_only_it():
    bad = lab.evaluation(lab.dataset(("shoe_size", "gt", [43]), name="old"))
    good = lab.evaluation(created_at=lab.NOON + 1)
    bench = Bench(bad, good)
    async with running(bench.runner()):
        await until(lambda: bench.now(good).processed)
    for row in bench.now(bad).results:
        assert row.status is ResultStatus.FAILED
        assert row.status_description.startswith("failed: dataset 'old'")
        assert "filters.0.key" in row.status_description
    assert bench.now(bad).total_logs == 0
    assert len(bench.logs.asked) == 1


async def test_the_lease_is_renewed_while_the_query_runs():
    item = lab.evaluation()
    bench = Bench(item)
    bench.clock = Stopped()
    go_on = threading.Event()
    bench.logs.trouble = lambda: _wait(go_on)
    async with running(bench.runner()):
        await until(lambda: len(bench.logs.asked) == 1)
        _, first = bench.evaluations.lease(item)
        bench.clock.ms += 5_000
        await until(lambda: bench.evaluations.lease(item)[1] == first + 5_000)
        go_on.set()
        await until(lambda: bench.now(item).processed)


async def test_a_lost_lease_writes_nothing():
    item = lab.evaluation()
    bench = Bench(item)
    go_on = threading.Event()
    bench.logs.trouble = lambda: _wait(go_on)
    async with running(bench.runner()):
        await until(lambda: len(bench.logs.asked) == 1)
        bench.evaluations.steal(item, "somebody else", 1 << 60)
        go_on.set()
        other = lab.evaluation(created_at=lab.NOON + 1)
        bench.evaluations.create(other)
        await until(lambda: bench.now(other).processed)
    assert {row.status for row in bench.now(item).results} == {ResultStatus.RUNNING}


async def test_a_stale_claim_of_the_same_runner_cannot_write():
    item = lab.evaluation()
    bench = Bench(item)
    async with running(bench.runner("me")):
        await until(lambda: bench.now(item).processed)
    another = lab.evaluation()
    bench.evaluations.create(another)
    async with running(bench.runner("me")) as task:
        await until(lambda: bench.now(another).processed)
        third = lab.evaluation()
        bench.evaluations.create(third)
        await until(lambda: bench.now(third).processed)
        assert not task.done()
    owners = [owner for owner, _ in bench.evaluations.written]
    assert owners[2] != owners[4]


async def test_an_evaluation_deleted_meanwhile_does_not_come_back():
    item, other = lab.evaluation(), lab.evaluation(created_at=lab.NOON + 1)
    bench = Bench(item, other)
    go_on = threading.Event()
    bench.logs.trouble = lambda: _wait(go_on)
    async with running(bench.runner()):
        await until(lambda: bool(bench.logs.asked))
        bench.evaluations.delete(item.scope, item.id)
        go_on.set()
        await until(lambda: bench.now(other).processed)
    assert bench.evaluations.get(item.scope, item.id) is None


@pytest.mark.parametrize("method", ["claim", "save", "renew", "aggregate"])
async def test_a_store_that_fails_for_a_while_delays_and_loses_nothing(method, caplog):
    item = lab.evaluation()
    bench = Bench(item, pace=Pace(poll_s=0.01, lease_ms=20, renew_s=0.01, retry_s=0.01, retry_max_s=0.02))
    left = [4]

    def fail(called: str = "aggregate") -> None:
        if called == method and left[0]:
            left[0] -= 1
            raise OSError("disk I/O error")

    bench.evaluations.trouble = fail
    bench.logs.trouble = fail
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(item).processed)
    assert rows(bench.now(item))["cost"] == (2, "0.02", 3, 1)


async def test_what_keeps_it_waiting_can_be_read(caplog):
    item, other = lab.evaluation(), lab.evaluation(created_at=lab.NOON + 1)
    bench = Bench(item, other, pace=Pace(poll_s=0.01, retry_s=3600, retry_max_s=3600, renew_s=0.01))
    bench.clock = Stopped()
    failing = [True]

    def fail() -> None:
        if failing.pop() if failing else False:
            raise OSError("disk I/O error")

    bench.logs.trouble = fail
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(other).processed)
            assert {(row.status, row.status_description) for row in bench.now(item).results} == {
                (ResultStatus.QUEUED, "queued again: try 1 ended with OSError: disk I/O error")
            }
            assert bench.evaluations.lease(item)[1] == bench.clock.ms + 3_600_000
            bench.clock.ms += 3_600_000
            await until(lambda: bench.now(item).processed)
    assert rows(bench.now(item))["cost"] == (2, "0.02", 3, 1)


async def test_a_store_that_never_answers_ends_in_a_failure_that_says_so(caplog):
    item = lab.evaluation()
    bench = Bench(item, pace=Pace(poll_s=0.01, retry_s=0.01, retry_max_s=0.01, patience_s=0.1))

    def fail() -> None:
        raise OSError("disk I/O error")

    bench.logs.trouble = fail
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(item).processed)
    for row in bench.now(item).results:
        assert row.status is ResultStatus.FAILED
        assert row.status_description.startswith("failed: given up after ")
        assert row.status_description.endswith("the last ended with OSError: disk I/O error")
    assert len(bench.logs.asked) >= 2


async def test_logs_that_are_not_yet_durable_are_waited_for(caplog):
    item = lab.evaluation()
    bench = Bench(item, sink=lab.ReadySink(refuse=3))
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(item).processed)
    assert bench.sink.flushed == 4
    assert len(bench.logs.asked) == 1
    assert rows(bench.now(item))["speed"] == (2, "200", 4, 0)


async def test_logs_that_never_become_durable_are_not_left_out_silently(caplog):
    item = lab.evaluation()
    pace = Pace(poll_s=0.01, retry_s=0.01, retry_max_s=0.01, patience_s=0.05, flush_timeout_s=10)
    bench = Bench(item, sink=lab.ReadySink(refuse=10**9), pace=pace)
    with caplog.at_level(logging.CRITICAL):
        async with running(bench.runner()):
            await until(lambda: bench.now(item).processed)
    for row in bench.now(item).results:
        assert (row.status, row.result) == (ResultStatus.FAILED, "")
        assert "the recorder did not confirm within 10 s that all logs are written" in row.status_description
    assert bench.logs.asked == []


async def test_a_stop_while_the_query_runs_waits_for_it_and_puts_the_evaluation_back():
    item = lab.evaluation()
    bench = Bench(item)
    bench.clock = Stopped()
    go_on, ended = threading.Event(), threading.Event()

    def linger() -> None:
        _wait(go_on)
        ended.set()

    bench.logs.trouble = linger
    task = asyncio.create_task(bench.runner().run_forever())
    await until(lambda: len(bench.logs.asked) == 1)
    task.cancel()
    await asyncio.sleep(0.02)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
    assert {(row.status, row.status_description) for row in bench.now(item).results} == {
        (ResultStatus.QUEUED, "queued again: the server was stopped")
    }
    async with running(bench.runner("another process")):
        await until(lambda: bench.now(item).processed)


@pytest.mark.parametrize("which", ["progress", "final"])
async def test_a_stop_while_results_are_written_undoes_nothing(which):
    item = lab.evaluation()
    bench = Bench(item)
    go_on, waiting = threading.Event(), threading.Event()
    left = [0 if which == "progress" else 1]

    def linger(method: str) -> None:
        if method == "save":
            if left[0] == 0:
                waiting.set()
                _wait(go_on)
            left[0] -= 1

    bench.evaluations.trouble = linger
    task = asyncio.create_task(bench.runner().run_forever())
    await until(waiting.is_set)
    task.cancel()
    await asyncio.sleep(0.02)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    bench.evaluations.trouble = None
    assert bench.now(item).processed == (which == "final")
    async with running(bench.runner("another process")):
        await until(lambda: bench.now(item).processed)
    assert rows(bench.now(item))["cost"] == (2, "0.02", 3, 1)


async def test_a_stop_while_idle_is_immediate():
    bench = Bench(pace=Pace(poll_s=3600))
    task = asyncio.create_task(bench.runner().run_forever())
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_wake_from_any_thread_and_at_any_time():
    bench = Bench(pace=Pace(poll_s=3600))
    runner = bench.runner()
    runner.wake()
    async with running(runner):
        await asyncio.sleep(0.05)
        for call in (runner.wake, lambda: threading.Thread(target=runner.wake).start()):
            item = lab.evaluation()
            bench.evaluations.create(item)
            call()
            await until(lambda item=item: bench.now(item).processed)
    runner.wake()


async def test_the_poll_finds_what_another_process_accepted():
    bench = Bench()
    async with running(bench.runner()):
        await asyncio.sleep(0.03)
        item = lab.evaluation()
        bench.evaluations.create(item)
        await until(lambda: bench.now(item).processed)


async def test_two_runners_conclude_each_evaluation_once():
    items = [lab.evaluation(created_at=lab.NOON + step) for step in range(30)]
    bench = Bench(*items)
    async with running(bench.runner("one")), running(bench.runner("two")):
        await until(lambda: all(bench.now(item).processed for item in items))
    final = [results[0].evaluation_id for _, results in bench.evaluations.written if results[0].status >= 2]
    assert sorted(final) == sorted(item.id for item in items)
    assert len(bench.logs.asked) == len(items)


def test_delays_double_up_to_a_limit():
    pace = Pace(retry_s=1, retry_max_s=30)
    assert [pace.delay_s(tries) for tries in (1, 2, 3, 5, 6, 10**9)] == [1, 2, 4, 16, 30, 30]


def _wait(event: threading.Event) -> None:
    assert event.wait(20)
