"""Windows over real stores, with a clock that the test sets: each log in one of them, each made once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from gaugeway.core.comparisons import Margin
from gaugeway.core.model import Logged, LogRecord, ResultStatus
from gaugeway.core.monitors import ASKED_LOOKS, Finding, Monitor, Rule, Window, first_due, span_at
from gaugeway.core.notices import Delivery, Event
from gaugeway.core.ports import Retention
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.replays import Judged
from gaugeway.evaluation.comparing.analyst import LogAnalyst
from gaugeway.evaluation.evaluators import load
from gaugeway.evaluation.item_run import ItemParts
from gaugeway.evaluation.leased import Held, Pace
from gaugeway.evaluation.monitoring.checking import Checker, CheckParts
from gaugeway.evaluation.monitoring.watch import Watch, WatchParts
from gaugeway.evaluation.runner import Runner
from gaugeway.evaluation.sandbox.sandbox import PythonSandbox
from gaugeway.evaluation.sandbox.scoring import PartedScoring
from gaugeway.evaluation.scoring.beside import ScoringProcess
from gaugeway.stores import Stores, open_stores
from support.laboratory import NOON, SCOPE, ReadySink, dataset, log, new_id
from support.state import a_gateway, an_account

HOUR = 3_600_000
START = NOON // HOUR * HOUR + 600_000  # ten past
PACE = Pace(poll_s=0.02, retry_s=0.02)


class SetClock:
    def __init__(self, now: int) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now


def a_monitor(**fields: Any) -> Monitor:
    plain: dict[str, Any] = {
        "account_id": SCOPE.account_id,
        "gateway_id": SCOPE.gateway_id,
        "id": new_id(),
        "name": "m",
        "created_at": START,
        "modified_at": START,
        "enabled": True,
        "interval_minutes": 60,
        "settle_seconds": 0,
        "datasets": (dataset(),),
        "types": (Judged(evaluation_type_id="human_feedback", evaluator_id=""),),
        "rule": Rule(min_logs=10),
        "counted_until": START,
    }
    monitor = Monitor(**plain | fields)
    return structs.replace(monitor, due_at=first_due(monitor)) if monitor.enabled else monitor


# --- the schedule, by itself ------------------------------------------------------------------------------


def test_a_window_ends_at_a_multiple_of_the_interval_and_is_made_when_it_has_settled() -> None:
    monitor = a_monitor(settle_seconds=90)
    end = START // HOUR * HOUR + HOUR
    assert monitor.due_at == end + 90_000
    assert span_at(monitor, end + 89_999) is None
    span = span_at(monitor, end + 90_000)
    assert span is not None
    assert (span.after_ms, span.until_ms, span.missed) == (START, end, 0)


def test_missed_times_are_one_window_that_counts_them() -> None:
    span = span_at(a_monitor(), START + 5 * HOUR)
    assert span is not None
    assert (span.until_ms, span.missed) == (START // HOUR * HOUR + 5 * HOUR, 4)


def test_a_window_that_is_asked_for_ends_now_and_the_next_begins_there() -> None:
    asked = a_monitor(is_asked=True)
    span = span_at(asked, START + 60_000)
    assert span is not None
    assert (span.after_ms, span.until_ms, span.missed) == (START, START + 60_000, 0)
    assert span_at(structs.replace(asked, counted_until=START + 60_000), START + 60_000) is None
    after = structs.replace(asked, is_asked=False, counted_until=START + 60_000)
    assert first_due(after) == START // HOUR * HOUR + HOUR
    late = span_at(asked, START + 3 * HOUR)
    assert late is not None
    assert late.missed == 3


def test_a_clock_that_was_set_back_makes_no_window() -> None:
    assert span_at(a_monitor(), START - HOUR) is None


# --- over real stores -------------------------------------------------------------------------------------


@pytest.fixture
def stores(tmp_path: Path) -> Any:
    opened = open_stores(tmp_path / "data")
    opened.accounts.create(an_account(SCOPE.account_id))
    opened.gateways.create(a_gateway(SCOPE.gateway_id, account_id=SCOPE.account_id))
    yield opened
    opened.close()


class Lab:
    """Stores, a clock, and as many watches as processes would have."""

    def __init__(self, stores: Stores, monitor: Monitor, secret: str = "") -> None:
        self.stores = stores
        self.clock = SetClock(START)
        self.monitor = monitor
        stores.monitors.create(monitor, secret)

    def put(self, *logs: LogRecord) -> None:
        self.stores.logs.append([Logged(one) for one in logs], lambda _scope: Retention(None, None))

    def feedback(self, at: int, up: int, down: int) -> None:
        self.put(*(log(feedback=1 if n < up else -1, created_at=at + n) for n in range(up + down)))

    def windows(self) -> list[Window]:
        return self.stores.monitors.windows(self.monitor, offset=0, limit=100).items

    def watch(self, owner: str) -> Watch:
        stores, evaluators = self.stores, load()
        analyst = LogAnalyst(stores.logs, evaluators, stores.items)
        checker = Checker(
            CheckParts(
                monitors=stores.monitors,
                evaluations=stores.evaluations,
                logs=stores.logs,
                items=stores.items,
                analyst=analyst,
                evaluators=evaluators,
            )
        )
        parts = WatchParts(
            monitors=stores.monitors,
            evaluations=stores.evaluations,
            checker=checker,
            clock=self.clock,
            new_id=lambda: new_id(self.clock.now),
        )
        return Watch(parts, owner, PACE)

    def runner(self) -> Runner:
        return Runner(
            evaluations=self.stores.evaluations,
            logs=self.stores.logs,
            sink=ReadySink(),
            evaluators=load(),
            clock=self.clock,
            owner="runner",
            pace=PACE,
        )

    @asynccontextmanager
    async def working(self, watches: int = 1, *, runs: bool = True) -> AsyncIterator[None]:
        work: list[Any] = [self.watch(f"watch {n}") for n in range(watches)]
        tasks = [asyncio.create_task(one.run_forever()) for one in [*work, *([self.runner()] if runs else [])]]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def hour(self, number: int) -> Window:
        """Let that many hours be over, and wait for what the last one says."""
        before = [one.id for one in self.windows()]
        self.clock.now = START // HOUR * HOUR + number * HOUR
        await until(lambda: (now := self.windows()) and now[0].id not in before and now[0].finding is not None)
        return self.windows()[0]


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def test_each_log_is_in_exactly_one_window_and_several_processes_make_each_once(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    top = START // HOUR * HOUR
    edges = [START, START + 1, top + HOUR - 1, top + HOUR, top + HOUR + 1, top + 2 * HOUR, top + 2 * HOUR + 1]
    lab.put(*(log("1", created_at=at) for at in edges))
    async with lab.working(3):
        totals = [(await lab.hour(number)).total_logs for number in (1, 2, 3)]
    assert totals == [3, 2, 1]  # the log of START came before the monitor
    windows = lab.windows()
    assert len(windows) == 3
    assert all(older.until_ms == newer.after_ms for newer, older in pairwise(windows))
    assert stores.evaluations.list(SCOPE, name=None, processed=None, search=None, offset=0, limit=9).total == 3


async def test_late_logs_are_counted_and_said(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    lab.put(log("1", created_at=START + 5))
    async with lab.working():
        await lab.hour(1)
        lab.put(log("1", created_at=START + 6), log("1", created_at=START + 7))
        await lab.hour(2)
    newest, before = lab.windows()
    assert (before.total_logs, before.late_logs, newest.late_logs) == (1, 2, None)


async def test_a_drop_is_raised_once_until_it_has_passed(stores: Stores) -> None:
    lab = Lab(
        stores,
        a_monitor(rule=Rule(min_logs=10, reference_windows=2), webhook_url="https://example.com/x"),
        "s" * 16,
    )
    quality = [(95, 5), (94, 6), (20, 80), (18, 82), (95, 5), (10, 90)]
    found: list[Finding | None] = []
    async with lab.working():
        for number, (up, down) in enumerate(quality):
            lab.feedback(START + number * HOUR, up, down)
            found.append((await lab.hour(number + 1)).finding)
    assert found == ["no reference", "cannot tell", "worse", "worse", "better", "worse"]
    raised = [one.checks[0].raised for one in reversed(lab.windows())]
    assert raised == [False, False, True, False, False, True]
    notices = stores.monitors.notices(lab.monitor, offset=0, limit=9).items
    assert [(one.event, one.state) for one in notices] == [(Event.ALERT, Delivery.PENDING)] * 2


async def test_a_baseline_does_not_move_and_a_margin_holds(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    lab.feedback(START, 95, 5)
    async with lab.working():
        first = await lab.hour(1)
        rule = Rule(min_logs=10, baseline_id=first.evaluation_id, margins={"human_feedback": Margin(Decimal(30))})
        stores.monitors.change(SCOPE, lab.monitor.id, lambda kept: structs.replace(kept, rule=rule))
        lab.feedback(START + HOUR, 70, 30)
        second = await lab.hour(2)
        assert (second.finding, second.reference) == (Finding.WITHIN_MARGIN, (first.evaluation_id,))
        stores.evaluations.delete(SCOPE, first.evaluation_id)
        lab.feedback(START + 2 * HOUR, 10, 90)
        third = await lab.hour(3)
    assert third.finding is Finding.NO_BASELINE
    assert "was deleted" in third.checks[0].words


async def test_a_baseline_that_was_deleted_is_told_where_failures_are(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(rule=Rule(min_logs=10, baseline_id=new_id()), notify_on_failure=True))
    async with lab.working():
        for number in range(2):
            lab.feedback(START + number * HOUR, 95, 5)
            await lab.hour(number + 1)
    [notice] = stores.monitors.notices(lab.monitor, offset=0, limit=9).items  # told once
    assert notice.event is Event.FAILURE
    assert "no baseline" in notice.body


async def test_a_window_that_cannot_be_made_is_a_failure_that_is_told_and_the_next_one_comes(
    stores: Stores,
) -> None:
    lab = Lab(stores, a_monitor(notify_on_failure=True))
    watch = lab.watch("watch")
    lab.clock.now = START // HOUR * HOUR + HOUR
    monitor = stores.monitors.claim("me", lab.clock.now, 10_000)
    assert monitor is not None
    watch.give_up(Held(monitor, "me"), "given up after 9 tries in 300 s, the last ended with OSError")
    [window] = lab.windows()
    assert (window.finding, window.evaluation_id) == (Finding.FAILED, "")
    assert window.until_ms == lab.clock.now
    [notice] = stores.monitors.notices(lab.monitor, offset=0, limit=9).items
    assert (notice.event, notice.id) == (Event.FAILURE, window.notice_id)
    assert "OSError" in notice.body
    async with lab.working():
        assert (await lab.hour(2)).finding is Finding.NO_LOGS
    kept = stores.monitors.get(SCOPE, lab.monitor.id)
    assert kept is not None
    assert kept.raised == ("no logs:human_feedback",)


async def test_an_open_window_that_cannot_be_concluded_is_a_failure_that_is_told(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(notify_on_failure=True))
    async with lab.working(runs=False):
        lab.clock.now = START // HOUR * HOUR + HOUR
        await until(lab.windows)
    stores.evaluations.delete(SCOPE, lab.windows()[0].evaluation_id)
    monitor = stores.monitors.claim("me", lab.clock.now, 10_000)
    assert monitor is not None
    lab.watch("watch").give_up(Held(monitor, "me"), "given up")
    assert lab.windows()[0].finding is Finding.FAILED
    [notice] = stores.monitors.notices(lab.monitor, offset=0, limit=9).items
    assert notice.window_id == lab.windows()[0].id


async def test_failures_that_last_are_told_to_who_asks_later(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    async with lab.working():
        assert (await lab.hour(1)).finding is Finding.NO_LOGS
        kept = stores.monitors.change(
            SCOPE, lab.monitor.id, lambda one: structs.replace(one, notify_on_failure=True)
        )
        assert kept.raised == ()
        await lab.hour(2)
        await lab.hour(3)
    [notice] = stores.monitors.notices(lab.monitor, offset=0, limit=9).items
    assert notice.window_id == lab.windows()[1].id


async def test_a_clock_that_ran_far_ahead_ends_in_a_failed_window_and_counting_goes_on(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(notify_on_failure=True))
    async with lab.working():
        lab.feedback(START, 95, 5)
        await lab.hour(24 * 365)  # for a moment it is a year later
        lab.clock.now = START + HOUR
        await until(lambda: len(lab.windows()) == 2)
        assert "the clock was set back" in lab.windows()[0].checks[0].words
        lab.feedback(START + HOUR + 1, 95, 5)
        third = await lab.hour(2)
    assert (third.after_ms, third.total_logs) == (START + HOUR, 100)
    notices = stores.monitors.notices(lab.monitor, offset=0, limit=9).items
    assert [one.window_id for one in notices] == [lab.windows()[1].id]


async def test_logs_of_the_reference_that_were_deleted_are_said(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    async with lab.working():
        lab.feedback(START + 1, 95, 5)
        await lab.hour(1)
        stores.logs.delete(SCOPE, EVERYTHING, Slice(limit=40, descending=False))
        lab.feedback(START + HOUR, 95, 5)
        second = await lab.hour(2)
    assert second.checks[0].reference_logs == 60
    assert second.note == "40 of the 100 logs of the reference were deleted: figures over columns lack them"


async def test_what_is_measured_anew_has_no_reference(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    lab.feedback(START, 95, 5)
    async with lab.working():
        await lab.hour(1)
        stores.monitors.change(SCOPE, lab.monitor.id, lambda kept: structs.replace(kept, revision=2))
        lab.feedback(START + HOUR, 5, 95)
        assert (await lab.hour(2)).finding is Finding.NO_REFERENCE


async def test_an_evaluation_that_is_deleted_or_cancelled_is_a_failure_that_is_told(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(notify_on_failure=True))
    lab.feedback(START, 95, 5)
    async with lab.working(runs=False):
        lab.clock.now = START // HOUR * HOUR + HOUR
        await until(lab.windows)
        stores.evaluations.delete(SCOPE, lab.windows()[0].evaluation_id)
        await until(lambda: lab.windows()[0].finding)
        assert lab.windows()[0].finding is Finding.FAILED
        lab.clock.now += HOUR
        await until(lambda: len(lab.windows()) == 2)

        def cancelled(kept: Any) -> Any:
            return [
                structs.replace(one, status=ResultStatus.CANCELLED, status_description="cancelled")
                for one in kept.results
            ]

        stores.evaluations.change(SCOPE, lab.windows()[0].evaluation_id, cancelled)
        await until(lambda: lab.windows()[0].finding)
    assert lab.windows()[0].checks[0].words == "cancelled"
    [notice] = stores.monitors.notices(lab.monitor, offset=0, limit=9).items  # told once
    assert (notice.event, notice.state) == (Event.FAILURE, Delivery.NOT_SENT)


async def test_more_windows_than_are_reckoned_in_are_not_compared(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(interval_minutes=10080))
    findings: list[Finding | None] = []
    async with lab.working():
        for number in range(ASKED_LOOKS + 2):
            lab.feedback(lab.clock.now + 1, 40, 10)
            lab.clock.now += 60_000
            stores.monitors.change(
                SCOPE, lab.monitor.id, lambda kept: structs.replace(kept, is_asked=True, due_at=lab.clock.now)
            )
            await until(lambda number=number: len(lab.windows()) > number and lab.windows()[0].finding)
            findings.append(lab.windows()[0].finding)
    assert findings == ["no reference", *["cannot tell"] * (ASKED_LOOKS - 1), *["not compared"] * 2]


class LabWithPython(Lab):
    """One that runs users' own Python."""

    def runner(self) -> Runner:
        sandbox = PythonSandbox(wanted=True)
        return Runner(
            evaluations=self.stores.evaluations,
            logs=self.stores.logs,
            sink=ReadySink(),
            evaluators=load(),
            clock=self.clock,
            owner="runner",
            item_parts=ItemParts(
                items=self.stores.items,
                open_scoring=lambda scorers: PartedScoring(scorers, sandbox, ScoringProcess),
                sandbox=sandbox,
            ),
            pace=PACE,
        )


