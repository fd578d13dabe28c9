"""Every aggregate of every column, of all logs and of groups, against plain Python over random logs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gaugeway.core.aggregates import Aggregate, Aggregated, Column, Op
from gaugeway.core.model import Outcome, Usage
from gaugeway.core.ports import LogStore
from gaugeway.core.query import EVERYTHING, Grouping, Where
from gaugeway.stores.sqlite import words
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import column_oracle, filter_oracle, some_logs
from support.some_logs import OTHER_SCOPE, SCOPE, a_log, keep_all, logged

WANTED = [
    Aggregate(op, column, 1 if op is Op.COUNT_EQUAL else None)
    for column in Column
    for op in Op
    if (op, column) != (Op.DISTRIBUTION, Column.COST_SAVED)
]
ZERO = Aggregate(Op.COUNT_EQUAL, Column.COST_SAVED, 0)
GROUPINGS = [Grouping("provider"), Grouping("model"), Grouping("metadata", "openai"), Grouping("metadata", "")]


SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes, as each try writes to a disk
)


@pytest.fixture(scope="module", params=["roomy", "cramped"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogStore]:
    """With codes for all words, or out of them."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "cramped":
            patch.setattr(words, "MAX_WORDS", 3)
        made = SqliteLogStore(tmp_path_factory.mktemp(request.param))
        yield made
        made.close()


def assert_equal(answer: Aggregated, expected: Aggregated) -> None:
    assert answer.total == expected.total
    assert answer.values.keys() == expected.values.keys()
    for item, value in expected.values.items():
        if item.op is Op.SUM_SQUARES or item.column is Column.GENERATED_TOKENS_MS:
            assert float(answer.values[item]) == pytest.approx(float(value), rel=1e-14), item
        else:
            assert Fraction(answer.values[item]) == Fraction(value), item
    assert answer.distributions.keys() == expected.distributions.keys()
    for column, distribution in expected.distributions.items():
        found = answer.distributions[column]
        assert [*found.values] == pytest.approx([*distribution.values], rel=1e-12, abs=1e-12), column
        assert found.n == distribution.n


@SHARED
@given(
    records=st.lists(some_logs.logs, max_size=12, unique_by=lambda log: log.id),
    where=some_logs.wheres,
    by=st.sampled_from(GROUPINGS),
)
def test_every_figure_of_everything_and_of_groups(store: LogStore, records, where, by):
    store.delete_scope(SCOPE)
    store.append(logged(records), keep_all)
    chosen = filter_oracle.select(records, where)
    wanted = [*WANTED, ZERO]
    assert_equal(store.aggregate(SCOPE, where, wanted), column_oracle.aggregate(chosen, wanted))
    groups = store.aggregate_by(SCOPE, where, wanted, by, 100)
    assert groups is not None
    assert groups.keys() == {column_oracle.group_of(log, by) for log in chosen}
    for name, answer in groups.items():
        members = [log for log in chosen if column_oracle.group_of(log, by) == name]
        assert_equal(answer, column_oracle.aggregate(members, wanted))


@SHARED
@given(
    records=st.lists(some_logs.logs, max_size=12, unique_by=lambda log: log.id),
    where=some_logs.wheres,
    by=st.sampled_from([Grouping("event_id"), *GROUPINGS]),
)
def test_logs_as_items(store: LogStore, records, where, by):
    store.delete_scope(SCOPE)
    store.append(logged(records), keep_all)
    columns = [Column.COST, Column.COST_SAVED, Column.FEEDBACK, Column.SUCCESS, Column.DURATION]
    found = store.items(SCOPE, where, columns, by, 100)
    assert found is not None
    expected = [
        (name, log.id, *(column_oracle.known([log], column) for column in columns))
        for log in filter_oracle.select(records, where)
        if (name := column_oracle.group_of(log, by)) is not None
    ]
    if by.kind not in ("provider", "model"):
        assert sorted(str(row[0]) for row in found) == sorted(row[0] for row in expected)
    assert sorted(row[1] for row in found) == sorted(row[1] for row in expected)
    for place, column in enumerate(columns, start=2):
        known = sorted(float(row[place][0]) for row in expected if row[place])
        assert sorted(row[place] for row in found if row[place] is not None) == pytest.approx(known, abs=1e-12)
        assert column is not Column.DURATION or len(known) == len(found)


