"""Text in bodies as the log store looks for it: what is unknown, what is not looked into, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.errors import SearchTooLong, StoreUnusable
from gaugeway.core.model import Bodies, Join, Logged, Outcome
from gaugeway.core.query import Criterion, Filter, FilterGroup, Operator, Slice, Where
from gaugeway.stores.sqlite.body_search import Limits
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support.some_logs import SCOPE, at, keep_all

ALL = Slice(limit=100, descending=False)
CONTAINS, LACKS = Operator.CONTAINS, Operator.NOT_CONTAINS


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteLogStore]:
    store = SqliteLogStore(tmp_path)
    yield store
    store.close()


def answers(operator: Operator, *texts: str) -> Filter:
    return Filter("response_body", operator, texts)


def asks(operator: Operator, *texts: str) -> Filter:
    return Filter("request_body", operator, texts)


def found(store: SqliteLogStore, *criteria: Criterion) -> list[int]:
    """The moments of the logs that match."""
    return [log.created_at for log in store.page(SCOPE, Where((criteria,)), ALL)]


def keep(store: SqliteLogStore, *bodies: Bodies | None) -> None:
    """Logs of the moments 0, 1, 2 … with these bodies."""
    store.append([Logged(at(ms), each) for ms, each in enumerate(bodies)], keep_all)


def test_each_body_is_looked_at_by_itself(store: SqliteLogStore) -> None:
    keep(store, Bodies(request=b"red", response=b"blue"), Bodies(request=b"blue", response=b"red"))
    assert found(store, asks(CONTAINS, "RED")) == [0]
    assert found(store, answers(CONTAINS, "RED")) == [1]
    assert found(store, answers(LACKS, "red", "green")) == [0]
    assert found(store, answers(CONTAINS, "green", "red", "blue")) == [0, 1]
    assert found(store, asks(CONTAINS, "redblue"), answers(CONTAINS, "redblue")) == []


def test_what_is_not_kept_whole_is_unknown(store: SqliteLogStore) -> None:
    whole, cut = Bodies(response=b"one two"), Bodies(response=b"one two", response_cut=True)
    keep(store, whole, cut, None, Bodies(request=b"one two"), Bodies(request=b"", response=b""))
    assert found(store, answers(CONTAINS, "two")) == [0, 1], "what the beginning contains, the whole contains"
    assert found(store, answers(CONTAINS, "three")) == []
    assert found(store, answers(LACKS, "three")) == [0, 4], "what comes after the beginning is not known"
    assert found(store, answers(LACKS, "two")) == [4]
    unknown = FilterGroup(Join.NONE_OF, (answers(CONTAINS, "three"), answers(LACKS, "three")))
    assert found(store, unknown) == [1, 2, 3]
    assert found(store, FilterGroup(Join.NONE_OF, (answers(CONTAINS, "two"),))) == [2, 3, 4]


def test_bodies_of_logs_that_other_filters_leave_out_are_not_looked_into(store: SqliteLogStore) -> None:
    """They are damaged: whoever unpacks one says so."""
    records = [
        at(ms, model=f"m{ms % 3}", outcome=Outcome.TIMEOUT if ms > 5 else Outcome.SUCCESS, metadata={"n": ms})
        for ms in range(9)
    ]
    store.append([Logged(record, Bodies(response=b"needle")) for record in records], keep_all)
    pid = store.logs_database.rows("SELECT pid FROM logs ORDER BY id")[7][0]
    with store.payloads.database.writing() as connection:
        connection.execute("UPDATE payloads SET data = x'00' WHERE pid <> ?", (pid,))
    needle = answers(CONTAINS, "needle")
    either = FilterGroup(Join.ANY_OF, (Filter("metadata.n", Operator.EQ, ("7",)),))
    for criteria in (
        (needle, Filter("created_at", Operator.GT, (6,)), Filter("created_at", Operator.LT, (8,))),
        (needle, Filter("metadata.n", Operator.CONTAINS, ("7",))),
        (needle, Filter("model", Operator.EQ, ("m1",)), Filter("success", Operator.EQ, (False,))),
        (FilterGroup(Join.ALL_OF, (needle, Filter("duration", Operator.LT, (999,)), either)),),
        (FilterGroup(Join.NONE_OF, (answers(LACKS, "needle"), Filter("metadata.n", Operator.NEQ, ("7",)))),),
    ):
        assert found(store, *criteria) == [7], criteria
        assert store.aggregate(SCOPE, Where((criteria,)), [Aggregate(Op.SUM, Column.COST)]).total == 1
        assert store.extremes(SCOPE, Where((criteria,))).max_duration == 250
    with pytest.raises(StoreUnusable, match="damaged"):
        found(store, needle)


def test_a_search_ends_at_its_limits(tmp_path: Path) -> None:
    where = Where(((answers(CONTAINS, "nowhere"),),))
    for limits in (Limits(bodies=9), Limits(bytes=9 * 100)):
        store = SqliteLogStore(tmp_path / str(limits.bodies), search_limits=limits)
        keep(store, *(Bodies(response=b"x" * 100) for _ in range(10)))
        with pytest.raises(SearchTooLong, match=r"narrow the search with other filters"):
            store.page(SCOPE, where, ALL)
        with pytest.raises(SearchTooLong):
            store.delete(SCOPE, where, ALL)
        nine = Where(((answers(CONTAINS, "x"),),))
        assert len(store.page(SCOPE, nine, Slice(limit=9))) == 9, "a page that is full needs no more"
        assert found(store, answers(CONTAINS, "nowhere"), Filter("created_at", Operator.GT, (0,))) == []
        store.close()


def test_one_question_looks_into_a_body_once(tmp_path: Path) -> None:
    """The limit counts bodies, so that it tells when one is looked into again: figures take several queries."""
    store = SqliteLogStore(tmp_path, search_limits=Limits(bodies=10))
    keep(store, *(Bodies(response=b"x") for _ in range(10)))
    where = Where(((answers(CONTAINS, "x"),),))
    wanted = [Aggregate(Op.SUM, column) for column in (Column.COST, Column.SCORE, Column.COST_SAVED)]
    assert store.aggregate(SCOPE, where, wanted).total == 10
    assert store.delete(SCOPE, where, ALL) == 10
    store.close()


def test_a_count_within_a_budget_looks_at_the_clock_between_bodies(tmp_path: Path) -> None:
    ticks = iter(range(10**9))
    store = SqliteLogStore(tmp_path, clock=lambda: next(ticks) / 1000)
    keep(store, *(Bodies(response=b"x" * 1000) for _ in range(500)))
    where = Where(((answers(CONTAINS, "nowhere"),),))
    assert store.count(SCOPE, where, budget_ms=3) is None
    assert store.extremes(SCOPE, where, budget_ms=3) is None
    assert store.count(SCOPE, where) == 0
    store.close()


def test_a_log_that_goes_while_it_is_searched_is_no_trouble(store: SqliteLogStore) -> None:
    keep(store, Bodies(response=b"x"), Bodies(response=b"x"))
    with store.payloads.database.writing() as connection:
        connection.execute("DELETE FROM payloads WHERE pid = (SELECT min(pid) FROM payloads)")
    assert found(store, answers(CONTAINS, "x")) == [1]


def test_bodies_packed_with_a_dictionary_are_read(store: SqliteLogStore) -> None:
    bodies = [Bodies(request=f'{{"prompt": "a question, number {ms}"}}'.encode()) for ms in range(1100)]
    keep(store, *bodies)
    store.tidy()
    store.append([Logged(at(5000), Bodies(request=b'{"prompt": "a question, number 77 again"}'))], keep_all)
    assert found(store, asks(CONTAINS, "number 77")) == [77, *range(770, 780), 5000]