async def test_own_python_is_compared_by_the_direction_that_it_declares(stores: Stores) -> None:
    declared = {
        "source": "def score(sample): return sample['feedback'] == 1",
        "figure": "share",
        "direction": "higher",
        "needs_answer": False,
    }
    types = (Judged(evaluation_type_id="own", evaluator_id="python", parameters=declared),)
    lab = LabWithPython(stores, a_monitor(types=types))
    lab.feedback(START + 1, 12, 0)
    lab.feedback(START // HOUR * HOUR + HOUR + 1, 0, 12)
    async with lab.working():
        first, second = await lab.hour(1), await lab.hour(2)
    assert (second.checks[0].reference_figure, second.checks[0].figure) == (100, 0)
    assert first.finding == Finding.NO_REFERENCE
    assert second.finding == Finding.WORSE


async def test_old_windows_go_with_their_evaluations_but_not_a_baseline(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(keep_windows=2))
    async with lab.working():
        first = await lab.hour(1)
        stores.monitors.change(
            SCOPE, lab.monitor.id, lambda kept: structs.replace(kept, rule=Rule(baseline_id=first.evaluation_id))
        )
        for number in range(2, 6):
            await lab.hour(number)
    assert len(lab.windows()) == 2
    left = stores.evaluations.list(SCOPE, name=None, processed=None, search=None, offset=0, limit=9).items
    kept = {one.evaluation_id for one in lab.windows()} | {first.evaluation_id}
    assert {one.id for one in left} == kept


async def test_a_name_that_is_taken_gets_the_window_s_id(stores: Stores) -> None:
    lab = Lab(stores, a_monitor())
    other = Lab(stores, a_monitor(name="other"))
    async with lab.working():
        await lab.hour(1)
    taken = stores.evaluations.list(SCOPE, name=None, processed=None, search=None, offset=0, limit=9).items
    assert len(taken) == 2
    stores.monitors.change(SCOPE, other.monitor.id, lambda kept: structs.replace(kept, name="m2"))
    stores.monitors.change(
        SCOPE, lab.monitor.id, lambda kept: structs.replace(kept, name="x", counted_until=START, due_at=START)
    )
    stores.monitors.change(
        SCOPE, other.monitor.id, lambda kept: structs.replace(kept, name="m", counted_until=START, due_at=START)
    )
    before = len(other.windows())
    async with lab.working():
        await until(lambda: len(other.windows()) > before and other.windows()[0].finding)
    made = stores.evaluations.get(SCOPE, other.windows()[0].evaluation_id)
    assert made is not None
    assert made.name.endswith(other.windows()[0].id)


async def test_an_evaluator_that_fails_on_most_logs_is_a_failure_and_not_few_logs(stores: Stores) -> None:
    source = "def score(sample): return 1 / (sample['feedback'] + 1) > 0"
    declared = {"source": source, "figure": "share", "direction": "higher", "needs_answer": False}
    types = (Judged(evaluation_type_id="own", evaluator_id="python", parameters=declared),)
    lab = LabWithPython(stores, a_monitor(types=types, notify_on_failure=True))
    lab.feedback(START + 1, 4, 20)
    async with lab.working():
        window = await lab.hour(1)
    assert (window.finding, window.checks[0].logs) == (Finding.FAILED, 4)
    assert window.checks[0].words == "it failed on 20 of the 24 logs that it was tried on"
    assert stores.monitors.notices(lab.monitor, offset=0, limit=9).total == 1


def by_user(lab: Lab, at: int, said: list[tuple[int, int, int]]) -> None:
    """Logs of users: who, how many like it, how many do not."""
    votes = [(user, sign) for user, up, down in said for sign in (*[1] * up, *[-1] * down)]
    lab.put(*(log(feedback=like, created_at=at + n, metadata={"user": who}) for n, (who, like) in enumerate(votes)))


def likes(users: int, up: int, down: int) -> list[tuple[int, int, int]]:
    """About so many of each user's logs, a little more or less."""
    return [(user, up + user % 2, down + user % 3) for user in range(users)]


async def test_one_user_s_many_votes_are_no_drop_where_windows_are_compared_by_users(stores: Stores) -> None:
    rule = Rule(min_logs=10, weekly_alpha=0.5)  # of few users
    plain = Lab(stores, a_monitor(name="plain", rule=rule))
    clustered = Lab(stores, a_monitor(name="by users", rule=rule, cluster_by="metadata.user"))
    by_user(plain, START + 1, likes(10, 9, 0))
    by_user(plain, START + HOUR, [*likes(9, 9, 0), (9, 4, 36)])  # one is angry
    by_user(plain, START + 2 * HOUR, likes(20, 2, 8))  # everybody is
    async with plain.working():
        for number in (1, 2, 3):
            await plain.hour(number)
            await until(lambda n=number: len(now := clustered.windows()) == n and now[0].finding)
    found = [[one.finding for one in reversed(lab.windows())] for lab in (plain, clustered)]
    assert found == [["no reference", "worse", "worse"], ["no reference", "cannot tell", "worse"]]
    last, angry, first = clustered.windows()
    assert ", by 10 and 20 clusters of metadata.user; p " in last.checks[0].words
    assert ", by 10 and 10 clusters of metadata.user; p " in angry.checks[0].words
    evaluation = stores.evaluations.get(SCOPE, first.evaluation_id)
    assert evaluation is not None
    assert evaluation.results[0].interval_method == "clustered t by metadata.user"


async def test_scores_are_compared_by_clusters_too_and_what_cannot_be_says_so(stores: Stores) -> None:
    declared = {
        "source": "def score(sample): return sample['feedback'] == 1",
        "figure": "share",
        "direction": "higher",
        "needs_answer": False,
    }
    types = (
        Judged(evaluation_type_id="own", evaluator_id="python", parameters=declared),
        Judged(evaluation_type_id="latency_p50", evaluator_id=""),
    )
    lab = LabWithPython(stores, a_monitor(types=types, cluster_by="metadata.user"))
    by_user(lab, START + 1, likes(8, 6, 0))
    by_user(lab, START + HOUR, likes(8, 1, 6))
    by_user(lab, START + 2 * HOUR, likes(4, 1, 9))
    async with lab.working():
        windows = [await lab.hour(number) for number in (1, 2, 3)]
    assert [one.checks[0].finding for one in windows] == ["no reference", "worse", "cannot tell"]
    assert ", by 8 and 8 clusters of metadata.user; p " in windows[1].checks[0].words
    assert {one.checks[1].finding for one in windows} == {Finding.NOT_COMPARED}
    assert windows[1].checks[1].words == "this figure cannot be compared by clusters"
    words = "8 clusters of metadata.user in the reference and 4 in the window are too few: it takes 5"
    assert windows[2].checks[0].words == f"cannot tell: {words}"


async def test_logs_that_are_in_no_cluster_are_one_together(stores: Stores) -> None:
    lab = Lab(stores, a_monitor(cluster_by="metadata.user"))
    by_user(lab, START + 1, likes(8, 9, 0))
    by_user(lab, START + HOUR, likes(8, 8, 1))
    lab.feedback(START + HOUR + 1000, 9, 3)
    async with lab.working():
        await lab.hour(1)
        second = await lab.hour(2)
    assert ", by 8 and 9 clusters of metadata.user; p " in second.checks[0].words