def test_too_many_items_are_not_told(store: LogStore):
    store.delete_scope(SCOPE)
    store.append(logged([a_log(event_id=str(number)) for number in range(5)] + [a_log()] * 1), keep_all)
    assert store.items(SCOPE, EVERYTHING, [], Grouping("event_id"), 4) is None
    found = store.items(SCOPE, EVERYTHING, [Column.DURATION], Grouping("event_id"), 5)
    assert sorted((name, ms) for name, _, ms in found or []) == [(str(number), 250) for number in range(5)]
    by_id = store.items(SCOPE, EVERYTHING, [], Grouping("id"), 6)
    assert all(name == id_ for name, id_ in by_id or [(1, 2)])


def test_metadata_entries_select(store: LogStore):
    store.delete_scope(SCOPE)
    blue = a_log(metadata={"team": "blue", "tier": 1})
    others = [a_log(metadata={"tier": "blue"}), a_log(metadata={"team": "bluer"}), a_log()]
    store.append(logged([blue, *others]), keep_all)
    assert store.count(SCOPE, Where(entries=(("team", "blue"),))) == 1
    assert store.count(SCOPE, Where(entries=(("team", "blue"), ("tier", "1")))) == 1
    assert store.count(SCOPE, Where(entries=(("team", "blue"), ("tier", "2")))) == 0
    assert store.count(SCOPE, Where(entries=(("te\ud800", "blue"),))) == 0


def test_sums_beyond_64_bits_in_groups(store: LogStore):
    store.delete_scope(SCOPE)
    huge = [a_log(provider=name, usage=Usage(tokens_in=1 << 61)) for name in "aabbb" * 2]
    store.append(logged(huge), keep_all)
    item = Aggregate(Op.SUM, Column.TOKENS_IN)
    groups = store.aggregate_by(SCOPE, EVERYTHING, [item], Grouping("provider"), 2)
    assert groups is not None
    assert {name: one.values[item] for name, one in groups.items()} == {"a": 4 << 61, "b": 6 << 61}


def test_too_many_groups_are_not_told(store: LogStore):
    store.delete_scope(SCOPE)
    store.append(logged([a_log(metadata={"user": number}) for number in range(5)] + [a_log()]), keep_all)
    by = Grouping("metadata", "user")
    assert store.aggregate_by(SCOPE, EVERYTHING, [], by, 5) is None
    groups = store.aggregate_by(SCOPE, EVERYTHING, [], by, 6)
    assert groups is not None
    assert {name: one.total for name, one in groups.items()} == {**dict.fromkeys("01234", 1), None: 1}


def test_no_logs_no_groups(store: LogStore):
    assert store.aggregate_by(OTHER_SCOPE, EVERYTHING, WANTED, Grouping("model"), 1) == {}
    empty = store.aggregate(OTHER_SCOPE, EVERYTHING, WANTED)
    assert_equal(empty, column_oracle.aggregate([], WANTED))


def test_what_the_cache_saved_is_exact(store: LogStore):
    store.delete_scope(SCOPE)
    tiny = Decimal("0.00000000000000000001")
    saved = [tiny, Decimal(3), None]
    records = [a_log(outcome=Outcome.CACHED, cost=Decimal(0), cost_saved=amount) for amount in saved]
    store.append(logged([*records, a_log(), a_log(outcome=Outcome.TIMEOUT)]), keep_all)
    wanted = [Aggregate(op, Column.COST_SAVED) for op in (Op.COUNT, Op.SUM)]
    answer = store.aggregate(SCOPE, EVERYTHING, wanted)
    assert [answer.values[item] for item in wanted] == [4, 3 + tiny]
