"""Every filter, order and figure of the SQLite log store against the plain-Python oracle."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.model import Bodies, Logged
from gaugeway.core.query import ORDERS, Filter, Operator, Slice, Where
from gaugeway.stores.sqlite import words
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import filter_oracle, some_logs
from support.some_logs import SCOPE, keep_all, logged

FIGURES = [
    Aggregate(op, column, 1 if op is Op.COUNT_EQUAL else None)
    for op in (Op.COUNT, Op.SUM, Op.COUNT_EQUAL)
    for column in Column
    if column is not Column.GENERATED_TOKENS_MS
]
VARIED = some_logs.varied(80)
KEPT = {
    log.id: Bodies(
        request=b"openai K", response=b"stra\\u00dfe" if index % 3 else None, response_cut=index % 4 == 0
    )
    if index % 5
    else None
    for index, log in enumerate(VARIED)
}
SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes, as each try writes to a disk
)


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLogStore]:
    """A store whose words all have codes."""
    store = SqliteLogStore(tmp_path_factory.mktemp("roomy"))
    yield store
    store.close()


@pytest.fixture(scope="module")
def cramped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLogStore]:
    """A store that has long run out of codes: most logs carry their texts themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "MAX_WORDS", 3)
        store = SqliteLogStore(tmp_path_factory.mktemp("cramped"))
        yield store
        store.close()


@pytest.fixture(params=["roomy", "cramped"])
def store(request: pytest.FixtureRequest) -> SqliteLogStore:
    return request.getfixturevalue(request.param)


@SHARED
@given(
    records=st.lists(some_logs.logs, max_size=12, unique_by=lambda log: log.id),
    bodies=st.lists(some_logs.bodies, min_size=12, max_size=12),
    wheres=st.lists(some_logs.wheres, min_size=5, max_size=5),
    order_by=st.sampled_from(ORDERS),
    descending=st.booleans(),
    offset=st.integers(0, 3),
)
def test_the_store_answers_as_the_oracle(store, records, bodies, wheres, order_by, descending, offset):
    store.delete_scope(SCOPE)
    store.append([Logged(*pair) for pair in zip(records, bodies, strict=False)], keep_all)
    kept = {record.id: its for record, its in zip(records, bodies, strict=False)}
    for where in wheres:
        part = Slice(offset=offset, limit=6, order_by=order_by, descending=descending)
        assert store.page(SCOPE, where, part) == filter_oracle.page(records, where, part, kept), where
        expected, figures = filter_oracle.aggregate(records, where, FIGURES, kept)
        assert store.count(SCOPE, where) == expected
        answer = store.aggregate(SCOPE, where, FIGURES)
        assert answer.total == expected
        assert [filter_oracle.exactly(answer.values[item]) for item in FIGURES] == figures
        assert store.extremes(SCOPE, where) == filter_oracle.extremes(records, where, kept)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteLogStore]:
    """A store with VARIED in it."""
    store = SqliteLogStore(tmp_path_factory.mktemp("filled"))
    store.append([Logged(record, KEPT[record.id]) for record in VARIED], keep_all)
    yield store
    store.close()


@pytest.mark.parametrize(("key", "operator"), some_logs.PAIRS)
@settings(SHARED, max_examples=4)
@given(data=st.data())
def test_every_key_with_every_operator(filled, key, operator, data):
    """So that no pair is left to chance."""
    for item in data.draw(st.lists(some_logs.filters_of(key, operator), min_size=5, max_size=5)):
        found = filled.page(SCOPE, Where(((item,),)), Slice(limit=100, descending=False))
        expected = [log for log in VARIED if filter_oracle.passes(log, item, KEPT)]
        assert found == sorted(expected, key=lambda log: log.id), item


def test_a_thousand_values_in_each_of_a_hundred_filters(roomy):
    """The most that `core.query` lets through is neither too deep nor too long for SQLite."""
    roomy.delete_scope(SCOPE)
    kept = some_logs.a_log(event_id="event 999", metadata={"user": "u999", "1": 999})
    roomy.append(logged([kept, some_logs.a_log(event_id="another")]), keep_all)
    many = range(1000)
    texts = tuple(f"event {number}" for number in many)
    users = tuple(f"u{number}" for number in many)
    filters = (
        Filter("event_id", Operator.EQ, texts),
        Filter("event_id", Operator.CONTAINS, texts),
        Filter("metadata.value", Operator.EQ, users),
        Filter("metadata.value", Operator.CONTAINS, users),
        Filter("metadata.key", Operator.NEQ, texts),
        Filter("created_at", Operator.NEQ, tuple(many)),
        Filter("provider", Operator.NEQ, texts),
        Filter("cost", Operator.EQ, (None, *map(Decimal, many))),
        Filter("id", Operator.NEQ, tuple(number.to_bytes(16) for number in many)),
    )
    where = Where((filters * 11,))
    assert roomy.page(SCOPE, where, Slice()) == [kept]
    assert roomy.count(SCOPE, where) == 1


@pytest.mark.parametrize("store", ["roomy", "cramped"], indirect=True)
def test_compatibility_mode_means_requests_to_the_openai_compatible_endpoint(store):
    store.delete_scope(SCOPE)
    paths = ("compat/chat/completions", "compat/v1/embeddings", "chat/completions", "compatibility/v1/embeddings")
    records = [some_logs.a_log(path=path) for path in paths]
    store.append(logged(records), keep_all)
    for operator, value, expected in [
        (Operator.EQ, True, records[:2]),
        (Operator.EQ, False, records[2:]),
        (Operator.NEQ, True, records[2:]),
    ]:
        where = Where(((Filter("compatibilityMode", operator, (value,)),),))
        assert store.page(SCOPE, where, Slice(descending=False)) == expected
        assert store.count(SCOPE, where) == 2
