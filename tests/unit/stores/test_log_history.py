"""Any history of appends, repeats, limits, changes and deletes leaves what plain Python says it leaves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gaugeway.core.aggregates import Aggregate, Column, Op
from gaugeway.core.model import Bodies
from gaugeway.core.query import EVERYTHING, Slice
from gaugeway.stores.sqlite.logs import SqliteLogStore
from support import filter_oracle, some_logs
from support.log_history import COUNTED, ORDERED, Model, steps_over, take
from support.some_logs import SCOPE

POOL = some_logs.varied(40)
SUM_COST = Aggregate(Op.SUM, Column.COST)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory):
    store = SqliteLogStore(tmp_path_factory.mktemp("history"))
    yield store
    store.close()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.lists(steps_over(POOL), max_size=8))
def test_every_history_ends_as_it_should(store: SqliteLogStore, history: list[tuple[Any, ...]]) -> None:
    model = Model()
    store.delete_scope(SCOPE)
    for step in history:
        take(step, store, model)
        records = sorted(model.logs.values(), key=lambda log: log.id)
        assert store.page(SCOPE, EVERYTHING, Slice(limit=100, descending=False)) == records
        for where in COUNTED:
            expected, (cost,) = filter_oracle.aggregate(records, where, [SUM_COST])
            assert store.count(SCOPE, where) == expected
            assert filter_oracle.exactly(store.aggregate(SCOPE, where, [SUM_COST]).values[SUM_COST]) == cost
            for order_by in ORDERED:
                part = Slice(offset=1, limit=5, order_by=order_by)
                assert store.page(SCOPE, where, part) == filter_oracle.page(records, where, part)
        for record in POOL:
            body = Bodies(request=record.id) if record.id in model.logs else None
            assert store.bodies(SCOPE, record.id) == body
