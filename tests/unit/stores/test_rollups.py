"""Rollups are what the logs say: after any history, an upgrade, a recount; and where they are not, it is found."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gaugeway.core import ids
from gaugeway.core.analytics import Bucket, Difference, GroupBy, Question
from gaugeway.core.model import LogRecord, Outcome
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.core.timings import bin_of
from gaugeway.stores.sqlite import folding, rollup_columns, rollups
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import analytics_oracle, some_logs
from support.log_history import Model, steps_over, take
from support.some_logs import ACCOUNT, OTHER_SCOPE, SCOPE, a_log, keep_all, logged

MIDNIGHT = 1_700_006_400_000  # 2023-11-15T00:00:00Z
HOUR, DAY = Bucket.HOUR.ms, Bucket.DAY.ms
TIMES = [MIDNIGHT + offset for offset in (-DAY - 1, -HOUR, -1, 0, 59_999, HOUR - 1, HOUR, 5 * HOUR, DAY, 3 * DAY)]


def spread(records: list[LogRecord]) -> list[LogRecord]:
    """The logs, over some hours and days, with times and savings."""
    return [
        replace(
            record,
            id=ids.first_at(TIMES[number % len(TIMES)])[:8] + number.to_bytes(8),
            first_byte_ms=(None, 3, 450)[number % 3],
            duration=record.duration * 100,
            cost_saved=(None, Decimal("0.000001"), Decimal("1e-15"))[number % 3] if record.cached else None,
        )
        for number, record in enumerate(records)
    ]


POOL = spread(some_logs.varied(40, seed=7))
steps = steps_over(POOL) | st.tuples(st.just("fold"))
QUESTIONS = [
    Question(account_id=ACCOUNT, start_ms=start, end_ms=end, bucket=bucket, group_by=group_by)
    for start, end in (
        (0, 1 << 48),
        (MIDNIGHT - DAY, MIDNIGHT + 2 * DAY),
        (MIDNIGHT - HOUR - 5, MIDNIGHT + 5 * HOUR + 1),
        (MIDNIGHT + 30_000, MIDNIGHT + 70_000),
    )
    for bucket in Bucket
    for group_by in (None, GroupBy.MODEL, GroupBy.SUCCESS)
]


def fold(store: SqliteLogStore) -> None:
    """What happens by itself after many changes."""
    with store.logs_database.writing() as connection:
        folding.fold(connection)


def differences(store: SqliteLogStore) -> list[Difference]:
    return list(store.analytics.differences(lambda _logs: None))


def check(store: SqliteLogStore, records: list[LogRecord]) -> None:
    """Every question is answered as by counting the logs."""
    for question in QUESTIONS:
        found = {point: analytics_oracle.plain(its) for point, its in store.analytics.answer(question).items()}
        assert found == analytics_oracle.answer(records, question)
    assert differences(store) == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    store = SqliteLogStore(tmp_path_factory.mktemp("rollups"))
    yield store
    store.close()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(steps, max_size=8))
def test_every_history_is_counted_as_its_logs_say(store: SqliteLogStore, history: list[tuple[Any, ...]]) -> None:
    model = Model()
    store.delete_scope(SCOPE)
    ever: list[LogRecord] = []
    for step in history:
        ever += appended(step, model)
        if step == ("fold",):
            fold(store)
        else:
            take(step, store, model)
        if step == ("delete all",):
            ever.clear()
    check(store, list(model.logs.values()))
    assert totals(store) == {
        provider: analytics_oracle.count([log for log in ever if log.provider == provider])
        for provider in {log.provider for log in ever}
    }


def appended(step: tuple[Any, ...], model: Model) -> list[LogRecord]:
    """The logs that a step is to write, also those that it removes again."""
    match step:
        case ("append", records, limit, "STOP_INSERTING"):
            fresh = fresh_of(records, model)
            return fresh[: max(limit - len(model.logs), 0)] if limit else fresh
        case ("append", records, _, _):
            return fresh_of(records, model)
        case _:
            return []


def fresh_of(records: list[LogRecord], model: Model) -> list[LogRecord]:
    return list({record.id: record for record in reversed(records) if record.id not in model.logs}.values())[::-1]


def totals(store: SqliteLogStore) -> dict[str | None, dict[str, Any]]:
    """What /metrics tells, but for feedback, which it does not."""
    return {total.provider: analytics_oracle.plain(total.figures) for total in store.analytics.totals(ACCOUNT)}


def test_many_changes_are_folded_and_nothing_is_left_of_what_is_gone(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    records = [a_log(SCOPE, model=f"m{number % 50}", duration=number) for number in range(rollups.FOLD_AT * 2)]
    for begin in range(0, len(records), 50):
        store.append(logged(records[begin : begin + 50]), keep_all)
        pending = store.logs_database.rows("SELECT count(*) FROM rollup_changes")[0][0]
        assert pending < rollups.FOLD_AT
    assert store.logs_database.rows("SELECT sum(logs) FROM rollups WHERE grain = 0")[0][0] > rollups.FOLD_AT
    check(store, records)
    store.delete_scope(SCOPE)
    fold(store)
    for table in ("rollups", "rollup_changes", "totals"):
        assert store.logs_database.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    store.close()


def test_a_range_is_answered_from_rollups_where_it_has_whole_hours(store: SqliteLogStore) -> None:
    """With rollups that tell something else than the logs one sees where an answer comes from."""
    store.delete_scope(SCOPE)
    times = (MIDNIGHT, MIDNIGHT + HOUR // 2, MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR)
    records = [replace(a_log(), id=ids.first_at(time)[:8] + bytes(8)) for time in times]
    store.append(logged(records), keep_all)
    fold(store)
    with store.logs_database.writing() as connection:
        connection.execute("UPDATE rollups SET logs = 100")

    def requests(start: int, end: int, bucket: Bucket) -> list[int]:
        question = Question(account_id=ACCOUNT, start_ms=start, end_ms=end, bucket=bucket)
        return [figures.duration.count for figures in store.analytics.answer(question).values()]

    assert requests(MIDNIGHT, MIDNIGHT + 3 * HOUR, Bucket.HOUR) == [100, 100, 100]
    assert requests(MIDNIGHT, MIDNIGHT + DAY, Bucket.DAY) == [100]
    assert requests(MIDNIGHT, MIDNIGHT + 3 * HOUR, Bucket.DAY) == [300]
    assert requests(MIDNIGHT + 1, MIDNIGHT + 3 * HOUR, Bucket.HOUR) == [1, 100, 100]
    assert requests(MIDNIGHT + 1, MIDNIGHT + DAY, Bucket.DAY) == [201]
    # An hour that is cut where it has no log is a whole one
    assert requests(MIDNIGHT, MIDNIGHT + 2 * HOUR + 5, Bucket.HOUR) == [100, 100, 100]
    assert requests(MIDNIGHT, MIDNIGHT + 3 * HOUR, Bucket.MINUTE) == [1, 1, 1, 1]
    store.delete_scope(SCOPE)
    store.analytics.recount(lambda _logs: None)


def test_a_difference_is_found_and_a_recount_mends_it(store: SqliteLogStore) -> None:
    store.delete_scope(SCOPE)
    other = [replace(record, gateway_id=OTHER_SCOPE.gateway_id) for record in POOL]
    store.append(logged([*POOL, *other]), keep_all)
    fold(store)
    assert differences(store) == []
    hour = (MIDNIGHT + HOUR) // HOUR
    with store.logs_database.writing() as connection:
        gw = connection.execute("SELECT gw FROM gateways WHERE gateway_id = ?", (SCOPE.gateway_id,)).get
        connection.execute(
            "UPDATE rollups SET cost_low = cost_low + 1 WHERE gw = ? AND grain = 0 AND number = ?", (gw, hour)
        )
        connection.execute("DELETE FROM rollups WHERE gw = ? AND grain = 1 AND number = ?", (gw, hour // 24 + 3))
    assert differences(store) == [
        Difference(SCOPE, Bucket.HOUR, MIDNIGHT + HOUR),
        Difference(SCOPE, Bucket.DAY, MIDNIGHT),
        Difference(SCOPE, Bucket.DAY, MIDNIGHT + 3 * DAY),
    ]
    counted: list[int] = []
    store.analytics.recount(counted.append)
    assert sum(counted) == 2 * len(POOL)
    check(store, [*POOL, *other])
    store.delete_scope(OTHER_SCOPE)


def test_logs_of_before_the_upgrade_are_counted_when_the_store_is_opened(tmp_path: Path) -> None:
    store = SqliteLogStore(tmp_path)
    store.append(logged(POOL), keep_all)
    store.close()
    connection = apsw.Connection(str(tmp_path / "logs.db"))
    for change in ("insert", "update", "delete"):
        connection.execute(f"DROP TRIGGER changed_by_{change}")
    for table in ("rollups", "rollup_changes", "unrolled", "totals", "marks", "segments", "projected", "changed"):
        connection.execute(f"DROP TABLE {table}")
    connection.pragma("user_version", 1)
    connection.close()
    store = SqliteLogStore(tmp_path)
    check(store, POOL)
    assert store.logs_database.rows("SELECT * FROM unrolled") == []
    store.delete(SCOPE, EVERYTHING, Slice(limit=7))
    check(store, store.page(SCOPE, EVERYTHING, Slice(limit=1000)))
    store.close()


def test_a_bin_of_more_logs_than_a_pair_can_tell(store: SqliteLogStore) -> None:
    store.delete_scope(SCOPE)
    record = replace(a_log(duration=100), id=ids.first_at(MIDNIGHT)[:8] + bytes(8))
    store.append(logged([record]), keep_all)
    fold(store)
    many = rollup_columns.PAIR.pack(100, rollup_columns.MAX_LOGS) * 3
    with store.logs_database.writing() as connection:
        connection.execute("UPDATE rollups SET durations = ?", (many,))
    store.append(logged([replace(record, id=record.id[:15] + b"x")]), keep_all)
    fold(store)
    question = Question(account_id=ACCOUNT, start_ms=MIDNIGHT, end_ms=MIDNIGHT + HOUR, bucket=Bucket.HOUR)
    (figures,) = store.analytics.answer(question).values()
    assert figures.duration.bins == {bin_of(100): 3 * rollup_columns.MAX_LOGS + 1}
    store.delete_scope(SCOPE)
    store.analytics.recount(lambda _logs: None)


def test_every_outcome_is_counted_as_what_it_is(store: SqliteLogStore) -> None:
    store.delete_scope(SCOPE)
    records = [
        replace(a_log(outcome=outcome), id=ids.first_at(MIDNIGHT)[:8] + number.to_bytes(8))
        for number, outcome in enumerate(Outcome)
    ]
    store.append(logged(records), keep_all)
    fold(store)
    question = Question(account_id=ACCOUNT, start_ms=MIDNIGHT, end_ms=MIDNIGHT + HOUR, bucket=Bucket.HOUR)
    (figures,) = store.analytics.answer(question).values()
    assert figures.outcomes == dict.fromkeys(Outcome, 1)
    store.delete_scope(SCOPE)
